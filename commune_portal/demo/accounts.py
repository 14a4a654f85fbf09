"""The people whom visitors of the demo can be. Everybody knows their passwords: demo only."""

from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.roles import Role

# One password for all officials of the demo; each has a second factor of their own.
PASSWORD: Final = "phu-loc-demo-2026"  # noqa: S105  # shown to every visitor, see the docstring


class DemoAccount(NamedTuple):
    """One account. Residents have no password: a one-time code opens theirs.

    `phone` is in the national form; the block 0990 000 xxx is valid by the numbering plan.
    `role` is a Role, or "" for residents; `totp_secret` is base 32 (RFC 6238), "" without.
    """

    phone: str
    full_name: str
    role: str
    password: str
    totp_secret: str
    about: str | Promise


RESIDENT_WITH_BILLS: Final = DemoAccount(
    "0990000001",
    "Lê Thị Hồng",
    "",
    "",
    "",
    _("Speaks for a household in Xuân Yên that has bills to pay and bills paid."),
)
RESIDENT_OF_TWO_HOUSEHOLDS: Final = DemoAccount(
    "0990000002",
    "Nguyễn Văn Thắng",
    "",
    "",
    "",
    _("Pays for his own household and for his parents' one."),
)
VILLAGE_HEAD: Final = DemoAccount(
    "0990000003",
    "Trần Văn Khoa",
    Role.VILLAGE_HEAD,
    "",
    "",
    _("Head of Xuân Yên; signs in with a one-time code like every villager."),
)
COOPERATIVE_MEMBER: Final = DemoAccount(
    "0990000004",
    "Lê Văn Tuấn",
    Role.COOPERATIVE_MEMBER,
    "",
    "",
    _("Grows lettuce and melons in the cooperative's two greenhouses, from a phone."),
)

OFFICIALS: Final = (
    DemoAccount(
        "0990000011",
        "Phạm Thị Thu Hà",
        Role.FINANCE_OFFICER,
        PASSWORD,
        "PHULOCDEMOTAICHINH22222222222222",
        _("Imports bills, prints slips, finds homes for money without a bill."),
    ),
    DemoAccount(
        "0990000012",
        "Bùi Thị Ngọc Lan",
        Role.ONE_STOP_CLERK,
        PASSWORD,
        "PHULOCDEMOMOTCUA3333333333333333",
        _("Keeps the register of households and residents."),
    ),
    DemoAccount(
        "0990000013",
        "Hoàng Đình Sơn",
        Role.CHAIRPERSON,
        PASSWORD,
        "PHULOCDEMOCHUTICH444444444444444",
        _("Reads everything, changes nothing; in an emergency may stop a greenhouse."),
    ),
    DemoAccount(
        "0990000014",
        "Vũ Thị Mai",
        Role.CASHIER,
        PASSWORD,
        "PHULOCDEMOTHUQUY5555555555555555",
        _("Looks up bills and prints slips at the counter."),
    ),
    DemoAccount(
        "0990000015",
        "Đỗ Quang Minh",
        Role.AUDITOR,
        PASSWORD,
        "PHULOCDEMOKIEMTOAN66666666666666",
        _("Reads the ledger, the receipts and the log of the banks' calls."),
    ),
)

DEMO_ACCOUNTS: Final = (
    RESIDENT_WITH_BILLS,
    RESIDENT_OF_TWO_HOUSEHOLDS,
    VILLAGE_HEAD,
    COOPERATIVE_MEMBER,
    *OFFICIALS,
)
