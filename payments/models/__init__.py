"""The tables of payments, one module per group; Django looks for them here."""

from payments.models.api import ApiCall, BankPartner, PartnerKey
from payments.models.bills import (
    Bank,
    Bill,
    Biller,
    BillImport,
    BillImportProblem,
    CustomerLink,
    ImportProfile,
)
from payments.models.ledger import (
    Account,
    Entry,
    Payment,
    Posting,
    Receipt,
    ReceiptNotice,
    ReceiptSeries,
    Reversal,
    UnappliedMoney,
)
from payments.models.slips import SlipRun

__all__ = [
    "Account",
    "ApiCall",
    "Bank",
    "BankPartner",
    "Bill",
    "BillImport",
    "BillImportProblem",
    "Biller",
    "CustomerLink",
    "Entry",
    "ImportProfile",
    "PartnerKey",
    "Payment",
    "Posting",
    "Receipt",
    "ReceiptNotice",
    "ReceiptSeries",
    "Reversal",
    "SlipRun",
    "UnappliedMoney",
]
