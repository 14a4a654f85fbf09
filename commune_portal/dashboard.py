"""The first page and the menu of the back office: each official sees what they may open."""

from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from payments import overview

Words = str | Promise


class Place(NamedTuple):
    """One entry of the menu: where it leads, and the permission that opens it."""

    title: Words
    icon: str
    url_name: str
    permission: str


MENU: tuple[tuple[Words, tuple[Place, ...]], ...] = (
    (
        _("Work"),
        (
            Place(
                _("Unapplied money"),
                "help_center",
                "payments_unappliedmoney_changelist",
                "payments.view_unappliedmoney",
            ),
            Place(
                _("Bill imports"),
                "upload_file",
                "payments_billimport_changelist",
                "payments.view_billimport",
            ),
            Place(_("Slips"), "print", "payments_sliprun_changelist", "payments.view_sliprun"),
        ),
    ),
    (
        _("Bills"),
        (
            Place(_("Bills"), "receipt_long", "payments_bill_changelist", "payments.view_bill"),
            Place(
                _("Receipts"),
                "task",
                "payments_receipt_changelist",
                "payments.view_receipt",
            ),
            Place(_("Billers"), "store", "payments_biller_changelist", "payments.view_biller"),
            Place(
                _("Customer codes"),
                "link",
                "payments_customerlink_changelist",
                "payments.view_customerlink",
            ),
            Place(_("Banks"), "account_balance", "payments_bank_changelist", "payments.view_bank"),
        ),
    ),
    (
        _("Books"),
        (
            Place(
                _("Payments"), "payments", "payments_payment_changelist", "payments.view_payment"
            ),
            Place(_("Reversals"), "undo", "payments_reversal_changelist", "payments.view_reversal"),
            Place(_("Ledger"), "menu_book", "payments_entry_changelist", "payments.view_entry"),
            Place(_("Postings"), "list", "payments_posting_changelist", "payments.view_posting"),
            Place(
                _("Accounts in the ledger"),
                "folder",
                "payments_account_changelist",
                "payments.view_account",
            ),
        ),
    ),
    (
        _("Population"),
        (
            Place(
                _("Households"),
                "home",
                "residents_household_changelist",
                "residents.view_household",
            ),
            Place(
                _("Residents"), "groups", "residents_resident_changelist", "residents.view_resident"
            ),
            Place(
                _("Register imports"),
                "upload_file",
                "residents_registerimport_changelist",
                "residents.view_registerimport",
            ),
            Place(
                _("Villages"),
                "location_on",
                "addresses_village_changelist",
                "addresses.view_village",
            ),
            Place(_("Communes"), "map", "addresses_commune_changelist", "addresses.view_commune"),
        ),
    ),
    (
        _("Greenhouses"),
        (
            Place(
                _("Greenhouses"),
                "potted_plant",
                "farm_greenhouse_changelist",
                "farm.view_greenhouse",
            ),
            Place(_("Zones"), "grid_view", "farm_zone_changelist", "farm.view_zone"),
            Place(_("Controllers"), "memory", "farm_node_changelist", "farm.view_node"),
            Place(_("Sensors"), "sensors", "farm_channel_changelist", "farm.view_channel"),
            Place(_("Outputs"), "toggle_on", "farm_output_changelist", "farm.view_output"),
            Place(
                _("Crop profiles"), "eco", "farm_cropprofile_changelist", "farm.view_cropprofile"
            ),
            Place(_("Batches"), "yard", "farm_batch_changelist", "farm.view_batch"),
            Place(_("Commands"), "send", "farm_command_changelist", "farm.view_command"),
            Place(_("Alarms"), "notifications", "farm_alarm_changelist", "farm.view_alarm"),
        ),
    ),
    (
        _("Links to banks"),
        (
            Place(
                _("Partner banks"),
                "handshake",
                "payments_bankpartner_changelist",
                "payments.view_bankpartner",
            ),
            Place(
                _("Calls by banks"),
                "history",
                "payments_apicall_changelist",
                "payments.view_apicall",
            ),
        ),
    ),
    (
        _("Administration"),
        (
            Place(_("Accounts"), "person", "accounts_user_changelist", "accounts.view_user"),
            Place(
                _("Messages"),
                "mail",
                "notifications_message_changelist",
                "notifications.view_message",
            ),
        ),
    ),
)
WORK_LIST = "payments_unappliedmoney_changelist"


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Build the menu; what a person may not open is not there. At most one query."""
    groups: list[dict[str, Any]] = [
        {
            "items": [
                {
                    "title": _("Overview"),
                    "icon": "dashboard",
                    "link": reverse("admin:index"),
                }
            ]
        }
    ]
    for title, places in MENU:
        items = [_item(place) for place in places if request.user.has_perm(place.permission)]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def _item(place: Place) -> dict[str, Any]:
    item: dict[str, Any] = {
        "title": place.title,
        "icon": place.icon,
        "link": reverse(f"admin:{place.url_name}"),
    }
    if place.url_name == WORK_LIST and (waiting := overview.unapplied().sums):
        item |= {"badge": waiting, "badge_variant": "warning", "badge_style": "solid"}
    return item


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """Lead to the person's own pages, where passwords and second factors are kept."""
    return [
        {"title": _("Change password"), "link": reverse("account_change_password")},
        {"title": _("Second factor"), "link": reverse("mfa_index")},
    ]


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures of the first page that the person may see. Four queries at most."""
    now = timezone.localtime()
    context["month"] = now
    if request.user.has_perm("payments.view_payment"):
        context["collected"] = overview.collected_since(_month_begins(now))
    if request.user.has_perm("payments.view_bill"):
        context["owing"] = overview.owing(on=now.date())
    if request.user.has_perm("payments.view_unappliedmoney"):
        context["unapplied"] = overview.unapplied()
    if request.user.has_perm("payments.view_billimport"):
        context["imports"] = overview.last_imports()
    context["title"] = _("Overview")
    context["commune"] = settings.PORTAL_NAME
    return context


def _month_begins(now: datetime) -> datetime:
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
