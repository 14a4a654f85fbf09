"""The demo has no text messages and no officials' phones: show what they would say."""

from typing import Any

from django import template
from django.conf import settings
from django.utils import timezone

from commune_portal.demo_people import demo_people

register = template.Library()


@register.inclusion_tag("_demo_codes.html")
def demo_codes(phone: str = "") -> dict[str, Any]:
    """Show the code just sent to a demo account, or every official's code of this half minute."""
    if not settings.DEMO:
        return {"people": ()}
    people = demo_people(at=timezone.now())
    if phone:
        return {"people": [(p, p.sms_code) for p in people if p.phone == phone and p.sms_code]}
    return {"people": [(p, p.totp_code) for p in people if p.totp_code]}
