"""Programmes: what waters, cools and feeds by itself, and why it did."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import SignedInRequest
from farm.access import farm_member_required
from farm.models import Rule, Zone
from farm.problem_words import problem_sentence
from farm.rule_forms import FORMS, RuleForm
from farm.selectors import rules
from farm.services import automation, rule_changes
from farm.services.rule_checks import doubts_of

require_form = require_http_methods(["GET", "HEAD", "POST"])


@require_GET
@farm_member_required
@never_cache
def farm_rules(request: SignedInRequest) -> HttpResponse:
    """Show all programmes, and the way to a new one."""
    context = {
        "rules": rules.rule_list(now=timezone.now()),
        "zones": rules.zones_to_choose(),
        "kinds": Rule.Kind.choices,
        "here": "rules",
    }
    return render(request, "farm/rules.html", context)


@require_GET
@farm_member_required
@never_cache
def farm_rule(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one programme: what it is set to, what it waits for, what it decided and why."""
    rule = get_object_or_404(rules.known_rules(), pk=pk)
    with_idle = request.GET.get("tatca") == "1"
    context = {
        "rule": rules.show_rule(rule, now=timezone.now()),
        "decisions": rules.latest_decisions(rule, with_idle=with_idle),
        "with_idle": with_idle,
        "here": "rules",
    }
    return render(request, "farm/rule.html", context)


@require_POST
@farm_member_required
def farm_rule_switch(request: SignedInRequest, pk: int) -> HttpResponse:
    """Switch a programme on or off, whatever the button said when the page was shown."""
    rule = get_object_or_404(rules.standing_rules(), pk=pk)
    is_on = request.POST.get("bat") == "1"
    rule = automation.change_rule(rule=rule, by=request.user, at=timezone.now(), is_enabled=is_on)
    said = _("“%(name)s” is on.") if is_on else _("“%(name)s” is off.")
    messages.success(request, said % {"name": rule})
    for doubt in doubts_of(rule, list(rule.outputs.all())) if is_on else ():
        messages.warning(request, problem_sentence(doubt))
    return redirect("farm_rule", pk=pk)


@require_form
@farm_member_required
@never_cache
def farm_rule_change(request: SignedInRequest, pk: int) -> HttpResponse:
    """Set a programme anew; commands that it made before are not sent any more."""
    rule = get_object_or_404(rules.standing_rules(), pk=pk)
    form = FORMS[rule.kind](request.POST or None, zone=rule.zone, rule=rule)
    if request.method == "POST" and form.is_valid():
        automation.change_rule(rule=rule, by=request.user, at=timezone.now(), **_fields(form))
        messages.success(request, _("Saved."))
        return redirect("farm_rule", pk=pk)
    context = {"rule": rule, "zone": rule.zone, "form": form, "here": "rules"}
    return render(request, "farm/rule_form.html", context)


@require_form
@farm_member_required
@never_cache
def farm_rule_archive(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask once, then take a programme off the lists for good."""
    rule = get_object_or_404(rules.known_rules(), pk=pk)
    if request.method == "POST":
        rule_changes.archive_rule(rule=rule, by=request.user, at=timezone.now())
        messages.success(request, _("“%(name)s” is off the list.") % {"name": rule})
        return redirect("farm_rules")
    return render(request, "farm/rule_archive.html", {"rule": rule, "here": "rules"})


@require_form
@farm_member_required
@never_cache
def farm_rule_add(request: SignedInRequest, kind: str) -> HttpResponse:
    """Add a programme of a kind to the zone in ?gian=."""
    if kind not in FORMS:
        raise Http404
    asked = request.GET.get("gian", "")
    zone = get_object_or_404(Zone, pk=asked if asked.isdecimal() else 0, is_active=True)
    form = FORMS[kind](request.POST or None, zone=zone)
    if request.method == "POST" and form.is_valid():
        rule = automation.add_rule(
            zone=zone, kind=kind, by=request.user, at=timezone.now(), **_fields(form)
        )
        messages.success(request, _("Saved."))
        return redirect("farm_rule", pk=rule.pk)
    context = {"zone": zone, "kind": Rule.Kind(kind).label, "form": form, "here": "rules"}
    return render(request, "farm/rule_form.html", context)


def _fields(form: RuleForm) -> dict[str, Any]:
    return {
        "name": form.cleaned_data["name"],
        "outputs": list(form.cleaned_data["outputs"]),
        "sensor": form.sensor_meant(),
        "parameters": form.parameters(),
    }
