"""The roles that people hold in a commune; each is a Django group made by a migration."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """A group's name, and what people call it."""

    CHAIRPERSON = "chairperson", _("Chairperson of the commune")
    ONE_STOP_CLERK = "one_stop_clerk", _("One-stop clerk")
    FINANCE_OFFICER = "finance_officer", _("Finance officer")
    CASHIER = "cashier", _("Cashier")
    VILLAGE_HEAD = "village_head", _("Village head")
    POLICE_OFFICER = "police_officer", _("Police officer")
    COOPERATIVE_MEMBER = "cooperative_member", _("Cooperative member")
    DIGITAL_TEAM_MEMBER = "digital_team_member", _("Digital-team member")
    AUDITOR = "auditor", _("Auditor")


# People who work in the village or the greenhouse, on pages of their own: no back office needed.
FIELD_ROLES = frozenset({Role.VILLAGE_HEAD, Role.COOPERATIVE_MEMBER, Role.DIGITAL_TEAM_MEMBER})

# App label, action, model: what each role may do in the back office.
READ_MONEY = tuple(
    ("payments", "view", model)
    for model in (
        "bill", "biller", "bank", "receipt", "payment", "reversal", "unappliedmoney", "entry",
        "posting", "account", "billimport", "sliprun", "bankpartner", "apicall", "importprofile",
        "customerlink",
    )
)  # fmt: skip
READ_PEOPLE = (
    ("residents", "view", "household"),
    ("residents", "view", "resident"),
    ("addresses", "view", "village"),
    ("addresses", "view", "commune"),
)
FARM_SETUP = (
    "greenhouse", "zone", "node", "channel", "output", "watch", "alarmlimit", "cropprofile",
    "cropstage",
)  # fmt: skip
FARM_RECORDS = ("batch", "harvest", "costentry", "labourentry", "command", "decision", "alarm")
READ_FARM = tuple(("farm", "view", model) for model in FARM_SETUP + FARM_RECORDS)
RUN_FARM = READ_FARM + tuple(
    ("farm", action, model) for model in FARM_SETUP for action in ("add", "change")
)
PERMISSIONS: dict[Role, tuple[tuple[str, str, str], ...]] = {
    Role.CHAIRPERSON: READ_MONEY + READ_PEOPLE + READ_FARM,
    Role.ONE_STOP_CLERK: (
        *READ_PEOPLE,
        ("payments", "view", "bill"),
        ("payments", "view", "receipt"),
        ("residents", "change", "household"),
        ("residents", "change", "resident"),
        ("residents", "add", "household"),
        ("residents", "add", "resident"),
        ("residents", "add", "registerimport"),
        ("residents", "view", "registerimport"),
    ),
    Role.FINANCE_OFFICER: (
        *READ_MONEY,
        *READ_PEOPLE,
        ("payments", "add", "biller"),
        ("payments", "change", "biller"),
        ("payments", "add", "bank"),
        ("payments", "change", "bank"),
        ("payments", "add", "importprofile"),
        ("payments", "change", "importprofile"),
        ("payments", "add", "customerlink"),
        ("payments", "change", "customerlink"),
        ("payments", "delete", "customerlink"),
        ("payments", "add", "billimport"),
        ("payments", "change", "bill"),
        ("payments", "change", "unappliedmoney"),
        ("payments", "add", "sliprun"),
    ),
    Role.CASHIER: (
        ("payments", "view", "bill"),
        ("payments", "view", "biller"),
        ("payments", "view", "receipt"),
        ("payments", "view", "unappliedmoney"),
        ("payments", "view", "sliprun"),
        ("payments", "add", "sliprun"),
    ),
    Role.VILLAGE_HEAD: (),
    Role.POLICE_OFFICER: READ_PEOPLE,
    Role.COOPERATIVE_MEMBER: RUN_FARM,
    Role.DIGITAL_TEAM_MEMBER: (),
    Role.AUDITOR: READ_MONEY + READ_PEOPLE + READ_FARM,
}
