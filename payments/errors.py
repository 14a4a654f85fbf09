"""The ways in which money and bills say no."""

from common.errors import DomainError


class BillHasMoneyError(DomainError):
    """The bill cannot be cancelled or lowered below what was paid on it."""

    code = "bill-has-money"


class BillNotPayableError(DomainError):
    """The bill takes no more money."""

    code = "bill-not-payable"


class IdempotencyKeyReusedError(DomainError):
    """The key or bank reference already stands for another report."""

    code = "idempotency-key-reused"


class PaymentNotFoundError(DomainError):
    """This partner has reported no such payment."""

    code = "payment-not-found"
    http_status = 404


class AlreadyReversedError(DomainError):
    """The payment was taken back before."""

    code = "already-reversed"
    http_status = 409


class ReversalWindowClosedError(DomainError):
    """A bank may take a payment back on the day of booking only."""

    code = "reversal-window-closed"


class ImportNotReadyError(DomainError):
    """The file cannot be taken over in the state it is in."""

    code = "import-not-ready"
    http_status = 409


class MoneyReturnedError(DomainError):
    """Part of the payment was already sent back to the payer, so the bank cannot take it back."""

    code = "money-returned"
    http_status = 409


class NothingLeftError(DomainError):
    """The unapplied money has been used up."""

    code = "nothing-left"
    http_status = 409
