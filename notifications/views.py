"""The inbox of a person who signed in."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.access import SignedInRequest, sign_in_required
from notifications import selectors, services

PAGE_LENGTH = 20


@require_GET
@sign_in_required
def inbox(request: SignedInRequest) -> HttpResponse:
    """Show the messages, the latest first."""
    page = Paginator(selectors.inbox_of(request.user), PAGE_LENGTH).get_page(
        request.GET.get("trang")
    )
    return render(request, "notifications/inbox.html", {"page": page})


@require_POST
@sign_in_required
def inbox_read(request: SignedInRequest) -> HttpResponse:
    """Take the "new" mark off every message."""
    services.mark_inbox_read(user=request.user, at=timezone.now())
    return redirect("inbox")
