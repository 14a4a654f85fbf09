"""A cooperative member in front of the farm's pages at noon, reading English as the code does."""

import html
import re

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from tests.accounts.factories import make_person
from tests.farm.factories import NOON


@pytest.fixture
def noon(monkeypatch):
    """Noon for every view: the clock is the only thing that is replaced."""
    monkeypatch.setattr(timezone, "now", lambda: NOON)


@pytest.fixture
def member(client, db, noon) -> User:
    """A member of the cooperative who has signed in."""
    person = make_person(phone="+84912000222", full_name="Lê Thị Hoa")
    person.groups.add(Group.objects.get(name=Role.COOPERATIVE_MEMBER))
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.cookies["django_language"] = "en"
    return person


def words_of(answer) -> str:
    """What a page says, without its tags."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    text = html.unescape(re.sub(r"<[^>]+>", " ", text)).replace("\u00a0", " ")
    return re.sub(r"\s+([,.:;)])", r"\1", " ".join(text.split()))


def tile(answer, label: str) -> str:
    """The words of one value's tile, with its state as the first word."""
    for state, inside in re.findall(
        r'<li class="value is-(\w+)">(.*?)</li>', answer.content.decode(), re.DOTALL
    ):
        words = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", inside)).split())
        if words.startswith(label):
            return f"{state}: {words}"
    return "no such tile"


def key_of(answer, url: str) -> str:
    """The hidden key of the form that is sent to this address."""
    form = re.search(rf'<form[^>]*action="{url}".*?</form>', answer.content.decode(), re.DOTALL)
    return re.search(r'name="key" value="([^"]+)"', form[0])[1]
