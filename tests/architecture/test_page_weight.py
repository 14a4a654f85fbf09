"""Budgets of a resident's pages (cheap phones, weak network), and templates without inline code."""

import gzip
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.urls import reverse

from tests.accounts.factories import make_person
from tests.payments.factories import make_bill, make_household

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
STATIC = settings.STATIC_URL
INLINE_CODE = {
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "a style attribute": re.compile(r"\sstyle\s*=", re.IGNORECASE),
    "an event attribute": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    # Data in a script element never runs, so the content policy does not look at it.
    "an inline script": re.compile(
        r"<script\b(?![^>]*\ssrc=)(?![^>]*application/json)", re.IGNORECASE
    ),
}
FETCHED = {"link": "href", "script": "src", "img": "src", "use": "href"}
NOT_FETCHED_AT_FIRST = {"apple-touch-icon"}  # only when the page goes to a home screen


class Fetches(HTMLParser):
    """Collects the addresses that a browser asks for when it shows a page."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: set[str] = set()

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        url = found.get(FETCHED.get(tag, ""))
        if url and found.get("rel") not in NOT_FETCHED_AT_FIRST:
            self.urls.add(url.split("#")[0])


def fetches(html: str) -> set[str]:
    parser = Fetches()
    parser.feed(html)
    return parser.urls


def compressed(url: str) -> int:
    """Size on the wire of a file of ours."""
    return len(gzip.compress(Path(finders.find(url.removeprefix(STATIC))).read_bytes()))


@pytest.fixture
def first_pages(client, db) -> dict[str, str]:
    """Pages that somebody may open first, by address: the door, the list, a bill by its link."""
    person = make_person()
    household = make_household(phone=person.phone)
    bills = [make_bill(household=household) for _ in range(10)]
    pages = {"/": client.get("/").content.decode()}
    sign_in = reverse("account_request_login_code")
    pages[sign_in] = client.get(sign_in).content.decode()
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    for url in (reverse("bill_list"), reverse("bill", args=[bills[0].payment_code])):
        pages[url] = client.get(url).content.decode()
    return pages


def test_every_first_page_stays_within_its_budget(first_pages):
    for url, html in first_pages.items():
        ours = {found for found in fetches(html) if found.startswith(STATIC)}
        css = sum(compressed(found) for found in ours if found.endswith(".css"))
        javascript = sum(compressed(found) for found in ours if found.endswith(".js"))
        total = len(html.encode()) + sum(compressed(found) for found in ours)

        assert css <= 18_000, url
        assert javascript <= 30_000, url
        assert total <= 60_000, url
        assert 1 + len(fetches(html)) <= 8, url


def test_no_first_page_asks_another_origin(first_pages):
    for html in first_pages.values():
        assert {url for url in fetches(html) if not url.startswith("/") or url[:2] == "//"} == set()


@pytest.mark.parametrize(
    "path", TEMPLATES, ids=lambda path: path.relative_to(settings.BASE_DIR).as_posix()
)
def test_no_template_holds_inline_code(path):
    text = path.read_text(encoding="utf-8")

    assert [what for what, pattern in INLINE_CODE.items() if pattern.search(text)] == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<p style='color:red'>", "a style attribute"),
        ("<style>p{}</style>", "a style element"),
        ("<a onclick='go()'>", "an event attribute"),
        ("<script>go()</script>", "an inline script"),
    ],
)
def test_inline_code_would_be_found(text, what):
    assert [name for name, pattern in INLINE_CODE.items() if pattern.search(text)] == [what]


def test_scripts_of_files_and_data_are_no_inline_code():
    for text in (
        '<script src="/a.js" defer></script>',
        '<script type="application/json">{}</script>',
    ):
        assert not INLINE_CODE["an inline script"].search(text)
