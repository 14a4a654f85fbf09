"""A batch's report, and the labels and codes for what was picked."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.access import SignedInRequest
from common import qr
from farm.access import farm_member_required
from farm.batch_labels import render_labels, trace_url
from farm.batch_report import render_report
from farm.models import Batch
from farm.selectors import batches as selectors

PNG_SCALE = 16


@require_GET
@farm_member_required
@never_cache
def report(request: SignedInRequest, code: str) -> HttpResponse:
    """Hand out the report."""
    batch = _batch(code)
    now = timezone.now()
    pdf = render_report(
        selectors.batch_page(batch, on=timezone.localdate(now)),
        book=selectors.book_of(batch),
        traced=_traced(batch),
        at=now,
    )
    return _file(pdf, "application/pdf", f"bao-cao-{batch.code}.pdf")


@require_GET
@farm_member_required
@never_cache
def labels(request: SignedInRequest, code: str) -> HttpResponse:
    """Hand out a sheet of labels."""
    batch = _batch(code)
    return _file(render_labels(_traced(batch)), "application/pdf", f"tem-{batch.code}.pdf")


@require_GET
@farm_member_required
def qr_svg(request: SignedInRequest, code: str) -> HttpResponse:
    """Draw the code of the public page as SVG."""
    batch = _batch(code)
    picture = qr.svg(trace_url(batch.token), title=_("Code that leads to how this grew"))
    return _file(picture, "image/svg+xml", f"qr-{batch.code}.svg")


@require_GET
@farm_member_required
def qr_png(request: SignedInRequest, code: str) -> HttpResponse:
    """Draw the code of the public page as PNG, to save on a phone."""
    batch = _batch(code)
    picture = qr.png(trace_url(batch.token), scale=PNG_SCALE)
    return _file(picture, "image/png", f"qr-{batch.code}.png")


def _batch(code: str) -> Batch:
    return get_object_or_404(selectors.batches(), code=code)


def _traced(batch: Batch) -> selectors.Traced:
    traced = selectors.traced(batch.token)
    if traced is None:
        raise Http404
    return traced


def _file(content: bytes | str, content_type: str, name: str) -> HttpResponse:
    disposition = f'inline; filename="{name}"'
    return HttpResponse(
        content, content_type=content_type, headers={"Content-Disposition": disposition}
    )
