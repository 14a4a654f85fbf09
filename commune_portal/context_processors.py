"""What every page knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def portal(request: HttpRequest) -> dict[str, Any]:
    """Tell the portal's name and whether this is the demo."""
    return {"portal_name": settings.PORTAL_NAME, "is_demo": settings.DEMO}
