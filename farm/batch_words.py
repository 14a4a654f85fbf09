"""A batch's figures in words, the same on the page and on paper."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from common.text import vnd
from farm.batch_figures import Against, Comparison, Figures, Measure, Verdict, decimals_of
from farm.models import Batch, CostEntry, CropProfile, Harvest, LabourEntry
from farm.words import number


class Fact(NamedTuple):
    """A figure with its name; an empty `value` means that nobody noted it."""

    label: str
    value: str
    note: str = ""


class ComparedTo(NamedTuple):
    """A figure beside the batch's own, how that stands to it, and both in words."""

    value: str
    verdict: str
    words: str


class ComparisonRow(NamedTuple):
    """One line of the table of comparisons, and the answer to what the cooperative claims."""

    label: str
    own: str
    earlier: ComparedTo
    earlier_batches: str
    soil: ComparedTo
    soil_batches: str
    question: str
    answer: str
    answer_verdict: str


def variety_words(batch: Batch) -> str:
    """Name the variety without the crop's name, which stands before it."""
    crop, variety = batch.profile.name, batch.variety
    if variety.casefold().startswith(f"{crop} ".casefold()):
        return variety[len(crop) :].strip()
    return "" if variety.casefold() == crop.casefold() else variety


def title_of(batch: Batch) -> str:
    """Name what grows: crop and variety, "Dưa lưới Taki"."""
    return f"{batch.profile.name} {variety_words(batch)}".rstrip()


def no_figure() -> str:
    """Say that nothing is known."""
    return _("no figure yet")


def facts_of(figures: Figures) -> list[Fact]:
    """Name every figure of a batch."""
    so_far = "" if figures.is_final else _("so far")
    per_m2 = _maybe(figures.hours_per_m2, labour_words)
    return [
        Fact(_("Picked for sale"), _maybe(figures.kg, _kg), so_far),
        Fact(_("Not for sale"), _kg(figures.waste_kg) if figures.waste_kg else ""),
        Fact(_("Yield"), _maybe(figures.kg_per_m2, yield_words), so_far),
        Fact(_("Water used"), _maybe(figures.litres_per_kg, water_words), water_note(figures)),
        Fact(_("Costs"), _maybe(figures.cost_vnd, vnd), _per_kg(figures.cost_vnd_per_kg)),
        Fact(_("Sales"), _maybe(figures.revenue_vnd, vnd), _per_kg(figures.revenue_vnd_per_kg)),
        Fact(_("Sales less costs"), _maybe(figures.left_vnd, vnd), so_far),
        Fact(_("Labour"), _maybe(figures.hours, hours_words), per_m2),
        Fact(_("First harvest"), _maybe(figures.days_to_first_harvest, _after_sowing)),
        Fact(_("End"), _maybe(figures.days_to_end, _after_sowing)),
    ]  # fmt: skip


def rows_of(comparisons: Sequence[Comparison]) -> list[ComparisonRow]:
    """Give the table of comparisons in words."""
    return [_row(comparison) for comparison in comparisons]


def yield_words(kg_per_m2: float) -> str:
    return _("%(number)s kg/m²") % {"number": _figure(Measure.YIELD, kg_per_m2)}


def labour_words(hours_per_m2: float) -> str:
    return _("%(number)s hours/m²") % {"number": _figure(Measure.LABOUR, hours_per_m2)}


def water_words(litres_per_kg: float) -> str:
    return _("%(number)s L/kg") % {"number": _figure(Measure.WATER, litres_per_kg)}


def _figure(measure: Measure, value: float) -> str:
    return number(value, decimals_of(measure, value))


def days_words(days: float) -> str:
    """Say a number of days; a median can lie between two."""
    if days != int(days):
        return _("%(number)s days") % {"number": number(days, 1)}
    return ngettext("%(count)s day", "%(count)s days", int(days)) % {"count": int(days)}


def water_note(figures: Figures) -> str:
    """Say how far the figure for water may be believed."""
    if figures.litres is None:
        return _unknown_water(figures.unknown_runs)
    notes = [_("%(number)s litres in all") % {"number": number(figures.litres, 0)}]
    if figures.unknown_runs:
        notes.append(_unknown_water(figures.unknown_runs))
    if not figures.is_water_measured:
        notes.append(_("reckoned from running times, not measured"))
    if figures.is_water_shared:
        notes.append(_("shared by area with another batch of the zone"))
    return ", ".join(notes)


def _unknown_water(runs: int) -> str:
    if not runs:
        return ""
    return ngettext(
        "nobody can tell what %(count)s run gave", "nobody can tell what %(count)s runs gave", runs
    ) % {"count": runs}


def _row(comparison: Comparison) -> ComparisonRow:
    measure = comparison.measure
    label, question, own_words = _MEASURES[measure]
    earlier, soil = (
        _compared(comparison, against, own_words)
        for against in (comparison.earlier, comparison.soil)
    )
    answer, verdict = _answer(comparison, earlier, soil)
    own = _own(comparison, own_words)
    return ComparisonRow(
        label=label(),
        own=own,
        earlier=earlier,
        earlier_batches=_of_batches(comparison.earlier_count),
        soil=soil,
        soil_batches=_of_batches(comparison.soil_count),
        question=question(),
        answer=answer,
        answer_verdict=verdict,
    )


def _of_batches(count: int) -> str:
    """Say how many batches a median is of; "" when of none."""
    if not count:
        return ""
    return ngettext("of %(count)s batch", "of %(count)s batches", count) % {"count": count}


def _own(comparison: Comparison, words: Callable[[float], str]) -> str:
    if comparison.own is None:
        return no_figure()
    own = words(comparison.own)
    return own if comparison.is_settled else _("%(figure)s so far") % {"figure": own}


def _compared(
    comparison: Comparison, against: Against, words: Callable[[float], str]
) -> ComparedTo:
    value = no_figure() if against.value is None else words(against.value)
    return ComparedTo(value, against.verdict.value, _change(comparison.measure, against))


def _change(measure: Measure, against: Against) -> str:
    """Say by how much the batch's own figure is more or less; "" while that is not known."""
    if against.verdict == Verdict.UNKNOWN:
        return ""
    if against.verdict == Verdict.LEVEL:
        return _("about the same")
    if against.change_percent is None:  # beside 0, which there is no less than
        is_length = measure == Measure.FIRST_HARVEST
        return pgettext("compared", "longer") if is_length else pgettext("compared", "more")
    percent = {"percent": number(abs(against.change_percent), 0)}
    if measure == Measure.FIRST_HARVEST:
        longer, shorter = _("%(percent)s%% longer"), _("%(percent)s%% shorter")
    else:
        longer, shorter = _("%(percent)s%% more"), _("%(percent)s%% less")
    return (longer if against.change_percent > 0 else shorter) % percent


def _answer(comparison: Comparison, earlier: ComparedTo, soil: ComparedTo) -> tuple[str, str]:
    """Answer the claim: beside soil, which it is about, else beside earlier batches."""
    if comparison.own is None:
        return _("Nobody can say yet: %(what)s.") % {
            "what": _MISSING[comparison.measure]()
        }, "unknown"
    if not comparison.is_settled:
        return _("Nobody can say yet: the batch still grows."), "unknown"
    if comparison.lacks_harvest:
        return _("Nobody can say yet: %(what)s.") % {
            "what": _("no harvest for sale is noted")
        }, "unknown"
    if soil.words:
        return _ANSWERS[soil.verdict]() % {"than": _than_in_soil(soil)}, soil.verdict
    if earlier.words:
        return _ANSWERS[earlier.verdict]() % {"than": _than_earlier(earlier)}, earlier.verdict
    return _("Nobody can say yet: there is nothing to compare with."), "unknown"


def _than_earlier(earlier: ComparedTo) -> str:
    if earlier.verdict == Verdict.LEVEL:
        return _("about the same as earlier batches grown in the same way")
    return _("%(change)s than earlier batches grown in the same way") % {"change": earlier.words}


def _than_in_soil(soil: ComparedTo) -> str:
    if soil.verdict == Verdict.LEVEL:
        return _("about the same as in soil (%(value)s)") % {"value": soil.value}
    return _("%(change)s than in soil (%(value)s)") % {"change": soil.words, "value": soil.value}


_MEASURES: dict[Measure, tuple[Callable[[], str], Callable[[], str], Callable[[float], str]]] = {
    Measure.YIELD: (lambda: _("Yield"), lambda: _("Better yield?"), yield_words),
    Measure.FIRST_HARVEST: (
        lambda: _("Days to the first harvest"), lambda: _("Shorter growth?"), days_words
    ),
    Measure.LABOUR: (lambda: _("Labour"), lambda: _("Less labour?"), labour_words),
    Measure.WATER: (lambda: _("Water used"), lambda: _("Less water?"), water_words),
}  # fmt: skip
_MISSING: dict[Measure, Callable[[], str]] = {
    Measure.YIELD: lambda: _("no harvest for sale is noted"),
    Measure.FIRST_HARVEST: lambda: _("no harvest for sale is noted"),
    Measure.LABOUR: lambda: _("no hours are noted"),
    Measure.WATER: lambda: _("there is no figure of the water, or no harvest"),
}
_ANSWERS: dict[str, Callable[[], str]] = {
    Verdict.BETTER: lambda: _("Yes: %(than)s."),
    Verdict.LEVEL: lambda: _("Neither way: %(than)s."),
    Verdict.WORSE: lambda: _("No: %(than)s."),
}


def _maybe(value: float | None, words: Callable[..., str]) -> str:
    return "" if value is None else words(value)


def _kg(kg: float) -> str:
    return _("%(number)s kg") % {"number": number(kg, 1)}


def hours_words(hours: float) -> str:
    """Say hours as they are typed, in hours and minutes: a tenth of an hour is six of them."""
    whole, minutes = divmod(round(hours * 60), 60)
    if whole and minutes:
        return pgettext("hours and minutes", "%(hours)s h %(minutes)s min") % {
            "hours": number(whole, 0),
            "minutes": minutes,
        }
    if minutes:
        return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
    return ngettext("%(count)s hour", "%(count)s hours", whole) % {"count": number(whole, 0)}


def _per_kg(amount: float | None) -> str:
    return "" if amount is None else _("%(amount)s a kg") % {"amount": vnd(round(amount))}


def _after_sowing(days: int) -> str:
    return ngettext(
        "%(count)s day after sowing", "%(count)s days after sowing", days
    ) % {"count": days}  # fmt: skip


def stage_targets(stage: object, *, method: str = "") -> list[Fact]:
    """Name what a growth stage wants, leaving out what it says nothing about.

    What a crop in soil lives in is not the solution of a tank, so nothing is said of that.
    """
    facts = []
    for label, low, high, unit, decimals in _TARGETS:
        if method == Batch.Method.SOIL and high in _OF_THE_SOLUTION:
            continue
        band = _band(getattr(stage, low, None) if low else None, getattr(stage, high), decimals)
        if band:
            facts.append(Fact(label(), f"{band} {unit}".rstrip()))
    return facts


def _band(low: float | None, high: float | None, decimals: int) -> str:
    if high is None:
        return "" if low is None else number(low, decimals)
    if low is None:
        return number(high, decimals)
    return f"{number(low, decimals)}–{number(high, decimals)}"


_OF_THE_SOLUTION = frozenset({"ec_high", "ph_high", "water_high", "drain_percent"})
_TARGETS: tuple[tuple[Callable[[], str], str, str, str, int], ...] = (
    (lambda: _("EC"), "ec_low", "ec_high", "mS/cm", 1),
    (lambda: _("pH"), "ph_low", "ph_high", "", 1),
    (lambda: _("Air"), "air_low", "air_high", "°C", 0),
    (lambda: _("Humidity"), "humidity_low", "humidity_high", "%", 0),
    (lambda: _("VPD"), "vpd_low", "vpd_high", "kPa", 2),
    (lambda: _("Water at most"), "", "water_high", "°C", 0),
    (lambda: _("Light a day"), "", "dli", "mol/m²", 0),
    (lambda: _("Drain"), "", "drain_percent", "%", 0),
)


def day_words(day: date | None) -> str:
    """Write a day; "" without one."""
    return date_format(day, "SHORT_DATE_FORMAT") if day else ""


def entry_words(entry: Harvest | CostEntry | LabourEntry) -> tuple[str, str]:
    """Say what an entry is about, and how much."""
    if isinstance(entry, Harvest):
        kg = _kg(entry.kg)
        amount = f"{kg}, {vnd(entry.vnd)}" if entry.vnd else kg
        what = _("Harvest, %(grade)s") % {"grade": entry.get_grade_display()}
        return what, amount
    if isinstance(entry, CostEntry):
        return _cost_words(entry), vnd(entry.vnd)
    return entry.get_task_display(), hours_words(entry.hours)


def _cost_words(entry: CostEntry) -> str:
    """Name what money went for; of plant protection also how long picking has to wait."""
    kind = entry.get_kind_display()
    if entry.kind != CostEntry.Kind.PROTECTION:
        return kind
    days = entry.waiting_days
    if days is None:
        return _("%(kind)s, no waiting days noted") % {"kind": kind}
    said = ngettext("%(kind)s, %(count)s waiting day", "%(kind)s, %(count)s waiting days", days)
    return said % {"kind": kind, "count": days}


def soil_facts(profile: CropProfile) -> list[Fact]:
    """Name what is known of the crop in soil."""
    return [
        Fact(_("Yield"), _maybe(profile.soil_kg_per_m2, yield_words)),
        Fact(_("Days to the first harvest"), _maybe(profile.soil_days, days_words)),
        Fact(_("Labour"), _maybe(profile.soil_hours_per_m2, labour_words)),
        Fact(_("Water used"), _maybe(profile.soil_litres_per_kg, water_words)),
    ]
