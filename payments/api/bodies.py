"""Reading what partners send: strict about meaning, plain about what is wrong.

Hand-written because two of the three bodies are on the hot path (bench/); the serializers
beside describe the same bodies for the schema, and a test holds the two together.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.utils.translation import gettext as _

from payments.api.problems import Problem, ProblemError
from payments.models import Reversal
from payments.models.ledger import Channel
from payments.services.booking import PaymentReport

MAX_BYTES = 16 * 1024
MAX_AMOUNT = 999_999_999_999
MEMO_KEPT = 500
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
REFERENCE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,78}[\x21-\x7e])?")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)")
CHANNELS = frozenset(Channel.values)


class InquiryBody(NamedTuple):
    """What is asked: one bill by its payment code, or a customer of a biller."""

    payment_code: str
    biller: str
    customer_code: str
    amount: int | None


class ReversalBody(NamedTuple):
    """What a bank says when it takes a payment back; the reference binds it to the payment."""

    bank_ref: str
    reason_code: str
    note: str


class _Fields:
    """A JSON object being read; what is wrong is collected, so that it is told all at once."""

    def __init__(self, raw: bytes) -> None:
        self.errors: list[tuple[str, str]] = []
        self.values = _json_object(raw)

    def text(self, name: str, *, limit: int, required: bool = False) -> str:
        value = self.values.get(name)
        if value is None or value == "":
            if required:
                self.errors.append((name, _("is missing")))
            return ""
        if not isinstance(value, str):
            self.errors.append((name, _("must be text")))
            return ""
        if not value.isprintable() and CONTROL.search(value):
            self.errors.append((name, _("holds characters that no text holds")))
            return ""
        if len(value) > limit:
            self.errors.append((name, _("is longer than %(limit)s characters") % {"limit": limit}))
            return ""
        return value

    def reference(self, name: str) -> str:
        value = self.text(name, limit=80, required=True)
        if value and not REFERENCE.fullmatch(value):
            self.errors.append((name, _("must be 1 to 80 printable ASCII characters")))
        return value

    def amount(self, name: str, *, required: bool = True) -> int | None:
        value = self.values.get(name)
        if value is None and not required:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.errors.append((name, _("must be a whole number of đồng")))
            return 0
        if not 0 < value <= MAX_AMOUNT:
            self.errors.append((name, _("must be between 1 and %(limit)s") % {"limit": MAX_AMOUNT}))
            return 0
        return value

    def moment(self, name: str) -> datetime:
        value = self.text(name, limit=40, required=True)
        moment = _moment(value)
        if moment is None:
            if value:
                self.errors.append((name, _("must be a moment like 2026-11-22T07:30:00+07:00")))
            return datetime.min.replace(tzinfo=UTC)
        return moment

    def lenient_text(self, name: str) -> str:
        """Read what does not change the money: anything is taken, what no text holds is dropped."""
        value = self.values.get(name, "")
        if isinstance(value, str) and value.isprintable():
            return value
        return CONTROL.sub("", "" if value is None else str(value))

    def settle(self) -> None:
        """Raise what was found wrong, all of it together."""
        if self.errors:
            raise ProblemError(
                Problem(
                    400,
                    "malformed",
                    _("The body does not say what this call needs."),
                    "after_fix",
                    tuple(self.errors),
                )
            )


def inquiry(raw: bytes) -> InquiryBody:
    """Read the body of POST /inquiries. Raises ProblemError 400."""
    fields = _Fields(raw)
    body = InquiryBody(
        fields.text("payment_code", limit=40),
        fields.text("biller", limit=20),
        fields.text("customer_code", limit=40),
        fields.amount("amount", required=False),
    )
    if not body.payment_code and not (body.biller and body.customer_code):
        fields.errors.append(("payment_code", _("is missing; or ask by biller and customer_code")))
    fields.settle()
    return body


def payment(raw: bytes) -> PaymentReport:
    """Read the body of POST /payments. Raises ProblemError 400.

    What does not change the money is taken as well as it can be: an unknown channel becomes
    `other`, a long memo is cut. Money that moved must not bounce for a word too many.
    """
    fields = _Fields(raw)
    channel = fields.lenient_text("channel")
    report = PaymentReport(
        bank_ref=fields.reference("bank_ref"),
        amount=fields.amount("amount") or 0,
        paid_at=fields.moment("paid_at"),
        channel=channel if channel in CHANNELS else Channel.OTHER.value,
        payment_code=fields.lenient_text("payment_code")[:MEMO_KEPT],
        memo=fields.lenient_text("memo")[:MEMO_KEPT],
        payer_account_masked=fields.lenient_text("payer_account_masked")[:40],
        inquiry_id=_uuid_or_empty(fields.lenient_text("inquiry_id")),
    )
    fields.settle()
    return report


def reversal(raw: bytes) -> ReversalBody:
    """Read the body of POST /payments/{id}/reversals. Raises ProblemError 400."""
    fields = _Fields(raw)
    body = ReversalBody(
        fields.reference("bank_ref"),
        fields.text("reason_code", limit=16, required=True),
        fields.text("note", limit=200),
    )
    if body.reason_code and body.reason_code not in Reversal.ReasonCode.values:
        fields.errors.append(
            (
                "reason_code",
                _("must be one of: %(codes)s") % {"codes": ", ".join(Reversal.ReasonCode.values)},
            )
        )
    fields.settle()
    return body


def _json_object(raw: bytes) -> dict[str, Any]:
    try:
        value = FROM_JSON(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ProblemError(
            Problem(400, "malformed", _("The body is not valid JSON."), "after_fix")
        ) from error
    if not isinstance(value, dict):
        raise ProblemError(
            Problem(400, "malformed", _("The body must be a JSON object."), "after_fix")
        )
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return values


FROM_JSON = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_no_repeats).decode


def _moment(text: str) -> datetime | None:
    if not MOMENT.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text.upper())
        year = moment.astimezone(UTC).year
    except (ValueError, OverflowError):
        return None
    return moment if 2000 <= year <= 2100 else None


def _uuid_or_empty(text: str) -> str:
    try:
        return str(UUID(text)) if text else ""
    except ValueError:
        return ""
