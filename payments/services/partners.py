"""Partner banks: opening the contract, turning keys over, closing it."""

import base64
import secrets
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import Application

from common.errors import DomainError
from payments.models import BankPartner, PartnerKey
from payments.sealing import seal
from payments.services.booking import bank_account

LIVE_SECRETS = 2


class PartnerExistsError(DomainError):
    """The code is taken; its credentials cannot be shown again."""

    code = "partner-exists"
    http_status = 409


class TooManySecretsError(DomainError):
    """Two live secrets are enough to turn over; end the older one first."""

    code = "too-many-secrets"


class Credentials(NamedTuple):
    """What a partner needs, shown once: the portal keeps hashes and sealed secrets only."""

    partner: str
    client_id: str
    client_secret: str
    hmac_key_id: str
    hmac_secret: str


@transaction.atomic
def create_partner(*, code: str, name: str, at: datetime) -> Credentials:
    """Open a partner with an OAuth2 client and a first HMAC secret. Raises PartnerExistsError."""
    if BankPartner.objects.filter(code=code).exists():
        raise PartnerExistsError(_("There is a partner with this code already."))
    client_secret = secrets.token_urlsafe(32)
    application = Application.objects.create(
        name=name,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        client_secret=client_secret,
    )
    partner = BankPartner.objects.create(code=code, name=name, application=application)
    bank_account(partner)
    key, secret = add_hmac_secret(partner=partner, at=at)
    return Credentials(code, application.client_id, client_secret, key.kid, secret)


@transaction.atomic
def add_hmac_secret(*, partner: BankPartner, at: datetime) -> tuple[PartnerKey, str]:
    """Give a partner one more HMAC secret; answers the key and the secret, shown once.

    Raises TooManySecretsError when two are live already.
    """
    # The partner's row is locked so that two officials cannot both add the second secret.
    BankPartner.objects.select_for_update().get(pk=partner.pk)
    live = partner.keys.live(at=at).filter(algorithm=PartnerKey.Algorithm.HMAC_SHA256)
    if live.count() >= LIVE_SECRETS:
        raise TooManySecretsError(_("This partner has two live secrets. End one of them first."))
    secret = secrets.token_urlsafe(32)
    key = PartnerKey.objects.create(
        partner=partner,
        kid=f"{partner.code}-{secrets.token_hex(4)}",
        algorithm=PartnerKey.Algorithm.HMAC_SHA256,
        sealed_secret=seal(secret.encode()),
        valid_from=at,
    )
    return key, secret


@transaction.atomic
def add_public_key(*, partner: BankPartner, kid: str, public_key: str, at: datetime) -> PartnerKey:
    """Register a partner's Ed25519 public key (32 bytes, base64url). Raises ValueError."""
    raw = base64.urlsafe_b64decode(public_key + "=" * (-len(public_key) % 4))
    if len(raw) != 32:
        raise ValueError("an Ed25519 public key has 32 bytes")
    return PartnerKey.objects.create(
        partner=partner,
        kid=kid,
        algorithm=PartnerKey.Algorithm.EDDSA,
        public_key=base64.urlsafe_b64encode(raw).rstrip(b"=").decode(),
        valid_from=at,
    )


@transaction.atomic
def end_key(*, partner: BankPartner, kid: str, at: datetime) -> PartnerKey:
    """Let a partner's key end now; ended keys stay on record. Raises PartnerKey.DoesNotExist."""
    key = PartnerKey.objects.select_for_update().get(partner=partner, kid=kid)
    if key.valid_to is None or key.valid_to > at:
        key.valid_to = at
        key.save(update_fields=["valid_to", "updated_at"])
    return key
