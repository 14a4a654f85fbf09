"""What is wrong with a programme's settings, in sentences made of the stable codes."""

import re
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from farm.words import measured, run_words

if TYPE_CHECKING:
    from farm.control.settings import Problem

# What a setting is called where no form does: by the form's own labels.
FIELDS: dict[str, str | Promise] = {
    "outputs": gettext_lazy("What it switches"),
    "sensor": gettext_lazy("It goes by this sensor"),
    "zone": gettext_lazy("Zone"),
    "times": gettext_lazy("At these times"),
    "sun": gettext_lazy("Sunrise and sunset"),
    "every.minutes": gettext_lazy("Or every … minutes"),
    "every.from": gettext_lazy("from"),
    "seconds": gettext_lazy("Each time so many minutes"),
    "litres": gettext_lazy("Litres"),
    "weekdays": gettext_lazy("Only on these days"),
    "on_at": gettext_lazy("On at"),
    "off_at": gettext_lazy("Off at"),
    "j_per_cm2": gettext_lazy("After so much light, J/cm²"),
    "daily_ml": gettext_lazy("Of each bottle a day, at most ml"),
    "most_ml": gettext_lazy("Fertiliser at a time, at most ml"),
}
PROBLEMS: dict[str, str | Promise] = {
    "missing": gettext_lazy("This is missing."),
    "unknown": gettext_lazy("Nobody knows this setting."),
    "not_a_number": gettext_lazy("This is no number."),
    "not_whole": gettext_lazy("This has to be a whole number."),
    "too_low": gettext_lazy("At least %(low)s."),
    "too_high": gettext_lazy("At most %(high)s."),
    "too_early": gettext_lazy("The end comes before the beginning."),
    "not_a_time": gettext_lazy("“%(value)s” is no time of the day."),
    "not_a_choice": gettext_lazy("This is not one of the choices."),
    "not_a_list": gettext_lazy("This has to be a list."),
    "not_an_object": gettext_lazy("This has to be a group of settings."),
    "not_yes_or_no": gettext_lazy("This is yes or no."),
    "not_between": gettext_lazy("The target has to lie between low and high."),
    "no_gap": gettext_lazy("On and off need a gap between them."),
    "other_house": gettext_lazy("One of them stands in another greenhouse."),
    "doser": gettext_lazy("Fertiliser and acid are dosed by EC and pH only."),
    "no_place": gettext_lazy("The greenhouse has no place on the map yet."),
    "not_light": gettext_lazy("This does not measure light."),
    "no_area": gettext_lazy("Set litres or minutes, or the area of the zone."),
    "not_taken": gettext_lazy(
        "One of the outputs belongs to a device that cannot be told litres; set minutes."
    ),
    "not_counted": gettext_lazy(
        "One of the outputs has no flow meter, and nobody has set how much flows through it; "
        "set minutes, or its flow."
    ),
    "no_fertiliser": gettext_lazy("A doser for fertiliser A is missing."),
    "no_ph": gettext_lazy("A doser for pH is missing."),
    "no_dose_cap": gettext_lazy("Set the most ml a day of the zone first."),
    "not_fresh_water": gettext_lazy(
        "One of the valves brings no fresh water: a feeding programme cannot water."
    ),
    "doser_taken": gettext_lazy("The programme “%(rule)s” already doses with these pumps."),
    "tank_taken": gettext_lazy("The programme “%(rule)s” already feeds this tank."),
    "tank_split": gettext_lazy(
        "The programme “%(rule)s” already feeds this tank, and two programmes do not wait for each "
        "other until a dose is mixed in: write EC and pH into one programme."
    ),
    "longer_than_gap": gettext_lazy(
        "One turn of all outputs takes %(run)s, but the next turn comes %(gap)s after it begins."
    ),
    "impossible": gettext_lazy(
        "This sensor shows %(low)s to %(high)s, so the value never comes to that."
    ),
    "at_the_end": gettext_lazy(
        "This sensor shows %(low)s to %(high)s, so the value never goes beyond that limit."
    ),
    # What may be meant, and is asked.
    "also_driven": gettext_lazy("%(output)s is also driven by the programme “%(rule)s”."),
    "other_zone": gettext_lazy("%(output)s: in another zone, %(zone)s."),
    "perhaps_longer_than_gap": gettext_lazy(
        "Nobody has set how much flows through one of the outputs. A run may take %(run)s, but the "
        "next one comes %(gap)s after it begins and would be left out."
    ),
    "a_without_b": gettext_lazy(
        "Fertiliser A is dosed without B. That is right for a fertiliser of one part only."
    ),
    "waters_by_feed": gettext_lazy(
        "%(output)s waters the plants, and would open and shut by EC or pH."
    ),
    "sun_inside": gettext_lazy(
        "The sun is mostly measured outside: this sensor is said to hang inside."
    ),
}


def problem_words(problem: "Problem") -> str:
    """Say what is wrong with one setting, and which one it is."""
    place = without_numbers(problem.field)
    called = {"field": FIELDS.get(place, place), "problem": problem_sentence(problem)}
    return _("%(field)s: %(problem)s") % called


def problem_sentence(problem: "Problem") -> str:
    """Say what is wrong with one setting, to be read beside its field."""
    sentence = PROBLEMS.get(problem.code, PROBLEMS["unknown"])
    return str(sentence) % {name: _fact(problem, value) for name, value in problem.facts.items()}


def _fact(problem: "Problem", value: Any) -> str:
    """Say a bound: a length of time in minutes, as people fill it in; a value in its unit."""
    if not isinstance(value, int | float):
        return str(value)
    if problem.field.endswith("seconds"):
        return run_words(value)
    return measured(value, str(problem.facts.get("quantity", "")))


def without_numbers(field: str) -> str:
    """Name a setting without its place in a list.

    >>> without_numbers("sun.2.event")
    'sun.event'
    """
    return re.sub(r"\.\d+", "", field)
