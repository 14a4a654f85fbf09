"""System checks of the settings as a whole."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security, deploy=True)
def public_address_is_safe(**kwargs: Any) -> list[CheckMessage]:
    """Real people reach the portal by https only, and never see the demo's codes."""
    found: list[CheckMessage] = []
    if not settings.HTTPS and not settings.DEMO:
        found.append(checks.Warning("PUBLIC_URL does not begin with https://.", id="portal.W001"))
    if settings.HTTPS and settings.DEMO:
        found.append(
            Error(
                "DEMO shows sign-in codes to everybody; it must be off in public.", id="portal.E001"
            )
        )
    return found
