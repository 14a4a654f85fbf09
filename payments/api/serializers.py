"""The bodies and answers of the partners' API as the schema shows them (docs/openapi.yaml)."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from payments.api import bodies
from payments.models import Biller, Reversal, UnappliedMoney
from payments.models.ledger import Channel

PRINTABLE = r"^[\x21-\x7e]([\x20-\x7e]{0,78}[\x21-\x7e])?$"


class FieldProblem(serializers.Serializer[object]):
    field = serializers.CharField()
    detail = serializers.CharField()


class ProblemOut(serializers.Serializer[object]):
    """RFC 9457 problem document. Programs read `code` and `retry`, people read `detail`."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    code = serializers.CharField()
    retry = serializers.ChoiceField(choices=["never", "after_fix", "later", "same_key"])
    trace_id = serializers.CharField()
    errors = FieldProblem(many=True, required=False)  # type: ignore[assignment]  # a field of the document, not DRF's property


class CustomerCodeOut(serializers.Serializer[object]):
    label = serializers.CharField()  # type: ignore[assignment]  # a field of the answer, not DRF's
    pattern = serializers.CharField()


class SettlementAccountOut(serializers.Serializer[object]):
    bank_bin = serializers.CharField()
    number = serializers.CharField()
    name = serializers.CharField()


class BillerOut(serializers.Serializer[object]):
    code = serializers.CharField()
    name = serializers.CharField()
    service = serializers.ChoiceField(choices=Biller.Service.values)
    amount_rule = serializers.ChoiceField(choices=Biller.AmountRule.values)
    customer_code = CustomerCodeOut()
    settlement_account = SettlementAccountOut()


class BillersOut(serializers.Serializer[object]):
    billers = BillerOut(many=True)


class InquiryIn(serializers.Serializer[object]):
    """Either `payment_code`, or `biller` and `customer_code`."""

    payment_code = serializers.CharField(required=False, max_length=40)
    biller = serializers.CharField(required=False, max_length=20)
    customer_code = serializers.CharField(required=False, max_length=40)
    amount = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=bodies.MAX_AMOUNT,
        help_text=(
            "What the payer wants to pay; 422 answers that the biller takes no such amount."
        ),
    )


class OwedBillOut(serializers.Serializer[object]):
    payment_code = serializers.CharField()
    biller = serializers.CharField()
    biller_name = serializers.CharField()
    reference = serializers.CharField()
    customer_code = serializers.CharField()
    payer_name_masked = serializers.CharField()
    period = serializers.CharField()
    due_date = serializers.DateField(allow_null=True)
    status = serializers.ChoiceField(choices=["open", "part_paid"])
    amount = serializers.IntegerField()
    paid = serializers.IntegerField()
    balance = serializers.IntegerField()
    amount_rule = serializers.ChoiceField(choices=Biller.AmountRule.values)
    min_amount = serializers.IntegerField()
    max_amount = serializers.IntegerField()


class InquiryOut(serializers.Serializer[object]):
    inquiry_id = serializers.UUIDField()
    valid_until = serializers.DateTimeField()
    nothing_due = serializers.BooleanField()
    bills = OwedBillOut(many=True)


class PaymentIn(serializers.Serializer[object]):
    """Money that has moved. What fits no bill is booked as unapplied money, never refused."""

    bank_ref = serializers.RegexField(
        PRINTABLE, help_text="The bank's own reference of this movement; books it exactly once."
    )
    amount = serializers.IntegerField(
        min_value=1, max_value=bodies.MAX_AMOUNT, help_text="Whole đồng."
    )
    paid_at = serializers.DateTimeField(help_text="ISO 8601 with offset.")
    payment_code = serializers.CharField(
        required=False, help_text="If missing or misspelt, the code is looked for in the memo."
    )
    memo = serializers.CharField(required=False, help_text="Transfer message as the bank has it.")
    channel = serializers.CharField(
        required=False,
        help_text="One of " + ", ".join(Channel.values) + "; anything else counts as other.",
    )
    payer_account_masked = serializers.CharField(required=False)
    inquiry_id = serializers.UUIDField(required=False)


class AllocationOut(serializers.Serializer[object]):
    payment_code = serializers.CharField(allow_null=True)
    applied = serializers.IntegerField()
    unapplied = serializers.IntegerField()
    unapplied_reason = serializers.ChoiceField(
        choices=UnappliedMoney.Reason.values, allow_null=True
    )


class ReceiptOut(serializers.Serializer[object]):
    number = serializers.CharField()
    url = serializers.URLField()


class PaymentOut(serializers.Serializer[object]):
    id = serializers.UUIDField()
    bank_ref = serializers.CharField()
    status = serializers.ChoiceField(choices=["booked", "reversed"])
    amount = serializers.IntegerField()
    allocation = AllocationOut()
    receipt = ReceiptOut(allow_null=True)
    paid_at = serializers.DateTimeField()
    booked_at = serializers.DateTimeField()
    reversed_at = serializers.DateTimeField(allow_null=True)


class PaymentsOut(serializers.Serializer[object]):
    payments = PaymentOut(many=True)


class ReversalIn(serializers.Serializer[object]):
    """`bank_ref` is that of the payment: it binds the signed body to it."""

    bank_ref = serializers.RegexField(PRINTABLE)
    reason_code = serializers.ChoiceField(choices=Reversal.ReasonCode.values)
    note = serializers.CharField(required=False, max_length=200)


class ReversalOut(serializers.Serializer[object]):
    id = serializers.UUIDField()
    payment_id = serializers.UUIDField()
    reason_code = serializers.ChoiceField(choices=Reversal.ReasonCode.values)
    note = serializers.CharField()
    reversed_at = serializers.DateTimeField()


BANK_REF = OpenApiParameter(
    "bank_ref",
    OpenApiTypes.STR,
    required=True,
    pattern=PRINTABLE,
    description="The bank's reference.",
)
SIGNED = [
    OpenApiParameter(
        "Idempotency-Key",
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        required=True,
        pattern=r"^[\x21-\x7e]{1,80}$",
        description="The bank's id of this call; a repeat gets the first answer.",
    ),
    OpenApiParameter(
        "X-Signature",
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        description='`t=<unix>,v1=<hex HMAC-SHA256 of "<t>.<body>">`; this or X-JWS-Signature.',
    ),
    OpenApiParameter(
        "X-JWS-Signature",
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        description="Detached JWS (RFC 7515 appendix F, RFC 7797), EdDSA, header with kid and iat.",
    ),
]


def _problems(sentence_by_status: dict[int, str]) -> dict[tuple[int, str], OpenApiResponse]:
    everywhere = {
        401: "No valid token, or no valid signature where one is needed",
        403: "The token does not allow this call",
        429: "Too many calls; see Retry-After",
        500: "Our fault; send the same call again",
        503: "Not available now; send the same call again",
    }
    return {
        (status, "application/problem+json"): OpenApiResponse(ProblemOut, description=sentence)
        for status, sentence in sorted((everywhere | sentence_by_status).items())
    }


_INPUT = {
    400: "Malformed",
    413: "Body over 16 KiB",
    415: "Not application/json",
}
PROBLEMS_OF_READS = _problems({})
PROBLEMS_OF_READS_WITH_INPUT = _problems({400: "Malformed"})
PROBLEMS_OF_ONE = _problems({404: "You have reported no such payment"})
PROBLEMS_OF_INQUIRIES = _problems(
    _INPUT
    | {
        404: "No such bill or customer",
        409: "The bill is paid or cancelled",
        422: "The biller takes no such amount",
    }
)
PROBLEMS_OF_WRITES = _problems(_INPUT | {422: "The key stands for another report"})
PROBLEMS_OF_REVERSALS = _problems(
    _INPUT
    | {
        404: "You have reported no such payment",
        409: "Taken back before, or the money was returned to the payer",
        422: "After the day of booking, another reference, or the key stands for another report",
    }
)
