"""How money, phone numbers and codes are shown; built into every template."""

from django import template

from common.phone import for_people
from common.text import vnd

register = template.Library()
register.filter("vnd", vnd)
register.filter("phone", for_people)


@register.filter
def spaced(code: str) -> str:
    """Break a long number or code into groups of four, to be read aloud or compared."""
    return "\u2009".join(code[start : start + 4] for start in range(0, len(code), 4))
