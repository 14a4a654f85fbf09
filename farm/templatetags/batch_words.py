"""How batches and the entries of their books are said."""

from django import template

from farm import batch_words
from farm.models import Batch, CostEntry, Harvest, LabourEntry

register = template.Library()


@register.filter
def batch_title(batch: Batch) -> str:
    """Name what grows in a batch."""
    return batch_words.title_of(batch)


@register.filter
def entry_what(entry: Harvest | CostEntry | LabourEntry) -> str:
    """Say what an entry is about."""
    return batch_words.entry_words(entry)[0]


@register.filter
def entry_amount(entry: Harvest | CostEntry | LabourEntry) -> str:
    """Say how much an entry is about."""
    return batch_words.entry_words(entry)[1]
