"""What anybody may read about produce with our code on it: where, when and how it grew."""

from hashlib import sha256

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from farm.batch_labels import grower_of
from farm.selectors.batches import Traced, traced


@require_GET
def trace(request: HttpRequest, token: str) -> HttpResponse:
    """Tell how a batch grew; a browser that has the page gets "not modified"."""
    found = traced(token) if token.isascii() and token.isalnum() else None
    if found is None:
        return render(request, "farm/trace_unknown.html", status=404)
    grower = grower_of(found)
    etag = f'"{_mark(request, found, grower)}"'
    answer = get_conditional_response(request, etag=etag)
    response = answer or render(
        request, "farm/trace.html", {"traced": found, "batch": found.batch, "grower": grower}
    )
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    response["X-Robots-Tag"] = "noindex, nofollow"
    patch_vary_headers(response, ["Cookie"])
    return response


def _mark(request: HttpRequest, found: Traced, grower: str) -> str:
    """Name what the page shows: the batch, the language, whose header, and which style sheet."""
    batch, zone = found.batch, found.batch.zone
    shown = (
        batch.updated_at,
        batch.profile.name,
        zone.name,
        zone.greenhouse.name,
        str(zone.greenhouse.village),
        grower,
        found[1:],
        get_language(),
        request.user.pk,
        static("css/site.css"),
    )
    return sha256(repr(shown).encode()).hexdigest()
