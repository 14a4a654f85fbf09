"""Partners' HMAC secrets at rest: sealed with PAYMENTS_KEY, opened only to check a signature."""

import base64
import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet
from django.conf import settings


@lru_cache(maxsize=4)
def _fernet(key: str) -> Fernet:
    return Fernet(
        base64.urlsafe_b64encode(hashlib.sha256(b"partner-secrets:" + key.encode()).digest())
    )


def seal(secret: bytes) -> str:
    """Encrypt a secret for the database (Fernet: AES-128-CBC with HMAC-SHA256)."""
    return _fernet(settings.PAYMENTS_KEY).encrypt(secret).decode()


def unseal(sealed: str) -> bytes:
    """Decrypt a sealed secret. Raises cryptography.fernet.InvalidToken under another key."""
    return _fernet(settings.PAYMENTS_KEY).decrypt(sealed.encode())
