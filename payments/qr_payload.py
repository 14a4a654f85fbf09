"""What the QR picture of a bill says to a banking app."""

from django.utils.translation import gettext_lazy as _

from payments.errors import BillNotPayableError
from payments.models import Bill
from payments.vietqr import Transfer, encode


def bill_payload(bill: Bill) -> str:
    """Write the VietQR of what is still owed on a bill, the payment code being its memo.

    Needs `biller__bank` loaded, or it costs queries. Raises BillNotPayableError for a bill that is
    paid or cancelled, VietQRError when the biller's bank number or account cannot be written.
    """
    if bill.status not in (Bill.Status.OPEN, Bill.Status.PART_PAID):
        raise BillNotPayableError(_("This bill is no longer payable."))
    biller = bill.biller
    return encode(
        Transfer(
            bank_bin=biller.bank.bin,
            account=biller.account_number,
            amount_vnd=bill.balance,
            memo=bill.payment_code,
        )
    )
