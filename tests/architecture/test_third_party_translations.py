"""What the packages say reaches people in Vietnamese, whole and spelled as the rest of the site."""

import re
from pathlib import Path

import polib
import pytest

from scripts.third_party_messages import (
    CATALOGUES,
    DOMAINS,
    Message,
    collect,
    missing,
    ours,
    placeholders,
    shipped,
    stale,
    translations,
)

# "xóa", "hủy": the older way of placing the tone. The site writes "xoá", "huỷ".
OLDER_SPELLING = re.compile(r"[óòỏõọ][ae]\b|(?<![qQ])[úùủũụ]y\b")


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    return collect()


@pytest.mark.parametrize("domain", DOMAINS)
def test_each_message_of_a_package_has_vietnamese(domain: str, messages: list[Message]) -> None:
    assert missing(domain, messages) == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_nothing_is_translated_that_no_package_says(domain: str, messages: list[Message]) -> None:
    assert stale(domain, messages) == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_translation_is_fuzzy_or_obsolete(domain: str) -> None:
    assert [entry.msgid for entry in ours(domain) if entry.fuzzy or entry.obsolete] == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_translations_keep_their_placeholders(domain: str, messages: list[Message]) -> None:
    vietnamese = shipped(domain) | translations(ours(domain))

    changed = [
        (message.msgid, form)
        for message in messages
        if message.domain == domain
        for form in vietnamese.get(message.key, [])
        if placeholders(form) != placeholders(message.plural or message.msgid)
    ]

    assert changed == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_people_read_has_one_spelling(domain: str, messages: list[Message]) -> None:
    vietnamese = shipped(domain) | translations(ours(domain))

    forms = [
        form
        for message in messages
        if message.domain == domain
        for form in vietnamese.get(message.key, [])
    ]

    assert [form for form in forms if OLDER_SPELLING.search(form)] == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_compiled_catalogue_is_in_step(domain: str) -> None:
    compiled = polib.mofile(str(CATALOGUES / f"{domain}.mo"))

    assert translations(compiled) == translations(ours(domain))
    assert compiled.metadata["Plural-Forms"] == "nplurals=1; plural=0;"


@pytest.mark.parametrize("domain", DOMAINS)
def test_places_are_named_from_the_package(domain: str) -> None:
    places = {Path(place) for entry in ours(domain) for place, _ in entry.occurrences}

    assert [
        place for place in places if place.is_absolute() or "site-packages" in place.parts
    ] == []
