"""Run every check of docs/house-style.md that needs no running tests; `make check`.

python scripts/check.py [WORD …]        only the checks whose name contains one of the words
"""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import compose  # type: ignore[import-untyped]  # ships no types
import polib  # type: ignore[import-untyped]  # ships no types
from check_tree import project_files

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
APPS = (
    "common", "accounts", "notifications", "addresses", "residents", "payments", "farm",
    "commune_portal",
)  # fmt: skip
TARGET = "5.2"
# As in production, but for a database that needs no server.
PRODUCTION = {
    "SECRET_KEY": secrets.token_urlsafe(60),
    "PUBLIC_URL": "https://portal.example.vn",
    "ALLOWED_HOSTS": "portal.example.vn",
    "DATABASE_URL": "sqlite:///:memory:",
    "DEMO": "0",
    "DEBUG": "0",
    "DJANGO_SETTINGS_MODULE": "commune_portal.settings",
}
COMPOSE_EXAMPLE = {
    "SECRET_KEY": "example",
    "PAYMENTS_KEY": "example",
    "POSTGRES_PASSWORD": "example",
    "MQTT_PASSWORD": "example",
    "PUBLIC_URL": "https://portal.example.vn",
}


class Outcome(NamedTuple):
    """How one check ended."""

    is_good: bool
    output: str = ""
    seconds: float = 0.0


Check = Callable[[], Outcome]


def main() -> None:
    """Run all checks two at a time; report in order, and everything that is wrong at once."""
    words = sys.argv[1:]
    checks = {
        name: check
        for name, check in all_checks().items()
        if not words or any(word in name for word in words)
    }
    with ThreadPoolExecutor(2) as pool:
        running = {name: pool.submit(timed, check) for name, check in checks.items()}
        bad = [name for name, future in running.items() if not reported(name, future.result())]
    if bad:
        sys.exit(f"{len(bad)} of {len(checks)} checks failed: {', '.join(bad)}")
    print(f"all {len(checks)} checks passed")


def all_checks() -> dict[str, Check]:
    """Name the checks as they are printed; the longest first."""
    return {
        "types (mypy)": tool(
            "mypy", "--cache-dir", os.devnull, *APPS, "manage.py", *python_files("scripts")
        ),
        "layout (ruff format)": tool("ruff", "format", "--check", "--quiet", "."),
        "rules (ruff check)": tool("ruff", "check", "--quiet", "."),
        "imports (import-linter)": tool("lint-imports", "--no-cache"),
        "templates (djade)": tool("djade", "--check", "--target-version", TARGET, *templates()),
        "templates (djlint)": tool("djlint", "--lint", "--quiet", "templates"),
        "spelling (codespell)": tool(
            "codespell", "--ignore-words", "scripts/codespell-ignore.txt", *readable_files()
        ),
        "idioms (django-upgrade)": tool(
            "django-upgrade",
            "--check",
            "--target-version",
            TARGET,
            # request.META is read on every request; request.headers costs a copy of them all.
            "--skip",
            "request_headers",
            *all_python(),
        ),
        "migrations": manage("makemigrations", "--check", "--dry-run"),
        "deployment (check --deploy)": manage("check", "--deploy", "--fail-level", "WARNING"),
        "locks": script("check_lock.py"),
        "tree": script("check_tree.py"),
        "compose file": compose_file,
        "Dockerfile (hadolint)": tool("hadolint", "Dockerfile"),
        "translations (vi)": translations,
        "translations (packages)": script("third_party_messages.py", "--check"),
    }


def timed(check: Check) -> Outcome:
    began = time.monotonic()
    outcome = check()
    return outcome._replace(seconds=time.monotonic() - began)


def reported(name: str, outcome: Outcome) -> bool:
    """Print one line, and what was said when it failed."""
    print(f"{'✓' if outcome.is_good else '✗'} {name} ({outcome.seconds:.1f} s)", flush=True)
    if not outcome.is_good:
        print(outcome.output.strip(), flush=True)
    return outcome.is_good


def run(command: Sequence[str], **environment: str) -> Outcome:
    """Run a command; good when it ends with 0."""
    done = subprocess.run(  # noqa: S603  # commands are ours
        command,
        cwd=ROOT,
        env=os.environ | PRODUCTION | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Outcome(done.returncode == 0, done.stdout)


def tool(name: str, *arguments: str) -> Check:
    return lambda: run([str(BIN / name), *arguments])


def script(name: str, *arguments: str) -> Check:
    return lambda: run([sys.executable, str(ROOT / "scripts" / name), *arguments])


def manage(*arguments: str) -> Check:
    def check() -> Outcome:
        with tempfile.TemporaryDirectory() as var:
            return run([sys.executable, "manage.py", *arguments], VAR_DIR=var)

    return check


def python_files(folder: str) -> list[str]:
    return [str(path) for path in sorted((ROOT / folder).glob("*.py"))]


def all_python() -> list[str]:
    return [str(path) for path in project_files() if path.suffix == ".py"]


def templates() -> list[str]:
    return [str(path) for path in sorted((ROOT / "templates").rglob("*.html"))]


def readable_files() -> list[str]:
    """Files whose words we wrote."""
    suffixes = {".py", ".md", ".html", ".css", ".js", ".toml", ".yml", ".yaml", ".conf", ".txt", ""}
    return [
        str(path)
        for path in project_files()
        if path.suffix in suffixes and not {"vendor", "requirements"} & set(path.parts)
    ]


def compose_file() -> Outcome:
    """Ask Compose itself: the wheel's wrapper ends with 0 whatever happened."""
    binary = Path(compose.__file__).parent / "docker-compose"
    return run([str(binary), "-f", "docker-compose.yml", "config", "--quiet"], **COMPOSE_EXAMPLE)


def translations() -> Outcome:
    """Find texts of ours without Vietnamese, with doubtful Vietnamese, or not compiled."""
    catalogue = ROOT / "locale" / "vi" / "LC_MESSAGES" / "django.po"
    if not catalogue.exists():
        return Outcome(is_good=False, output=f"{catalogue.relative_to(ROOT)} is missing")
    texts = polib.pofile(str(catalogue))
    gaps = [f"missing: {text.msgid}" for text in texts.untranslated_entries()]
    gaps += [f"doubtful: {text.msgid}" for text in texts.fuzzy_entries()]
    compiled = {
        (text.msgctxt, text.msgid): text for text in polib.mofile(str(catalogue.with_suffix(".mo")))
    }
    gaps += [
        f"not compiled: {text.msgid}"
        for text in texts.translated_entries()
        if getattr(compiled.get((text.msgctxt, text.msgid)), "msgstr", None) != text.msgstr
    ]
    return Outcome(is_good=not gaps, output="\n".join(gaps))


if __name__ == "__main__":
    main()
