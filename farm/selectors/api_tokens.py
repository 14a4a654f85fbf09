"""Keys for the API, as their owner sees them."""

from django.db.models import QuerySet

from accounts.models import User
from farm.models import ApiToken


def tokens_of(person: User) -> QuerySet[ApiToken]:
    """Give a person's keys, the newest first."""
    return ApiToken.objects.filter(user=person).order_by("-created_at", "-pk")
