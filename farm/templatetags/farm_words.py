"""How lengths of time are said on the farm's pages."""

from django import template

from farm import words

register = template.Library()


@register.filter
def run_length(seconds: float) -> str:
    """Say how long something lasts: 300 is "5 minutes"."""
    return words.run_words(seconds)
