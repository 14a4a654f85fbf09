"""What the demo tells its visitors: which accounts there are, and what opens each of them now."""

import re
from datetime import datetime
from typing import NamedTuple

from allauth.mfa.totp.internal import auth as totp
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.roles import Role
from common.phone import to_e164
from notifications.models import Message
from notifications.services import SIGN_IN_CODE

TOTP_SECONDS = 30  # RFC 6238, section 4.1: the default time step, which allauth keeps


class DemoPerson(NamedTuple):
    """One account of the demo; `sms_code` is the last one sent, "" if none."""

    phone: str
    full_name: str
    role: str | Promise
    about: str | Promise
    password: str
    sms_code: str
    totp_code: str


def demo_people(*, at: datetime) -> list[DemoPerson]:
    """List the demo's accounts with the codes that open them at this moment. One query."""
    # Here, so that a portal with real people never loads what belongs to the demo.
    from commune_portal.demo.accounts import DEMO_ACCOUNTS  # noqa: PLC0415

    phones = {to_e164(account.phone) for account in DEMO_ACCOUNTS}
    sent = Message.objects.filter(kind=SIGN_IN_CODE, phone__in=phones).order_by("created_at", "pk")
    code_by_phone = {message.phone: _digits(message.text) for message in sent}
    counter = int(at.timestamp()) // TOTP_SECONDS
    return [
        DemoPerson(
            phone=to_e164(account.phone),
            full_name=account.full_name,
            role=Role(account.role).label if account.role else _("Resident"),
            about=account.about,
            password=account.password,
            sms_code=code_by_phone.get(to_e164(account.phone), ""),
            totp_code=_totp_code(account.totp_secret, counter),
        )
        for account in DEMO_ACCOUNTS
    ]


def _digits(text: str) -> str:
    found = re.search(r"\d{6}", text)
    return found[0] if found else ""


def _totp_code(secret: str, counter: int) -> str:
    return str(totp.format_hotp_value(totp.hotp_value(secret, counter))) if secret else ""
