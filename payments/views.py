"""What a household owes, how it pays, and the proof that it has."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.access import SignedInRequest, sign_in_required
from accounts.middleware import gave_second_factor
from accounts.models import User
from common import qr
from payments import payment_code, selectors
from payments.models import Bill, Receipt
from payments.qr_payload import bill_payload
from payments.receipt_pdf import render_receipt
from residents.models import Household

PAGE_LENGTH = 20
PNG_SCALE = 16  # about 700 pixels: sharp on a phone, and what banking apps read from the gallery
STILL_THE_SAME = 204


@require_GET
@sign_in_required
def bill_list(request: SignedInRequest) -> HttpResponse:
    """Show what the person's households still owe."""
    groups = selectors.household_bills(request.user)
    context = {
        "groups": groups,
        "count": sum(len(group.bills) for group in groups),
        "total": sum(group.total for group in groups),
        "has_household": bool(groups) or Household.objects.visible_to(request.user).exists(),
    }
    return render(request, "payments/bill_list.html", context)


@require_GET
@sign_in_required
def paid_bill_list(request: SignedInRequest) -> HttpResponse:
    """Show settled bills; htmx asks for the rows of the next page."""
    page = Paginator(selectors.paid_bills(request.user), PAGE_LENGTH).get_page(
        request.GET.get("trang")
    )
    template = "payments/_paid_bill_rows.html" if request.htmx else "payments/paid_bill_list.html"
    return render(request, template, {"page": page})


@require_GET
@sign_in_required
@never_cache
def bill_detail(request: SignedInRequest, code: str) -> HttpResponse:
    """Show one bill, with all that is needed to pay it."""
    return render(request, "payments/bill.html", _bill_context(_visible_bill(request.user, code)))


@require_GET
@never_cache
def bill_state(request: HttpRequest, code: str) -> HttpResponse:
    """Answer the open page, which asks every few seconds: 204 while nothing has changed.

    The page names the state it shows in `da`. Somebody whose session has ended gets a full
    reload, because a redirect would put the sign-in page in the place of the bill.
    """
    person = request.user
    if not person.is_authenticated:
        return HttpResponse(headers={"HX-Refresh": "true"})
    bill = _visible_bill(person, code)
    if request.GET.get("da") == _state(bill):
        return HttpResponse(status=STILL_THE_SAME)
    return render(request, "payments/_bill.html", _bill_context(bill))


@require_GET
@sign_in_required
def bill_qr_svg(request: SignedInRequest, code: str) -> HttpResponse:
    """Draw the bill's QR as SVG."""

    def draw(payload: str) -> str:
        return qr.svg(payload, title=_("VietQR code of this bill"))

    return _picture(request, code, draw, "image/svg+xml")


@require_GET
@sign_in_required
def bill_qr_png(request: SignedInRequest, code: str) -> HttpResponse:
    """Draw the bill's QR as PNG, the kind that phones save and banking apps open."""

    def draw(payload: str) -> bytes:
        return qr.png(payload, scale=PNG_SCALE)

    return _picture(request, code, draw, "image/png")


@require_GET
@sign_in_required
def receipt_list(request: SignedInRequest) -> HttpResponse:
    """Show the receipts of the person's households."""
    receipts = Paginator(selectors.receipts_of(request.user), PAGE_LENGTH)
    page = receipts.get_page(request.GET.get("trang"))
    template = "payments/_receipt_rows.html" if request.htmx else "payments/receipt_list.html"
    return render(request, template, {"page": page})


@require_GET
@never_cache
def receipt_check(request: HttpRequest, token: str) -> HttpResponse:
    """Confirm a receipt to whoever holds it, without saying whose it is."""
    receipt = get_object_or_404(selectors.all_receipts(), token=token)
    context = {
        "receipt": receipt,
        "is_void": selectors.is_void(receipt),
        "may_open_pdf": _may_open(request, receipt),
    }
    response = render(request, "payments/receipt_check.html", context)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@require_GET
@sign_in_required
@never_cache
def receipt_pdf(request: SignedInRequest, token: str) -> HttpResponse:
    """Hand the receipt to people of the household, and to officials who may see receipts."""
    receipt = get_object_or_404(selectors.all_receipts(), token=token)
    if not _may_open(request, receipt):
        raise Http404
    return HttpResponse(
        render_receipt(receipt),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="bien-lai-{receipt}.pdf"'},
    )


def _visible_bill(person: User, code: str) -> Bill:
    return get_object_or_404(
        selectors.visible_bills(person), payment_code=payment_code.normalise(code)
    )


def _may_open(request: HttpRequest, receipt: Receipt) -> bool:
    person = request.user
    if not person.is_authenticated:
        return False
    is_official = person.has_perm("payments.view_receipt") and gave_second_factor(request)
    return is_official or selectors.receipts_of(person).filter(pk=receipt.pk).exists()


def _bill_context(bill: Bill) -> dict[str, Any]:
    is_payable = bill.status in {Bill.Status.OPEN, Bill.Status.PART_PAID}
    return {
        "bill": bill,
        "is_payable": is_payable,
        "state": _state(bill),
        "receipts": selectors.valid_receipts().filter(bill=bill) if bill.paid else (),
        "bank_links": selectors.bank_app_links(bill) if is_payable else (),
    }


def _state(bill: Bill) -> str:
    """Name what the page shows; another language is another page."""
    return f"{bill.status}-{bill.paid}-{bill.amount}-{get_language()}"


def _picture(
    request: SignedInRequest, code: str, draw: Callable[[str], str | bytes], content_type: str
) -> HttpResponse:
    """Answer with the picture of a payable bill; a picture of a settled one would be paid twice."""
    bill = _visible_bill(request.user, code)
    if bill.status not in {Bill.Status.OPEN, Bill.Status.PART_PAID}:
        raise Http404
    payload = bill_payload(bill)
    etag = f'"{sha256(payload.encode()).hexdigest()}"'
    answer = get_conditional_response(request, etag=etag)
    response = answer or HttpResponse(draw(payload), content_type=content_type)
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response
