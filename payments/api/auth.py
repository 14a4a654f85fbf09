"""Who calls, and did they sign it? Tokens, detached JWS and timed HMAC signatures.

The order of checks is the caller's token first, then its rate limit, then the signature over
the raw body, then the time it names; only then is the body read.
"""

import base64
import hashlib
import hmac
import json
import re
import threading
import time
import warnings
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from oauth2_provider.models import AccessToken

from payments.api.problems import refuse
from payments.models import BankPartner, PartnerKey
from payments.sealing import unseal

BEARER = re.compile(r"Bearer ([\x21-\x7e]{20,500})")
TIMED_HMAC = re.compile(r"t=(\d{1,12})((?:,v1=[0-9a-fA-F]{64}){1,4})")
# "Ed25519" is the name that RFC 9864 gives to what RFC 8037 called "EdDSA".
warnings.filterwarnings("ignore", message="EdDSA is deprecated via RFC 9864")
REGISTRY = jws.JWSRegistry(algorithms=["EdDSA", "Ed25519"], strict_check_header=False)


class LiveKey(NamedTuple):
    """One key of a partner, ready to check with."""

    kid: str
    algorithm: str
    secret: bytes
    public_key: OKPKey | None


class Session(NamedTuple):
    """A token's partner and what it may do."""

    partner: BankPartner
    scopes: frozenset[str]
    keys: tuple[LiveKey, ...]
    expires_at: float


_sessions: dict[str, tuple[float, Session]] = {}
_lock = threading.Lock()


def authenticate(request: HttpRequest) -> Session:
    """Find the partner of the bearer token, or refuse with 401.

    What was found is kept for PARTNER_CACHE_SECONDS in this process: a revoked token, key or
    partner lives that much longer, and a busy partner costs no query.
    """
    match = BEARER.fullmatch(request.META.get("HTTP_AUTHORIZATION", ""))
    if match is None:
        raise refuse(401, "token-missing", _("Send an access token: Authorization: Bearer …"))
    digest = hashlib.sha256(match[1].encode()).hexdigest()
    now = time.monotonic()
    cached = _sessions.get(digest)
    if cached is None or cached[0] < now:
        cached = (now + settings.PARTNER_CACHE_SECONDS, _load(digest))
        with _lock:
            if len(_sessions) > 1000:
                _sessions.clear()
            _sessions[digest] = cached
    session = cached[1]
    if session.expires_at <= time.time():
        raise refuse(
            401, "token-invalid", _("The access token has ended. Get a new one."), retry="after_fix"
        )
    return session


def forget_sessions() -> None:
    """Drop what this process remembers of tokens and keys."""
    _sessions.clear()


def _load(digest: str) -> Session:
    token = AccessToken.objects.filter(token_checksum=digest).first()
    partner = (
        BankPartner.objects.filter(application=token.application_id, is_active=True).first()
        if token and token.application_id
        else None
    )
    if token is None or partner is None:
        raise refuse(
            401,
            "token-invalid",
            _("The access token is not known. Get a new one."),
            retry="after_fix",
        )
    keys = tuple(_live(key) for key in partner.keys.live(at=timezone.now()).order_by("pk"))
    return Session(partner, frozenset(token.scope.split()), keys, token.expires.timestamp())


def _live(key: PartnerKey) -> LiveKey:
    if key.algorithm == PartnerKey.Algorithm.HMAC_SHA256:
        return LiveKey(key.kid, key.algorithm, unseal(key.sealed_secret), None)
    public = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": key.public_key})
    return LiveKey(key.kid, key.algorithm, b"", public)


def check_signature(request: HttpRequest, *, session: Session, body: bytes) -> None:
    """Refuse with 401 unless one of the partner's live keys signed this body within 300 s.

    Either `X-Signature: t=<unix>,v1=<hex HMAC-SHA256 of "<t>.<body>">` or
    `X-JWS-Signature: <protected>..<signature>`, a detached JWS (RFC 7515 appendix F, or RFC 7797
    with b64=false) by EdDSA whose header names `kid` and `iat`, and `url` and `method` of the call
    if it names them at all.
    """
    timed = request.META.get("HTTP_X_SIGNATURE", "")
    detached = request.META.get("HTTP_X_JWS_SIGNATURE", "")
    if timed:
        signed_at = _check_hmac(timed, session=session, body=body)
    elif detached:
        signed_at = _check_jws(detached, request=request, session=session, body=body)
    else:
        raise refuse(
            401,
            "signature-missing",
            _("Sign the body: X-Signature or X-JWS-Signature."),
            retry="after_fix",
        )
    if abs(time.time() - signed_at) > settings.SIGNATURE_TOLERANCE_SECONDS:
        raise refuse(
            401,
            "timestamp-outside-window",
            _("The signature's time is more than 300 seconds from ours."),
            retry="after_fix",
        )


def _check_hmac(header: str, *, session: Session, body: bytes) -> int:
    match = TIMED_HMAC.fullmatch(header.replace(" ", ""))
    if match is None:
        raise _bad_signature()
    signed = match[1].encode() + b"." + body
    offered = [bytes.fromhex(part[3:]) for part in match[2].split(",")[1:]]
    for key in session.keys:
        if key.secret:
            expected = hmac.digest(key.secret, signed, "sha256")
            for signature in offered:
                if hmac.compare_digest(expected, signature):
                    return int(match[1])
    raise _bad_signature()


def _check_jws(header: str, *, request: HttpRequest, session: Session, body: bytes) -> int:
    protected, empty, signature = ("", "x", "")
    if header.count(".") == 2 and len(header) < 4000:
        protected, empty, signature = header.split(".")
    claims = _claims(protected)
    key = next(
        (key for key in session.keys if key.public_key and key.kid == claims.get("kid")), None
    )
    signed_at = claims.get("iat")
    if empty or key is None or not isinstance(signed_at, int) or isinstance(signed_at, bool):
        raise _bad_signature()
    # Without b64=false the signature is over the base64url of the body (RFC 7515 appendix F).
    is_raw = claims.get("b64") is False
    encoded = "" if is_raw else base64.urlsafe_b64encode(body).rstrip(b"=").decode()
    try:
        jws.deserialize_compact(
            f"{protected}.{encoded}.{signature}",
            key.public_key,
            registry=REGISTRY,
            payload=body if is_raw else None,
        )
    except (JoseError, ValueError):
        raise _bad_signature() from None
    named = (claims.get("url", request.path), str(claims.get("method", request.method)).upper())
    if named != (request.path, request.method):
        raise _bad_signature()
    return signed_at


def _claims(protected: str) -> dict[str, object]:
    try:
        padded = protected + "=" * (-len(protected) % 4)
        claims = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _bad_signature() -> Exception:
    return refuse(
        401,
        "signature-invalid",
        _("The signature does not fit this body and your live keys."),
        retry="after_fix",
    )
