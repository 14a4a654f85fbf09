"""How due dates are said."""

from datetime import date

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()


@register.filter
def due(day: date | None) -> str:
    """Say when something is due, as one would at the gate; "" without a day."""
    if day is None:
        return ""
    days = (day - timezone.localdate()).days
    if days < 0:
        return ngettext("%(days)s day overdue", "%(days)s days overdue", -days) % {"days": -days}
    if days == 0:
        return _("Due today")
    if days == 1:
        return _("Due tomorrow")
    return ngettext("Due in %(days)s day", "Due in %(days)s days", days) % {"days": days}


@register.filter
def is_past(day: date | None) -> bool:
    """Whether the day is over."""
    return day is not None and day < timezone.localdate()
