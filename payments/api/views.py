"""The partner banks' API: ask what is owed, report money that moved, take a report back."""

import hashlib
import json
import logging
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.views import APIView

from common import ratelimit
from common.errors import DomainError
from common.ids import uuid7
from common.net import client_ip
from payments.api import answers, auth, bodies, serializers
from payments.api.problems import Problem, ProblemError, problem_response, refuse
from payments.models import ApiCall, BankPartner, Biller, Payment
from payments.services import inquiries
from payments.services.booking import record_payment
from payments.services.calls import NOBODY, Caller
from payments.services.reversals import ReversalReport, reverse_payment

logger = logging.getLogger(__name__)
KEY = re.compile(r"[\x21-\x7e]{1,80}")
ANONYMOUS_PER_MINUTE = 120
INQUIRY_LIFETIME = timedelta(minutes=15)
TO_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Answer(HttpResponse):
    """A JSON answer; `code` is the word for it in the log, `subject` what it is about."""

    def __init__(
        self, document: Any, *, status: int = 200, code: str = "answered", subject: str = ""
    ) -> None:
        super().__init__(TO_JSON(document).encode(), "application/json", status=status)
        self.code = code
        self.subject = subject
        self.is_logged = False


class PartnerView(APIView):
    """One call of a partner: token, limit, size, signature, body, answer, log.

    It is an APIView for its schema only: Django REST framework's own dispatch costs several
    times what these calls do (bench/), so `dispatch` goes straight to the handler.
    """

    scope: ClassVar[str] = "bills:read"
    must_sign: ClassVar[bool] = False

    session: auth.Session | None
    at: datetime

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer the call; whatever happens, the answer is JSON with a code."""
        started = time.perf_counter()
        self.session = None
        self.at = timezone.now()
        try:
            response = self._call(request, *args, **kwargs)
        except ProblemError as error:
            response = problem_response(request, error.problem)
            self._log(
                request, status=error.problem.status, code=error.problem.code, started=started
            )
        except DomainError as error:
            response = problem_response(request, Problem.of(error))
            self._log(request, status=error.http_status, code=error.code, started=started)
        except (DatabaseError, InterfaceError):
            logger.exception("the database did not answer a partner's call")
            _let_go_of_a_dead_session()
            response = problem_response(
                request,
                Problem(503, "not-available", _("Please send the same call again."), "same_key"),
            )
        except Exception:
            logger.exception("a partner's call failed")
            response = problem_response(
                request, Problem(500, "internal", _("Please send the same call again."), "same_key")
            )
        else:
            if isinstance(response, Answer) and not response.is_logged:
                self._log(
                    request,
                    status=response.status_code,
                    code=response.code,
                    subject=response.subject,
                    started=started,
                )
        return response

    def _call(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        method = (request.method or "").lower()
        handler: Callable[..., HttpResponse] | None = getattr(self, method, None)
        if method not in {"get", "post"} or handler is None:
            raise refuse(405, "method-not-allowed", _("This address does not take this method."))
        session = self.session = auth.authenticate(request)
        partner = session.partner
        wait = ratelimit.take(f"partner:{partner.code}", limit=partner.requests_per_minute)
        if wait:
            raise ProblemError(Problem.rate_limited(wait))
        if self.scope not in session.scopes:
            raise refuse(403, "scope-missing", _("The access token does not allow this call."))
        if method == "post":
            kwargs["body"] = self._body(request, session)
        return handler(request, *args, **kwargs)

    def _body(self, request: HttpRequest, session: auth.Session) -> bytes:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > bodies.MAX_BYTES:
            raise refuse(413, "too-large", _("A body may have 16 KiB at most."))
        if request.content_type != "application/json":
            raise refuse(415, "not-json", _("Send application/json."), retry="after_fix")
        body: bytes = request.read(int(length))  # its size is known, so `body` need not look again
        if self.must_sign:
            auth.check_signature(request, session=session, body=body)
        return body

    @property
    def partner(self) -> BankPartner:
        """The partner whose token was read; handlers run after that only."""
        if self.session is None:
            raise refuse(401, "token-missing", _("Send an access token: Authorization: Bearer …"))
        return self.session.partner

    def _caller(self, request: HttpRequest) -> Caller:
        return Caller(
            request.META.get("REQUEST_ID", ""), request.path[:120], client_ip(request) or None
        )

    def _log(
        self, request: HttpRequest, *, status: int, code: str, started: float, subject: str = ""
    ) -> None:
        caller = self._caller(request)
        if self.session is None:
            logger.warning("refused call: %s %s %s", status, code, caller.path)
            if ratelimit.take(f"anonymous:{caller.ip}", limit=ANONYMOUS_PER_MINUTE):
                return
        try:
            ApiCall.objects.create(
                at=self.at,
                partner=self.session.partner if self.session else None,
                request_id=caller.request_id,
                method=(request.method or "")[:7],
                path=caller.path,
                subject=subject[:80],
                status=status,
                code=code[:40],
                ip=caller.ip,
                microseconds=int((time.perf_counter() - started) * 1_000_000),
            )
        except (DatabaseError, InterfaceError):
            logger.exception("a partner's call could not be logged: %s %s", status, code)
            _let_go_of_a_dead_session()


def _let_go_of_a_dead_session() -> None:
    """Give this thread a new database session next time, if the one it has is broken."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def idempotency_key(request: HttpRequest) -> str:
    """Read the Idempotency-Key header (IETF draft-06: missing is 400)."""
    key: str = request.META.get("HTTP_IDEMPOTENCY_KEY", "")
    if not KEY.fullmatch(key):
        raise refuse(
            400,
            "idempotency-key-missing",
            _("Send Idempotency-Key: 1 to 80 printable ASCII characters."),
            retry="after_fix",
        )
    return key


def not_modified_or(request: HttpRequest, answer: Answer) -> HttpResponse:
    """Give a read an ETag, and 304 to whoever has that answer already."""
    etag = f'"{hashlib.sha256(answer.content).hexdigest()[:32]}"'
    if request.META.get("HTTP_IF_NONE_MATCH") == etag:
        unchanged = HttpResponse(status=304)
        unchanged["ETag"] = etag
        return unchanged
    answer["ETag"] = etag
    return answer


class BillersView(PartnerView):
    @extend_schema(
        operation_id="list_billers",
        summary="Billers, how their customers are named, which amounts they take",
        description=(
            "Billers that residents pay through this portal. Ask again once a day; the answer "
            "carries an ETag."
        ),
        responses={200: serializers.BillersOut, **serializers.PROBLEMS_OF_READS},
    )
    def get(self, request: HttpRequest) -> HttpResponse:
        billers = Biller.objects.filter(is_active=True).select_related("bank").order_by("code")
        return not_modified_or(
            request, Answer({"billers": [answers.biller(biller) for biller in billers]})
        )


class InquiriesView(PartnerView):
    @extend_schema(
        operation_id="create_inquiry",
        summary="Ask what is owed, before money moves",
        description=(
            "The only call that may refuse. Show the payer the masked name and the amounts it "
            "answers. The answer holds for 15 minutes as a hint; a payment after that is still "
            "booked."
        ),
        request=serializers.InquiryIn,
        responses={200: serializers.InquiryOut, **serializers.PROBLEMS_OF_INQUIRIES},
    )
    def post(self, request: HttpRequest, *, body: bytes) -> HttpResponse:
        asked = bodies.inquiry(body)
        # An amount can only be judged here, so the lookup cannot log the answer by itself.
        is_logged = asked.amount is None
        answer = self._look_up(asked, caller=self._caller(request) if is_logged else NOBODY)
        if isinstance(answer, Problem):
            if is_logged:
                return problem_response(request, answer)
            raise ProblemError(answer)
        response = Answer(
            {
                "inquiry_id": str(uuid7()),
                "valid_until": (self.at + INQUIRY_LIFETIME).isoformat(),
                "nothing_due": not answer,
                "bills": answer,
            },
            subject=(asked.payment_code or f"{asked.biller}/{asked.customer_code}"),
        )
        response.is_logged = is_logged
        return response

    def _look_up(self, asked: bodies.InquiryBody, *, caller: Caller) -> answers.Owed | Problem:
        partner = self.partner
        if asked.payment_code:
            bill = inquiries.ask_by_payment_code(
                code=asked.payment_code, partner=partner, caller=caller, at=self.at
            )
            return answers.one_bill(bill, amount=asked.amount)
        bills = inquiries.ask_by_customer(
            biller=asked.biller,
            customer_code=asked.customer_code,
            partner=partner,
            caller=caller,
            at=self.at,
        )
        return answers.bills_of_customer(bills)


class PaymentsView(PartnerView):
    must_sign = True

    @property
    def scope(self) -> str:  # type: ignore[override]  # reads need less than writes
        return "payments:write" if self.request.method == "POST" else "bills:read"

    @extend_schema(
        operation_id="create_payment",
        summary="Report that money has moved; it is always booked",
        description=(
            "Send it once the money has moved, and again until an answer arrives: the same "
            "Idempotency-Key with the same body gets the first answer (200 and Idempotency- "
            "Replayed: true). Over, under and late amounts are booked; what fits no bill is "
            "answered with its unapplied_reason and looked after by the commune."
        ),
        parameters=serializers.SIGNED,
        request=serializers.PaymentIn,
        responses={
            201: serializers.PaymentOut,
            200: serializers.PaymentOut,
            **serializers.PROBLEMS_OF_WRITES,
        },
    )
    def post(self, request: HttpRequest, *, body: bytes) -> HttpResponse:
        key = idempotency_key(request)
        booking = record_payment(
            partner=self.partner,
            key=key,
            report=bodies.payment(body),
            at=self.at,
            caller=self._caller(request),
        )
        response = Answer(
            answers.booking(booking),
            status=200 if booking.is_replay else 201,
            code="replayed" if booking.is_replay else "booked",
            subject=booking.bank_ref,
        )
        response.is_logged = True  # with the booking, in one transaction
        if booking.is_replay:
            response["Idempotency-Replayed"] = "true"
        response["Location"] = f"/api/payments/v1/payments/{booking.payment_id}"
        return response

    @extend_schema(
        operation_id="find_payments",
        summary="Did you get it? Payments by the bank's own reference",
        description="An empty list means that nothing was booked under this reference.",
        parameters=[serializers.BANK_REF],
        responses={200: serializers.PaymentsOut, **serializers.PROBLEMS_OF_READS_WITH_INPUT},
    )
    def get(self, request: HttpRequest) -> HttpResponse:
        bank_ref = request.GET.get("bank_ref", "")
        if not bodies.REFERENCE.fullmatch(bank_ref):
            raise refuse(400, "malformed", _("Ask with ?bank_ref=…"), retry="after_fix")
        found = Payment.objects.of_partner(self.partner).filter(bank_ref=bank_ref)
        payments = [answers.payment(payment) for payment in answers.with_details(found)]
        return not_modified_or(request, Answer({"payments": payments}, subject=bank_ref))


class PaymentView(PartnerView):
    @extend_schema(
        operation_id="get_payment",
        summary="One payment as it stands now",
        description="Its status tells whether it was taken back.",
        responses={200: serializers.PaymentOut, **serializers.PROBLEMS_OF_ONE},
    )
    def get(self, request: HttpRequest, payment_id: UUID) -> HttpResponse:
        own = Payment.objects.of_partner(self.partner)
        payment = answers.with_details(own.filter(pk=payment_id)).first()
        if payment is None:
            raise refuse(404, "payment-not-found", _("You have reported no such payment."))
        return not_modified_or(request, Answer(answers.payment(payment), subject=payment.bank_ref))


class ReversalsView(PartnerView):
    scope = "payments:write"
    must_sign = True

    @extend_schema(
        operation_id="create_reversal",
        summary="Take a payment back on its day of booking",
        description=(
            "On the day of booking (Asia/Ho_Chi_Minh) only. Whatever the payment paid is open "
            "again; its receipt no longer counts."
        ),
        parameters=serializers.SIGNED,
        request=serializers.ReversalIn,
        responses={
            201: serializers.ReversalOut,
            200: serializers.ReversalOut,
            **serializers.PROBLEMS_OF_REVERSALS,
        },
    )
    def post(self, request: HttpRequest, payment_id: UUID, *, body: bytes) -> HttpResponse:
        key = idempotency_key(request)
        said = bodies.reversal(body)
        own = Payment.objects.of_partner(self.partner).filter(pk=payment_id).first()
        if own is not None and own.bank_ref != said.bank_ref:
            raise refuse(
                422,
                "bank-ref-differs",
                _("The payment has another bank reference."),
                retry="after_fix",
            )
        result = reverse_payment(
            partner=self.partner,
            key=key,
            report=ReversalReport(str(payment_id), said.reason_code, said.note),
            at=self.at,
        )
        response = Answer(
            answers.reversal(result.reversal),
            status=200 if result.is_replay else 201,
            code="replayed" if result.is_replay else "reversed",
            subject=said.bank_ref,
        )
        if result.is_replay:
            response["Idempotency-Replayed"] = "true"
        return response


def not_found(request: HttpRequest) -> HttpResponse:
    """Answer an address that the API does not have."""
    return problem_response(
        request,
        Problem(
            404,
            "no-such-address",
            _("See %(address)s.") % {"address": f"{settings.PUBLIC_URL}/api/docs/"},
        ),
    )
