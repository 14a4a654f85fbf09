"""Partners' calls as the log keeps them: who called, what about, how it was answered."""

from datetime import datetime
from typing import NamedTuple

from payments.models import ApiCall, BankPartner


class Caller(NamedTuple):
    """Who reports, for the log of calls; empty for reports that came by no call."""

    request_id: str = ""
    path: str = ""
    ip: str | None = None


NOBODY = Caller()


def log_call(
    *,
    status: int,
    code: str,
    subject: str,
    partner: BankPartner,
    caller: Caller,
    at: datetime,
) -> None:
    """Write down a POST with its answer, unless `caller` has no request id.

    The database functions of PostgreSQL write the same row by themselves.
    """
    if not caller.request_id:
        return
    ApiCall.objects.create(
        at=at,
        partner=partner,
        request_id=caller.request_id,
        method="POST",
        path=caller.path,
        subject=subject[:80],
        status=status,
        code=code,
        ip=caller.ip,
    )
