"""The five places of the site, shown as a header on a desk and as a bottom bar on a phone."""

from typing import Any, NamedTuple

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notifications import selectors as notifications
from payments import selectors as payments

register = template.Library()


class Place(NamedTuple):
    """A tab: where it leads, how it looks, how much waits there."""

    url: str
    icon: str
    label: str | Promise
    waiting: int
    is_current: bool


@register.inclusion_tag("_places.html", takes_context=True)
def places(context: Context) -> dict[str, Any]:
    """List the places with their counts; two queries for a person who signed in, else nothing."""
    request = context.get("request")
    user = getattr(request, "user", None)
    if request is None or user is None or not user.is_authenticated:
        return {"places": ()}
    owed, unread = payments.owed_by(user).bill_count, notifications.unread_count(user)
    rows = (
        ("home", "home", _("Home"), 0),
        ("bill_list", "bill", _("Bills"), owed),
        ("receipt_list", "receipt", _("Receipts"), 0),
        ("inbox", "inbox", _("Inbox"), unread),
        ("account", "person", _("Account"), 0),
    )
    found = []
    for name, icon, label, waiting in rows:
        url = reverse(name)
        is_current = request.path == url or (name != "home" and request.path.startswith(url))
        found.append(Place(url, icon, label, waiting, is_current))
    return {"places": found}
