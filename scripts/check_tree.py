"""Refuse what must not be in the tree: registry hosts, machine paths, notes to self.

python scripts/check_tree.py        prints each finding as path:line: why; exit 1 on any
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SKIPPED_FOLDERS = frozenset(
    {".git", ".venv", "var", "__pycache__", "node_modules", "staticfiles", ".hypothesis"}
    | {".pytest_cache", ".mypy_cache", ".ruff_cache", ".import_linter_cache"}
)
FORBIDDEN_FILES = frozenset(
    {"uv.lock", "poetry.lock", "Pipfile.lock", "package-lock.json", "yarn.lock", ".env"}
)
# Pictures and fonts stay small; nothing else of this size is written by hand.
LARGEST_BYTES = 3_000_000

# Joined here, so that this file does not itself name what it forbids.
HOSTS = (
    ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"),
    ("yarnpkg", "com"), ("debian", "org/debian"), ("crates", "io"), ("golang", "org"),
)  # fmt: skip
HOST = re.compile("|".join(re.escape(".".join(parts)) for parts in HOSTS))
INDEX_OPTION = re.compile(r"--(?:(?:extra-)?index-url|find-links|trusted-host)\b")
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|root|Users|tmp|home/\w+)/\w")
NOTE_TO_SELF = re.compile(r"(?:#|//|/\*|\{#|<!--|--)\s*(?:TODO|FIXME|XXX|HACK)\b")

RULES = (
    (HOST, "names the host of a package registry"),
    (INDEX_OPTION, "names a package index"),
    (MACHINE_PATH, "names a path of somebody's machine"),
    (NOTE_TO_SELF, "is a note to self: open an issue"),
)
BINARY = frozenset({".mo", ".ttf", ".png", ".jpg", ".webp", ".ico", ".xlsx", ".gz", ".woff2"})


def project_files() -> Iterator[Path]:
    """Every file that belongs to the project, without generated and installed ones."""
    folders = [ROOT]
    while folders:
        for path in sorted(folders.pop().iterdir()):
            if path.is_dir() and not path.is_symlink():
                if path.name not in SKIPPED_FOLDERS:
                    folders.append(path)
            elif path.suffix != ".pyc":
                yield path


def findings_in(path: Path) -> Iterator[str]:
    """Say what is wrong with one file."""
    name = path.relative_to(ROOT)
    if path.name in FORBIDDEN_FILES and not is_ignored(path):
        yield f"{name}: must not be committed"
        return
    if path.stat().st_size > LARGEST_BYTES:
        yield f"{name}: larger than {LARGEST_BYTES // 1_000_000} MB"
    if path.suffix in BINARY:
        return
    rules = RULES[:1] if "vendor" in name.parts else RULES
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        for pattern, why in rules:
            if pattern.search(line):
                yield f"{name}:{number}: {why}"


def is_ignored(path: Path) -> bool:
    """Whether .gitignore keeps this file out of commits by its plain name."""
    return path.name in (ROOT / ".gitignore").read_text(encoding="utf-8").split()


def main() -> None:
    """Print the findings."""
    findings = [finding for path in project_files() for finding in findings_in(path)]
    print("\n".join(findings) or "nothing found")
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
