"""Who may see and run the greenhouses: the cooperative's members and the commune's leaders."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from accounts.access import sign_in_required
from accounts.models import User
from accounts.roles import Role

FARM_ROLES = (Role.COOPERATIVE_MEMBER, Role.CHAIRPERSON)


def may_run_the_farm(person: User) -> bool:
    """Whether the person works in the greenhouses or leads the commune. At most one query."""
    return person.is_superuser or person.groups.filter(name__in=FARM_ROLES).exists()


def farm_member_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Send a stranger to the sign-in; tell whoever has no business in the greenhouse so (403)."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = request.user
        if person.is_authenticated and not may_run_the_farm(person):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return sign_in_required(guarded)
