"""The invented partner bank of the demo, and the file that its simulator signs in with."""

import json
import os
import secrets
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db import transaction

from payments.models import BankPartner
from payments.services.partners import Credentials, add_hmac_secret, create_partner, end_key

CODE: Final = "DEMOBANK"
NAME: Final = "Ngân hàng mô phỏng"
FILE_NAME: Final = "demo_bank.json"


@transaction.atomic
def open_bank(*, file: Path, at: datetime) -> bool:
    """Make the bank, or new credentials when their file is lost; False when all is there.

    The file is written before the commit: a stop in between leaves a file that the next run
    writes over, never a bank whose credentials nobody has.
    """
    partner = BankPartner.objects.select_for_update().filter(code=CODE).first()
    if partner is None:
        credentials = create_partner(code=CODE, name=NAME, at=at)
    elif _names(file, partner):
        return False
    else:
        credentials = _renew(partner, at=at)
    _write(file, credentials)
    return True


def _names(file: Path, partner: BankPartner) -> bool:
    """Whether the file belongs to this bank, and not to one of a database that was wiped."""
    if partner.application is None or not file.exists():
        return False
    written = json.loads(file.read_text(encoding="utf-8"))
    return bool(written.get("client_id") == partner.application.client_id)


def _renew(partner: BankPartner, *, at: datetime) -> Credentials:
    application = partner.application
    if application is None:
        raise ValueError(f"{CODE} has no OAuth2 client")
    client_secret = secrets.token_urlsafe(32)
    application.client_secret = client_secret
    application.save(update_fields=["client_secret"])
    for key in partner.keys.live(at=at):
        end_key(partner=partner, kid=key.kid, at=at)
    key, secret = add_hmac_secret(partner=partner, at=at)
    return Credentials(CODE, application.client_id, client_secret, key.kid, secret)


def _write(file: Path, credentials: Credentials) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".tmp")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(credentials._asdict(), out, indent=2)
    draft.replace(file)
