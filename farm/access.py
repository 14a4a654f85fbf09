"""Who may see the greenhouses, and who runs them: the cooperative; the commune looks on."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from accounts.access import sign_in_required
from accounts.models import User
from accounts.roles import Role

RUN_ROLES = frozenset({Role.COOPERATIVE_MEMBER})
SEE_ROLES = RUN_ROLES | {Role.CHAIRPERSON}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def may_see_the_farm(person: User) -> bool:
    """Whether the person works in the greenhouses or leads the commune. At most one query."""
    return bool(_roles(person) & SEE_ROLES)


def may_run_the_farm(person: User) -> bool:
    """Whether the person works in the greenhouses, and so may switch. At most one query."""
    return bool(_roles(person) & RUN_ROLES)


def farm_member_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let whoever may see the farm look, and only who runs it change something (403).

    A stranger is sent to the sign-in. Pages find `request.may_run_the_farm`.
    """
    return _guarded(view, open_to_viewers=SAFE_METHODS)


def farm_members_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Guard a page that is nothing but a form: whoever only looks does not get it."""
    return _guarded(view, open_to_viewers=frozenset())


def farm_viewer_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Guard what everybody may do who sees the farm: stop it, and say that an alarm was seen."""
    return _guarded(view, open_to_viewers=SAFE_METHODS | {"POST"})


def _guarded(
    view: Callable[..., HttpResponse], *, open_to_viewers: frozenset[str]
) -> Callable[..., HttpResponse]:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = request.user
        if person.is_authenticated:
            roles = _roles(person)
            request.may_run_the_farm = bool(roles & RUN_ROLES)  # type: ignore[attr-defined]  # for templates
            if not roles & (SEE_ROLES if request.method in open_to_viewers else RUN_ROLES):
                raise PermissionDenied
        return view(request, *args, **kwargs)

    return sign_in_required(guarded)


def _roles(person: User) -> set[str]:
    """Give the person's roles on the farm; who may do everything has all of them."""
    if person.is_superuser:
        return set(SEE_ROLES)
    return set(person.groups.filter(name__in=SEE_ROLES).values_list("name", flat=True))
