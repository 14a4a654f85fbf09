"""Builders of people who sign in."""

import time
from datetime import datetime
from itertools import count

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import encrypt

from accounts.models import User

numbers = count(1)
TOTP_SECRET = "PHULOCPHULOCPHULOCPHULOCPHULOC22"
PASSWORD = "mot-mat-khau-dai"


def make_person(**changes) -> User:
    """A resident with the number that make_household gives to households."""
    fields = {"phone": "+84912345678", "full_name": "Lê Thị Hoa", "is_phone_verified": True}
    return User.objects.create_user(**fields | changes)


def make_official(*, has_totp: bool = True, **changes) -> User:
    """A superuser with PASSWORD and, unless told otherwise, an authenticator app."""
    fields = {
        "phone": f"+8498765{next(numbers):04d}",
        "full_name": "Nguyễn Văn Tài",
        "password": PASSWORD,
        "is_phone_verified": True,
        "is_staff": True,
        "is_superuser": True,
    }
    official = User.objects.create_user(**fields | changes)
    if has_totp:
        Authenticator.objects.create(
            user=official, type=Authenticator.Type.TOTP, data={"secret": encrypt(TOTP_SECRET)}
        )
    return official


def totp_code(*, at: datetime | None = None) -> str:
    """What the official's app shows at a moment, now by default."""
    moment = at.timestamp() if at else time.time()
    return totp.format_hotp_value(totp.hotp_value(TOTP_SECRET, int(moment) // 30))
