"""What cannot have been measured makes no number: not of air, light, water nor feed."""

import math
from inspect import getmembers, isfunction, signature

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from farm import agronomy, fao56, safety
from tests.farm.test_agronomy import UCCLE

BAD = (math.nan, math.inf, -math.inf, -999.0, -9999.0)
anything = st.one_of(st.floats(), st.sampled_from(BAD), st.floats(-1, 30), st.floats(-300, 300))
anything_or_nothing = st.none() | anything


def public_functions(module):
    return {
        name: function
        for name, function in getmembers(module, isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }


# The least and the most that each may answer, whatever it is asked.
ANSWERS = {
    "vapour_pressure_deficit_kpa": (-48, 48),
    "daily_light_integral_mol": (0, 432),
    "sunlight_w_per_m2": (-5, 2_432),
    "reference_evapotranspiration_mm": (0, 500),
    "water_demand_litres_per_m2": (0, 8_400),
    "shot_litres_per_m2": (0, 100_001),
    "drain_percent": (0, 200),
    "next_threshold_j_per_cm2": (100, 200),
    "ec_at_25_celsius": (0, 334),
    "fertiliser_ml": (0, 1e14),
    "acid_or_base_ml": (0, 1.4e13),
    "bounded_dose_ml": (0, 5e13),
    "ph_step": (-0.3, 0.3),
    "dilution_litres": (0, 1e12),
    "mixing_seconds": (0, 2_592_000),
    "learned_slope": (8.5e-5, 1_300),
}
STEPS = {
    "saturation_vapour_pressure_kpa": (0.01, 48),
    "atmospheric_pressure_kpa": (31, 107),
    "psychrometric_constant_kpa_per_celsius": (0.02, 0.072),
    "saturation_slope_kpa_per_celsius": (0.001, 2),
    "mean_saturation_kpa": (0.01, 48),
    "actual_vapour_pressure_kpa": (0, 48),
    "wind_at_2_m": (0, 168),
    "extraterrestrial_radiation_mj_per_m2": (0, 50),
    "daylight_hours": (0, 24),
    "solar_radiation_mj_per_m2": (0, 37.5),
    "clear_sky_radiation_mj_per_m2": (0, 47),
    "net_shortwave_mj_per_m2": (0, 38.5),
    "net_longwave_mj_per_m2": (-51, 27),
}
# These promise a number to the programmes that call them.
ALWAYS_A_NUMBER = {"next_threshold_j_per_cm2", "learned_slope"}


def test_each_function_has_its_bounds_here():
    assert set(public_functions(agronomy)) == {*ANSWERS, "light_sum_j_per_cm2"}
    assert set(public_functions(fao56)) == set(STEPS)


def arguments(function, values):
    """Draw a value for each parameter, so that those of a call differ."""
    return {
        name: st.booleans() if parameter.annotation is bool else values
        for name, parameter in signature(function).parameters.items()
    }


@pytest.mark.parametrize("name", sorted(ANSWERS))
@given(st.data())
def test_any_measurement_gives_nothing_or_a_sane_number(name, data):
    function = getattr(agronomy, name)
    values = anything if name in ALWAYS_A_NUMBER else anything_or_nothing

    answer = function(**data.draw(st.fixed_dictionaries(arguments(function, values))))

    low, high = ANSWERS[name]
    assert low <= answer <= high if answer is not None else name not in ALWAYS_A_NUMBER


@given(st.data())
def test_any_possible_weather_gives_a_sane_evapotranspiration(data):
    low_high = {**fao56.BOUNDS, "wind_measured_at_m": fao56.BOUNDS["measured_at_m"]}
    weather = {name: data.draw(st.floats(*low_high[name])) for name in UCCLE}
    for what in ("air_{}_celsius", "humidity_{}_percent"):
        most, least = what.format("max"), what.format("min")
        weather[most], weather[least] = sorted((weather[most], weather[least]), reverse=True)

    assert 0 <= agronomy.reference_evapotranspiration_mm(**weather) <= 500


@pytest.mark.parametrize("name", sorted(STEPS))
@given(st.data())
def test_any_possible_value_gives_a_step_of_fao56_a_sane_number(name, data):
    step = getattr(fao56, name)
    values = [data.draw(st.floats(*fao56.BOUNDS[given])) for given in signature(step).parameters]

    low, high = STEPS[name]
    assert low <= step(*values) <= high


@pytest.mark.parametrize("name", sorted(STEPS))
@pytest.mark.parametrize("bad", BAD)
def test_a_step_of_fao56_says_which_value_cannot_be(name, bad):
    step = getattr(fao56, name)
    middle = {given: sum(fao56.BOUNDS[given]) / 2 for given in signature(step).parameters}

    for given_name in middle:
        with pytest.raises(ValueError, match=f"^{given_name} is {bad}, not from "):
            step(**middle | {given_name: bad})
    with pytest.raises(ValueError, match=" is "):
        step(*[bad for _ in middle])


@given(
    st.lists(st.tuples(anything | st.floats(0, 1e5), anything | st.floats(0, 1500)), max_size=30),
    anything,
)
@example([(0.0, 500.0), (1e300, 500.0)], math.inf)
def test_any_light_adds_up_to_a_sane_number(samples, longest):
    joules = agronomy.light_sum_j_per_cm2(samples, longest_gap_seconds=longest)

    # A day of the most light for each pair.
    assert 0 <= joules <= 21_600 * len(samples)


@given(anything_or_nothing, anything_or_nothing)
def test_any_tank_and_flow_give_a_wait_of_a_minute_to_a_month(tank, flow):
    assert 60 <= safety.mixing_seconds(tank, flow) <= 2_592_000


@pytest.mark.parametrize(
    ("tank", "flow", "seconds"),
    [
        (400, 20, 2400.0),
        (400, 0, 2_592_000.0),  # standing water never mixes
        (400, 0.001, 2_592_000.0),
        (400, 10_000, 60.0),
        (400, None, 900.0),
        (400, -5, 900.0),
        (400, math.nan, 900.0),
        (400, math.inf, 900.0),
        (0, 20, 900.0),
        (0, 0, 900.0),
        (-3, 20, 900.0),
        (None, 20, 900.0),
        (math.nan, 20, 900.0),
        (math.inf, 20, 900.0),
    ],
)
def test_a_flow_that_is_not_known_is_no_fast_one(tank, flow, seconds):
    assert safety.mixing_seconds(tank, flow) == seconds


@pytest.mark.parametrize(
    ("air", "humidity", "leaf"),
    [
        (-999, 60, None), (-237.3, 60, None), (80.1, 60, None), (-40.1, 60, None),
        (25, 105.1, None), (25, -0.1, None), (25, math.nan, None), (25, math.inf, None),
        (25, 60, math.nan), (25, 60, -999), (25, 60, -237.3), (25, 60, math.inf),
    ],
)  # fmt: skip
def test_air_and_leaf_that_cannot_be_make_no_deficit(air, humidity, leaf):
    assert agronomy.vapour_pressure_deficit_kpa(air, humidity, leaf) is None


def test_air_and_leaf_at_their_bounds_make_a_deficit():
    deficit = agronomy.vapour_pressure_deficit_kpa

    assert deficit(-40, 105) == 0
    assert deficit(80, 0) == pytest.approx(47.5, abs=0.05)
    assert deficit(25, 60, 25) == deficit(25, 60)


@pytest.mark.parametrize(
    "change",
    [
        {"humidity_min_percent": -10}, {"humidity_max_percent": 150}, {"wind_m_per_s": -1},
        {"wind_m_per_s": 116}, {"wind_measured_at_m": 0}, {"wind_measured_at_m": 0.09},
        {"wind_measured_at_m": math.nan}, {"wind_measured_at_m": None},
        {"air_max_celsius": 12, "air_min_celsius": 13}, {"humidity_max_percent": 62},
        {"air_max_celsius": -999}, {"air_min_celsius": -237.3}, {"latitude_degrees": 95},
        {"latitude_degrees": -999}, {"elevation_m": 50_000}, {"elevation_m": -999},
        {"day_of_year": 400}, {"day_of_year": 0}, {"day_of_year": None},
        {"sunshine_hours": -1}, {"sunshine_hours": 25}, {"solar_mj_per_m2": 500},
        {"solar_mj_per_m2": 41.2}, {"solar_mj_per_m2": -1}, {"solar_mj_per_m2": math.nan},
    ],
    ids=str,
)  # fmt: skip
def test_weather_that_cannot_be_takes_no_water(change):
    assert agronomy.reference_evapotranspiration_mm(**UCCLE | change) is None


def test_a_humidity_a_little_over_100_percent_is_100_in_evapotranspiration_too():
    at = [
        agronomy.reference_evapotranspiration_mm(**UCCLE | {"humidity_max_percent": humidity})
        for humidity in (99.0, 100.0, 104.0)
    ]

    assert at[0] > at[1] == at[2]


def test_a_day_of_25_hours_has_no_light():
    assert agronomy.daily_light_integral_mol(250, 25) is None
    assert agronomy.daily_light_integral_mol(250, 24) == pytest.approx(21.6)
    assert agronomy.daily_light_integral_mol(5001, 16) is None


def test_photons_that_cannot_be_make_no_sunlight():
    assert agronomy.sunlight_w_per_m2(-999) is None
    assert agronomy.sunlight_w_per_m2(math.nan) is None
    assert agronomy.sunlight_w_per_m2(0) == 0


@pytest.mark.parametrize("bad", [*BAD, 2501.0])
def test_radiation_that_cannot_be_is_dark(bad):
    joules = agronomy.light_sum_j_per_cm2([(0, bad), (60, 500.0)], longest_gap_seconds=120)

    assert joules == 1.5


def test_a_gap_of_more_than_a_day_is_dark_whatever_is_allowed():
    two_days = [(0, 500.0), (172_800, 500.0)]

    assert agronomy.light_sum_j_per_cm2(two_days, longest_gap_seconds=math.inf) == 0
    assert agronomy.light_sum_j_per_cm2([(0, 1.0), (9, 1.0)], longest_gap_seconds=math.nan) == 0


def test_water_that_cannot_be_asked_for_is_not_given():
    assert agronomy.water_demand_litres_per_m2(-1) is None
    assert agronomy.water_demand_litres_per_m2(100, crop_factor=-1) is None
    assert agronomy.water_demand_litres_per_m2(100, crop_factor=math.nan) is None
    assert agronomy.shot_litres_per_m2(-1, 30) is None
    assert agronomy.shot_litres_per_m2(math.inf, 30) is None
    assert agronomy.shot_litres_per_m2(0.2, 90) == pytest.approx(2.0)
    assert agronomy.shot_litres_per_m2(0.2, 91) is None


def test_a_drain_that_cannot_be_is_unknown():
    assert agronomy.drain_percent(-999, 1.0) is None
    assert agronomy.drain_percent(0.5, -1.0) is None
    assert agronomy.drain_percent(2.0, 1.0) == 200.0
    assert agronomy.drain_percent(2.1, 1.0) is None
    assert agronomy.drain_percent(1.0, 5e-324) is None


@pytest.mark.parametrize(
    "bad", [{"drain_percent": -999}, {"step": math.nan}, {"target_percent": math.inf}], ids=str
)
def test_a_drain_that_cannot_be_moves_no_threshold(bad):
    asked = {"threshold": 150, "drain_percent": 45, "target_percent": 30} | bad

    assert agronomy.next_threshold_j_per_cm2(**asked) == 150


def test_a_threshold_that_is_no_number_begins_in_the_middle():
    assert agronomy.next_threshold_j_per_cm2(math.nan, 45, target_percent=30) == 150


def test_a_probe_that_failed_doses_nothing():
    tank = {"tank_litres": 400, "ec_now": 1.2, "ec_target": 1.8, "ec_per_ml_per_litre": 0.24}
    acid = {"tank_litres": 400, "step": -0.3, "ph_per_ml_per_litre": 2.0}
    strong = {"tank_litres": 400, "ec_now": 2.4, "ec_target": 2.0}

    for bad in (*BAD, None):
        assert {agronomy.fertiliser_ml(**tank | {name: bad}) for name in tank} == {None}
        assert {agronomy.acid_or_base_ml(**acid | {name: bad}) for name in acid} == {None}
        assert {agronomy.dilution_litres(**strong | {name: bad}) for name in strong} == {None}
        assert agronomy.ec_at_25_celsius(bad, 20) is None
        assert agronomy.ec_at_25_celsius(1.8, bad) is None
        assert agronomy.ph_step(bad, 5.8) is None
        assert agronomy.ph_step(7.0, 5.8, most=bad) is None
        assert agronomy.bounded_dose_ml(bad, most_ml=200) is None
        assert agronomy.bounded_dose_ml(1000.0, most_ml=bad) is None
        assert agronomy.bounded_dose_ml(1000.0, most_ml=200, part=bad) is None
    assert agronomy.ec_at_25_celsius(1.8, 85) is None  # a DS18B20 after a brown-out


@pytest.mark.parametrize("bad", BAD)
def test_a_dose_that_cannot_be_teaches_nothing(bad):
    dose = {"tank_litres": 400.0, "ml": 200.0, "moved": 0.15}

    assert {agronomy.learned_slope(0.24, **dose | {name: bad}) for name in dose} == {0.24}
    # By the steepest slope the least is dosed.
    assert agronomy.learned_slope(bad, **dose) == 1000
