"""What runs in production is locked for production, and each package has its reason in the docs."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
APPS = (
    "common", "accounts", "notifications", "addresses", "residents", "payments", "farm",
    "commune_portal",
)  # fmt: skip
SHIPPED = [*APPS, "scripts"]
# They run in a development environment only.
DEVELOPMENT = {"check.py", "check_lock.py", "run_tests.py", "third_party_messages.py"}


@cache
def locked():
    text = (ROOT / "requirements" / "base.txt").read_text(encoding="utf-8")
    return {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}


def imported_packages(folder):
    for path in sorted((ROOT / folder).rglob("*.py")):
        if path.name in DEVELOPMENT:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                yield path, name.partition(".")[0]


@pytest.mark.parametrize("folder", SHIPPED)
def test_every_package_that_is_imported_is_locked_for_production(folder):
    distributions = packages_distributions()
    ours = {*APPS, *(path.stem for path in (ROOT / "scripts").glob("*.py"))}

    missing = {
        f"{path.relative_to(ROOT)}: {name}"
        for path, name in imported_packages(folder)
        if name not in ours | sys.stdlib_module_names
        and not locked() & {canonicalize_name(found) for found in distributions.get(name, [])}
    }

    assert missing == set()


def test_every_direct_dependency_has_its_reason_in_the_docs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    named = set(re.findall(r"[\w-]+", text))

    assert {Requirement(line).name for line in wanted} - named == set()
