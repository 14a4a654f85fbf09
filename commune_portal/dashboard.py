"""The first page and the menu of the back office."""

from typing import Any

from django.http import HttpRequest


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures of the first page."""
    return context


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Build the menu; each person sees what they may open."""
    return []
