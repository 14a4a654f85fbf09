"""Keep the Vietnamese of the packages that ship no, or half a, Vietnamese catalogue.

`makemessages` reads our own files only. This script reads what the installed packages say and
merges it into `locale/third_party/vi`: run it after each upgrade of a package it lists.

    python scripts/third_party_messages.py            merge, keep translations, compile
    python scripts/third_party_messages.py --check    change nothing; exit 1 on any gap
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polib  # type: ignore[import-untyped]
from django.core.management.utils import popen_wrapper
from django.utils.translation.template import templatize

if TYPE_CHECKING:
    from collections.abc import Iterator

CATALOGUES = Path(__file__).resolve().parents[1] / "locale/third_party/vi/LC_MESSAGES"
DOMAINS = ("django", "djangojs")

HEADER = {
    "Project-Id-Version": "commune-portal",
    "Language": "vi",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=1; plural=0;",
}


class Package(NamedTuple):
    """What of an installed package people may come to read."""

    folder: str  # relative to site-packages
    leave_out: tuple[str, ...] = ()
    also: tuple[str, ...] = ()  # messages that its code puts together as it runs
    has_source_catalogue: bool = False  # an up-to-date locale/en, so no need to read its code


# Only apps that the portal installs or may install soon: the others' messages are never shown.
PACKAGES = (
    Package("django/conf", has_source_catalogue=True),
    Package("django/contrib/admin", has_source_catalogue=True),
    Package("django/contrib/auth", has_source_catalogue=True),
    Package("django/contrib/contenttypes", has_source_catalogue=True),
    Package("django/contrib/humanize", has_source_catalogue=True),
    Package("django/contrib/postgres", has_source_catalogue=True),
    Package("django/contrib/sessions", has_source_catalogue=True),
    Package("unfold"),
    Package(
        "allauth",
        leave_out=("idp", "socialaccount/providers", "templates/idp", "templates/openid"),
    ),
    Package("axes"),
    Package("rest_framework"),
)


class Key(NamedTuple):
    """What gettext looks a message up by."""

    context: str | None
    msgid: str


Found = tuple[str | None, str, str | None]  # context, msgid, plural


class Message(NamedTuple):
    """One thing that a package may say."""

    domain: str  # "django", or "djangojs" for what scripts say in the browser
    context: str | None
    msgid: str
    plural: str | None
    place: str  # "package/path.py", never a path of this machine

    @property
    def key(self) -> Key:
        return Key(self.context, self.msgid)


# Where each gettext function takes its (context, msgid, plural).
ARGUMENTS: dict[str, tuple[int | None, int, int | None]] = {
    "_": (None, 0, None),
    "gettext": (None, 0, None),
    "ngettext": (None, 0, 1),
    "pgettext": (0, 1, None),
    "npgettext": (0, 1, 2),
}
STRING = r"""u?(?:"{3}.*?"{3}|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
CALL = re.compile(
    rf"(?<!\w)(_|n?p?gettext)(?:_lazy|_noop)?\(\s*({STRING}(?:\s*,?\s*{STRING})*)", re.DOTALL
)
NAMED = re.compile(r"%\(\w+\)[sdf]|\{\w[\w.!:]*\}")
POSITIONAL = re.compile(r"%[srdf]|\{\}")


def placeholders(text: str) -> list[str]:
    """Return what a translation must carry over: names once, nameless ones each time.

    >>> placeholders("%(count)d of {total}, %s, {total}, %s")
    ['%(count)d', '{total}', '%s', '%s']
    """
    return [*sorted(set(NAMED.findall(text))), *POSITIONAL.findall(text)]


def site_packages() -> Path:
    spec = find_spec("django")
    if spec is None or spec.origin is None:
        raise SystemExit("Django is not installed")
    return Path(spec.origin).parent.parent


def collect() -> list[Message]:
    """Return each message of each package once, in the order of PACKAGES."""
    root = site_packages()
    first: dict[tuple[str, Key], Message] = {}
    for package in PACKAGES:
        if not (root / package.folder).is_dir():
            raise SystemExit(
                f"{package.folder} is not installed: its translations would be dropped"
            )
        read = _from_source_catalogue if package.has_source_catalogue else _from_code
        for message in read(root, package):
            known = first.setdefault((message.domain, message.key), message)
            if known.plural is None and message.plural is not None:
                first[message.domain, message.key] = known._replace(plural=message.plural)
    return list(first.values())


def _from_source_catalogue(root: Path, package: Package) -> Iterator[Message]:
    for path in sorted((root / package.folder / "locale/en/LC_MESSAGES").glob("*.po")):
        for entry in polib.pofile(str(path)):
            if not entry.obsolete:
                found = (entry.msgctxt, entry.msgid, entry.msgid_plural or None)
                yield Message(path.stem, *found, place=package.folder)


def _from_code(root: Path, package: Package) -> Iterator[Message]:
    base = root / package.folder
    for path in sorted(base.rglob("*.*")):
        if path.suffix not in READERS or _is_left_out(path.relative_to(base), package):
            continue
        domain = "djangojs" if path.suffix == ".js" else "django"
        place = path.relative_to(root).as_posix()
        for found in READERS[path.suffix](path.read_text(encoding="utf-8")):
            yield Message(domain, *found, place=place)
    for msgid in package.also:
        yield Message("django", None, msgid, None, place=package.folder)


def _is_left_out(path: Path, package: Package) -> bool:
    return any(path.is_relative_to(folder) for folder in package.leave_out)


def _read_code(source: str) -> Iterator[Found]:
    """Read Python and JavaScript alike, as xgettext does."""
    return _calls(source) if "gettext" in source else iter(())


def _calls(source: str) -> Iterator[Found]:
    for call in CALL.finditer(source):
        context_at, msgid_at, plural_at = ARGUMENTS[call[1]]
        strings = ast.literal_eval(f"({call[2]},)")
        if len(strings) > max(msgid_at, plural_at or 0):
            yield (
                None if context_at is None else strings[context_at],
                strings[msgid_at],
                None if plural_at is None else strings[plural_at],
            )


def _read_template(source: str) -> Iterator[Found]:
    if "trans" not in source and "_(" not in source:
        return iter(())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # misplaced translators' comments are not ours to mend
        return _calls(templatize(source))


READERS = {
    ".py": _read_code,
    ".html": _read_template,
    ".txt": _read_template,
    ".js": _read_code,
}


def shipped(domain: str) -> dict[Key, list[str]]:
    """Return what the packages themselves say in Vietnamese, from what they load: the .mo files."""
    translation_by_key: dict[Key, list[str]] = {}
    for package in reversed(PACKAGES):
        folder = site_packages() / package.folder / "locale" / "vi" / "LC_MESSAGES"
        for path in folder.glob(f"{domain}.mo"):
            translation_by_key |= translations(polib.mofile(str(path)))
    return translation_by_key


def ours(domain: str) -> polib.POFile:
    path = CATALOGUES / f"{domain}.po"
    if path.exists():
        return polib.pofile(str(path), wrapwidth=100)
    catalogue = polib.POFile(wrapwidth=100)
    catalogue.metadata = HEADER
    return catalogue


def translations(catalogue: polib.POFile | polib.MOFile) -> dict[Key, list[str]]:
    """Return the forms of each entry that is translated and not fuzzy."""
    return {
        Key(entry.msgctxt, entry.msgid): list(entry.msgstr_plural.values()) or [entry.msgstr]
        for entry in catalogue
        if not getattr(entry, "fuzzy", False) and not getattr(entry, "obsolete", False)
    }


def missing(domain: str, messages: list[Message]) -> list[Message]:
    """Return what would be shown in English."""
    have = shipped(domain) | translations(ours(domain))
    wanted = (message for message in messages if message.domain == domain)
    return [message for message in wanted if not all(have.get(message.key, [""]))]


def stale(domain: str, messages: list[Message]) -> list[Key]:
    """Return what we translate though no package says it any more."""
    said = {message.key for message in messages if message.domain == domain}
    keys = [Key(entry.msgctxt, entry.msgid) for entry in ours(domain)]
    return [key for key in keys if key not in said]


def merge(domain: str, messages: list[Message]) -> None:
    """Write the catalogue anew: a gap for each message nobody translates, what we had kept."""
    before = {Key(entry.msgctxt, entry.msgid): entry for entry in ours(domain)}
    shipped_keys = shipped(domain).keys()
    after = polib.POFile(wrapwidth=100)
    after.metadata = HEADER
    for message in messages:
        if message.domain == domain and (message.key in before or message.key not in shipped_keys):
            after.append(_entry(message, before.get(message.key)))
    path = CATALOGUES / f"{domain}.po"
    after.save(str(path))
    compile_catalogue(path)


def _entry(message: Message, before: polib.POEntry | None) -> polib.POEntry:
    entry = polib.POEntry(
        msgid=message.msgid, msgctxt=message.context, occurrences=[(message.place, "")]
    )
    said = message.msgid + (message.plural or "")
    marks = placeholders(said)
    if any(mark.startswith("%") for mark in marks):
        entry.flags.append("python-format")
    elif marks:
        entry.flags.append("python-brace-format")
    words = "" if before is None else before.msgstr_plural.get(0) or before.msgstr
    if before is not None and before.fuzzy:
        entry.flags.append("fuzzy")
    if message.plural is None:
        entry.msgstr = words
    else:
        entry.msgid_plural = message.plural
        entry.msgstr_plural = {0: words}
    return entry


def compile_catalogue(path: Path) -> None:
    """Compile as `manage.py compilemessages` does, so that neither rewrites the other's file."""
    output = path.with_suffix(".mo")
    _, errors, status = popen_wrapper(["msgfmt", "--check-format", "-o", str(output), str(path)])
    if status:
        raise SystemExit(errors)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 on any gap")
    options = parser.parse_args(arguments)
    messages = collect()
    gaps = 0
    for domain in DOMAINS:
        if not options.check:
            for key in stale(domain, messages):
                print(f"dropped {domain}: {key.msgid!r}")
            merge(domain, messages)
        for message in missing(domain, messages):
            print(f"missing {domain} {message.place}: {message.msgid!r}")
            gaps += 1
    print(f"{len(messages)} messages read, {gaps} without Vietnamese")
    return 1 if gaps else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
