"""A member's own keys for the API: made, shown once, taken back."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import SignedInRequest
from farm.access import farm_member_required, farm_viewer_required
from farm.selectors.api_tokens import tokens_of
from farm.services import api_tokens
from farm.token_forms import TokenForm


@require_http_methods(["GET", "HEAD", "POST"])
@farm_member_required
@never_cache
def farm_tokens(request: SignedInRequest) -> HttpResponse:
    """List one's keys; a new one's secret stands on this answer and nowhere else."""
    form = TokenForm(request.POST or None)
    secret = ""
    if request.method == "POST" and form.is_valid():
        made = api_tokens.make_token(
            user=request.user,
            name=form.cleaned_data["name"],
            days=form.cleaned_data["days"],
            at=timezone.now(),
        )
        form, secret = TokenForm(), made.secret
    context = {
        "form": form,
        "secret": secret,
        "tokens": tokens_of(request.user),
        "now": timezone.now(),
        "here": "devices",
    }
    return render(request, "farm/api_tokens.html", context)


@require_POST
@farm_viewer_required
def farm_token_revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take one of one's own keys back."""
    token = get_object_or_404(tokens_of(request.user), pk=pk)
    api_tokens.revoke_token(token=token, at=timezone.now())
    messages.success(request, _("The key opens nothing any more."))
    return redirect("farm_tokens")
