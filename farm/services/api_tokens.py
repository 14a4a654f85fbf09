"""Making, using and taking back the keys by which programs call the API."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from farm.errors import TooManyTokensError
from farm.models import ApiToken

PREFIX = "plf_"  # so that a key which was left lying about is known for what it is
MOST_LIVE = 10
USED_EVERY = timedelta(minutes=1)


class MadeToken(NamedTuple):
    """A key and its secret, which nobody can show a second time."""

    token: ApiToken
    secret: str


def digest_of(secret: str) -> str:
    """Hash a secret; it has 256 random bits, so that no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def make_token(*, user: User, name: str, days: int, at: datetime) -> MadeToken:
    """Make a key that is valid for so many days."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if ApiToken.objects.live(at=at).filter(user=user).count() >= MOST_LIVE:
        raise TooManyTokensError(
            _("You have %(most)s keys already. Take one back first.") % {"most": MOST_LIVE}
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        hint=secret[: len(PREFIX) + 6],
        digest=digest_of(secret),
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    return MadeToken(token, secret)


@transaction.atomic
def revoke_token(*, token: ApiToken, at: datetime) -> ApiToken:
    """Take a key back for good; the first time counts."""
    token = ApiToken.objects.select_for_update().get(pk=token.pk)
    if token.revoked_at is None:
        token.revoked_at = at
        token.save(update_fields=["revoked_at"])
    return token


@transaction.atomic
def use_token(*, secret: str, at: datetime) -> ApiToken | None:
    """Find the live key of a secret, and note that it was used, once a minute; None without one."""
    token = (
        ApiToken.objects.live(at=at).select_related("user").filter(digest=digest_of(secret)).first()
    )
    if token is not None:
        ApiToken.objects.filter(
            Q(used_at__isnull=True) | Q(used_at__lt=at - USED_EVERY), pk=token.pk
        ).update(used_at=at)
    return token
