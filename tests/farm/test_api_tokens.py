"""Keys for programs: shown once, kept as a hash, taken back for good."""

import hashlib
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group

from accounts.roles import Role
from farm.errors import TooManyTokensError
from farm.models import ApiToken
from farm.services import api_tokens
from tests.accounts.factories import make_person
from tests.farm.factories import NOON, make_user

pytestmark = pytest.mark.django_db


def test_only_the_hash_of_a_key_is_kept():
    person = make_user()

    token, secret = api_tokens.make_token(user=person, name="Bảng tính", days=30, at=NOON)

    assert secret.startswith("plf_")
    assert len(secret) == 47
    token.refresh_from_db()
    assert token.digest == hashlib.sha256(secret.encode()).hexdigest()
    assert (token.hint, token.expires_at) == (secret[:10], NOON + timedelta(days=30))


def test_a_live_key_opens_and_its_use_is_noted_once_a_minute():
    token, secret = api_tokens.make_token(user=make_user(), name="x", days=30, at=NOON)

    for seconds in (0, 59, 60):
        at = NOON + timedelta(seconds=seconds)
        assert api_tokens.use_token(secret=secret, at=at) == token

    token.refresh_from_db()
    assert token.used_at == NOON
    api_tokens.use_token(secret=secret, at=NOON + timedelta(seconds=61))
    token.refresh_from_db()
    assert token.used_at == NOON + timedelta(seconds=61)


def test_a_key_that_ran_out_or_was_taken_back_or_whose_owner_left_opens_nothing():
    person = make_user()
    token, secret = api_tokens.make_token(user=person, name="x", days=30, at=NOON)
    revoked, other = api_tokens.make_token(user=person, name="y", days=30, at=NOON)
    api_tokens.revoke_token(token=revoked, at=NOON)
    api_tokens.revoke_token(token=revoked, at=NOON + timedelta(days=1))

    assert api_tokens.use_token(secret=other, at=NOON) is None
    assert ApiToken.objects.get(pk=revoked.pk).revoked_at == NOON
    assert api_tokens.use_token(secret=secret, at=NOON + timedelta(days=30)) is None
    person.is_active = False
    person.save()
    assert api_tokens.use_token(secret=secret, at=NOON) is None
    token.refresh_from_db()
    assert token.used_at is None


def test_nobody_has_more_than_ten_keys():
    person = make_user()
    for _ in range(10):
        api_tokens.make_token(user=person, name="x", days=30, at=NOON)

    with pytest.raises(TooManyTokensError):
        api_tokens.make_token(user=person, name="x", days=30, at=NOON)

    assert ApiToken.objects.count() == 10
    assert api_tokens.make_token(user=person, name="x", days=30, at=NOON + timedelta(days=31))


@pytest.fixture
def member(client):
    person = make_person(phone="+84912000555")
    person.groups.add(Group.objects.get(name=Role.COOPERATIVE_MEMBER))
    client.force_login(person)
    return person


def test_the_page_shows_a_new_key_once(client, member):
    made = client.post("/nha-mang/khoa-api/", {"name": "Bảng tính", "days": "90"})
    again = client.get("/nha-mang/khoa-api/")

    secret = re.search(r"plf_[A-Za-z0-9_-]{43}", made.content.decode())[0]
    assert secret not in again.content.decode()
    assert secret[:10] in again.content.decode()
    assert made["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert ApiToken.objects.get().user == member


def test_one_takes_back_ones_own_keys_only(client, member):
    mine, _ = api_tokens.make_token(user=member, name="x", days=30, at=NOON)
    theirs, _ = api_tokens.make_token(user=make_user(), name="x", days=30, at=NOON)

    assert client.post(f"/nha-mang/khoa-api/{mine.pk}/thu-hoi/").status_code == 302
    assert client.post(f"/nha-mang/khoa-api/{theirs.pk}/thu-hoi/").status_code == 404

    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert (mine.revoked_at is not None, theirs.revoked_at) == (True, None)
