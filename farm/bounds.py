"""What the numbers of growing can be: a value beyond is a fault and counts as not known.

Where a sensor measures it, the bounds are those of farm/plausibility.py; those of the weather
stand in farm/fao56.py.
"""

from collections.abc import Sequence
from typing import TypeAlias, TypeGuard

from farm.plausibility import POSSIBLE

Bounds: TypeAlias = tuple[float, float]

AIR, LEAF = POSSIBLE["air_temperature"], POSSIBLE["leaf_temperature"]
HUMIDITY = POSSIBLE["relative_humidity"]
SENSED_PPFD = POSSIBLE["ppfd"]  # the sensor's zero may lie below 0
PPFD: Bounds = (0, SENSED_PPFD[1])
HOURS: Bounds = (0, 24)  # of one day
# W/m²: as many as the most PPFD makes; the sun gives 1361 above the air.
SUNLIGHT: Bounds = (0, 2_500)
LONGEST_GAP_SECONDS = 86_400.0  # between two readings of light: after a day there was a night
LIGHT_SUM: Bounds = (0, 1e6)  # J/cm²: 200 days of the 50 MJ/m² that the pole gets at most
CROP_FACTOR: Bounds = (0, 3)  # as for a programme; FAO-56 table 12 ends at 1.25
DEMAND: Bounds = (0, 1e4)  # L/m²: of that light, that factor, measured under a film
DRAIN_AIM: Bounds = (0, 90)  # %: beyond, a shot is more than ten times what plants take
DRAIN: Bounds = (0, 200)  # %: twice as much out as in is another's water or a wrong meter
LITRES: Bounds = (0, 1e8)
TANK: Bounds = (1e-3, 1e8)  # litres: from a thimble to a pond of five hectares
FLOW = POSSIBLE["flow"]
EC, PH, WATER = POSSIBLE["ec"], POSSIBLE["ph"], POSSIBLE["water_temperature"]
EC_AIM: Bounds = (0.01, EC[1])  # what is thinner is rain or distilled water
PH_MOVE: Bounds = (-PH[1], PH[1])
# EC or pH that a ml in a litre moves: a programme may be told 0.001 to 50 and learn four times.
SLOPE: Bounds = (1e-4, 1e3)
ML: Bounds = (0, 1e14)  # all that such a tank, EC and slope can ask for
PART: Bounds = (0, 1)
LEVEL: Bounds = (0, 100)  # %: how strong a fan or lamp is
STEP: Bounds = (-200, 200)  # J/cm² or %: what a threshold or its tolerance may move by


def within(values: Sequence[float | None], *bounds: Bounds) -> TypeGuard[Sequence[float]]:
    """Tell whether all are known and possible; NaN is neither, as it is in no order.

    >>> within((25, 5.8), WATER, PH), within((25, None), WATER, PH), within((-999,), AIR)
    (True, False, False)
    """
    return all(
        value is not None and low <= value <= high
        for value, (low, high) in zip(values, bounds, strict=True)
    )
