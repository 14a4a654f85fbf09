"""Tell whether requirements/*.txt still hold what pyproject.toml asks for; needs no network.

python scripts/check_lock.py        exit 1 on any gap; `make lock` mends it
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
EXTRAS_BY_LOCK = {"base": (), "dev": ("dev",), "bench": ("dev", "bench")}
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)")
OURS = "commune-portal (pyproject.toml)"


def main() -> None:
    """Print what is stale."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    findings = [
        f"requirements/{lock}.txt: {finding}"
        for lock, extras in EXTRAS_BY_LOCK.items()
        for finding in stale(lock, wanted_of(project, extras))
    ]
    print("\n".join(findings) or "fresh")
    sys.exit(bool(findings))


def wanted_of(project: dict[str, object], extras: tuple[str, ...]) -> list[Requirement]:
    """Read what pyproject.toml asks for, with these extras."""
    optional = project["optional-dependencies"]
    lines = list(project["dependencies"])  # type: ignore[call-overload]  # TOML has no types
    for extra in extras:
        lines += optional[extra]  # type: ignore[index]  # as above
    return [Requirement(line) for line in lines]


def stale(lock: str, wanted: list[Requirement]) -> Iterator[str]:
    """Differences between a lock file and what is wanted of it."""
    versions, direct = read_lock(ROOT / "requirements" / f"{lock}.txt")
    for requirement in wanted:
        name = canonicalize_name(requirement.name)
        if name not in versions:
            yield f"{name} is missing"
        elif not requirement.specifier.contains(versions[name], prereleases=True):
            yield f"{name} {versions[name]} does not fit {requirement.specifier}"
    for name in sorted(direct - {canonicalize_name(one.name) for one in wanted}):
        yield f"{name} is no longer asked for"


def read_lock(path: Path) -> tuple[dict[NormalizedName, str], set[NormalizedName]]:
    """Read the version of each package, and which are there because we ask for them."""
    versions: dict[NormalizedName, str] = {}
    direct: set[NormalizedName] = set()
    name = canonicalize_name("")
    for line in path.read_text(encoding="utf-8").splitlines():
        if found := PINNED.match(line):
            name = canonicalize_name(found[1])
            versions[name] = str(found[2])
        elif OURS in line:
            direct.add(name)
    return versions, direct


if __name__ == "__main__":
    main()
