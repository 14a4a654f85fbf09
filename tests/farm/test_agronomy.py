"""The arithmetic of growing gives the published numbers, and nothing out of nothing."""

import math

import psychrolib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm import agronomy, fao56

UCCLE = {
    "air_max_celsius": 21.5,
    "air_min_celsius": 12.3,
    "humidity_max_percent": 84.0,
    "humidity_min_percent": 63.0,
    "wind_m_per_s": 2.78,
    "wind_measured_at_m": 10.0,
    "sunshine_hours": 9.25,
    "latitude_degrees": 50.8,
    "elevation_m": 100.0,
    "day_of_year": 187,
}
temperatures = st.floats(0, 50)
humidities = st.floats(0, 100)


def test_example_18_of_fao56_gives_its_printed_steps():
    above = fao56.extraterrestrial_radiation_mj_per_m2(50.8, 187)
    hours = fao56.daylight_hours(50.8, 187)
    solar = fao56.solar_radiation_mj_per_m2(9.25, hours, above)
    clear = fao56.clear_sky_radiation_mj_per_m2(100, above)
    vapour = fao56.actual_vapour_pressure_kpa(21.5, 12.3, 84, 63)
    kept = fao56.net_shortwave_mj_per_m2(solar)
    lost = fao56.net_longwave_mj_per_m2(21.5, 12.3, vapour, solar, clear)

    assert above == pytest.approx(41.09, abs=0.005)
    assert hours == pytest.approx(16.1, abs=0.05)
    assert solar == pytest.approx(22.07, abs=0.01)
    assert clear == pytest.approx(30.90, abs=0.005)
    assert kept == pytest.approx(17.00, abs=0.01)
    assert lost == pytest.approx(3.71, abs=0.01)
    assert kept - lost == pytest.approx(13.28, abs=0.01)
    assert fao56.mean_saturation_kpa(21.5, 12.3) == pytest.approx(1.997, abs=0.0005)
    assert vapour == pytest.approx(1.409, abs=0.0005)
    assert fao56.saturation_slope_kpa_per_celsius(16.9) == pytest.approx(0.122, abs=0.0005)
    assert fao56.psychrometric_constant_kpa_per_celsius(100) == pytest.approx(0.0666, abs=5e-5)
    assert fao56.wind_at_2_m(2.78, 10) == pytest.approx(2.078, abs=0.002)


def test_example_18_of_fao56_gives_its_printed_evapotranspiration():
    millimetres = agronomy.reference_evapotranspiration_mm(**UCCLE)

    assert round(millimetres, 1) == 3.9
    assert millimetres == pytest.approx(3.880, abs=0.0005)


def test_measured_radiation_takes_the_place_of_sunshine():
    measured = UCCLE | {"sunshine_hours": None, "solar_mj_per_m2": 22.07}

    assert agronomy.reference_evapotranspiration_mm(**measured) == pytest.approx(3.88, abs=0.002)


@pytest.mark.parametrize(
    ("found", "printed", "digits"),
    [
        (fao56.atmospheric_pressure_kpa(1800), 81.8, 1),  # example 2
        (fao56.psychrometric_constant_kpa_per_celsius(1800), 0.054, 3),  # example 2
        (fao56.mean_saturation_kpa(24.5, 15), 2.39, 2),  # example 3
        (fao56.actual_vapour_pressure_kpa(25, 18, 82, 54), 1.70, 2),  # example 5
        (fao56.extraterrestrial_radiation_mj_per_m2(-20, 246), 32.2, 1),  # example 8
        (fao56.daylight_hours(-20, 246), 11.7, 1),  # example 9
        (fao56.solar_radiation_mj_per_m2(7.1, 10.9, 25.1), 14.4, 1),  # example 10: 14.45
        (fao56.net_longwave_mj_per_m2(25.1, 19.1, 2.1, 14.5, 18.8), 3.5, 1),  # example 11
        (fao56.wind_at_2_m(3.2, 10), 2.4, 1),  # example 14
        (fao56.saturation_slope_kpa_per_celsius(30.2), 0.246, 3),  # example 17
        (agronomy.vapour_pressure_deficit_kpa(25, 60), 1.267, 3),
        (agronomy.vapour_pressure_deficit_kpa(30, 70), 1.273, 3),
    ],
)
def test_other_published_numbers(found, printed, digits):
    assert round(found, digits) == printed


@pytest.mark.parametrize("name", [name for name in UCCLE if not name.startswith(("wind_m", "day"))])
def test_evapotranspiration_of_unknown_weather_is_unknown(name):
    assert agronomy.reference_evapotranspiration_mm(**UCCLE | {name: None}) is None
    assert agronomy.reference_evapotranspiration_mm(**UCCLE | {name: math.nan}) is None


def test_pyfao56_agrees():
    refet = pytest.importorskip(
        "pyfao56.refet", reason="pyfao56 brings pandas and numpy: not in the dev set"
    )

    theirs = refet.ascedaily(
        rfcrp="S", z=100, lat=50.8, doy=187, israd=22.07, tmax=21.5, tmin=12.3,
        rhmax=84, rhmin=63, wndsp=2.78, wndht=10.0,
    )  # fmt: skip

    ours = agronomy.reference_evapotranspiration_mm(**UCCLE)
    assert ours == pytest.approx(theirs, abs=0.002)


@given(temperatures, humidities)
def test_psychrolib_agrees_on_the_deficit(celsius, humidity):
    psychrolib.SetUnitSystem(psychrolib.SI)
    saturation = psychrolib.GetSatVapPres(celsius) / 1000

    ours = agronomy.vapour_pressure_deficit_kpa(celsius, humidity)

    # Another saturation formula: half a percent between 0 and 50 °C.
    assert ours == pytest.approx(saturation * (1 - humidity / 100), rel=0.005, abs=0.002)


def test_psychrolib_agrees_closely_at_25_degrees():
    psychrolib.SetUnitSystem(psychrolib.SI)
    theirs = psychrolib.GetSatVapPres(25.0) / 1000 * 0.4

    assert agronomy.vapour_pressure_deficit_kpa(25, 60) == pytest.approx(theirs, abs=0.002)


@given(temperatures, humidities)
def test_the_deficit_lies_between_nothing_and_saturation(celsius, humidity):
    deficit = agronomy.vapour_pressure_deficit_kpa(celsius, humidity)

    assert 0 <= deficit <= fao56.saturation_vapour_pressure_kpa(celsius)


@given(temperatures, humidities, st.floats(0.1, 10))
def test_a_leaf_in_the_sun_gives_more_to_the_air_than_one_in_the_shade(celsius, humidity, warmer):
    in_the_sun = agronomy.vapour_pressure_deficit_kpa(celsius, humidity, celsius + warmer)

    assert in_the_sun > agronomy.vapour_pressure_deficit_kpa(celsius, humidity)


def test_dew_falls_on_a_leaf_that_is_colder_than_the_dew_point():
    assert agronomy.vapour_pressure_deficit_kpa(25, 90, 20) == pytest.approx(-0.5124, abs=0.0005)


@pytest.mark.parametrize(
    ("air", "humidity", "deficit"),
    [(None, 60, None), (25, None, None), (math.nan, 60, None), (25, -1, None), (25, 110, None)],
)
def test_the_deficit_of_an_unknown_air_is_unknown(air, humidity, deficit):
    assert agronomy.vapour_pressure_deficit_kpa(air, humidity) is deficit


def test_a_sensor_that_reads_a_little_over_100_percent_means_100():
    assert agronomy.vapour_pressure_deficit_kpa(25, 103) == 0


def test_light_of_a_day():
    assert agronomy.daily_light_integral_mol(250, 16) == pytest.approx(14.4)
    assert agronomy.daily_light_integral_mol(None, 16) is None
    assert agronomy.daily_light_integral_mol(250, None) is None
    assert agronomy.daily_light_integral_mol(-1, 16) is None


@given(st.floats(0, 2500), st.floats(0, 24))
def test_light_of_a_day_has_a_bound(ppfd, hours):
    assert 0 <= agronomy.daily_light_integral_mol(ppfd, hours) <= 216


def test_a_shot_of_the_reference_is_286_ml_per_m2_and_130_per_plant():
    demand = agronomy.water_demand_litres_per_m2(100)
    shot = agronomy.shot_litres_per_m2(demand, 30)

    assert round(shot, 3) == 0.286
    assert round(shot / 2.2 * 1000) == 130
    assert agronomy.water_demand_litres_per_m2(100, is_measured_inside=True) == pytest.approx(0.28)


@pytest.mark.parametrize("drain", [None, 100, -1, math.nan])
def test_a_shot_for_an_impossible_drain_is_unknown(drain):
    assert agronomy.shot_litres_per_m2(0.2, drain) is None


def test_half_an_hour_of_sun_adds_up():
    samples = [(second, 800.0) for second in range(0, 1801, 30)]

    joules = agronomy.light_sum_j_per_cm2(samples, longest_gap_seconds=120)

    assert joules == pytest.approx(144.0)


def test_a_hole_in_the_readings_is_dark():
    samples = [(0, 800.0), (60, 800.0), (3660, 800.0), (3720, 800.0)]

    joules = agronomy.light_sum_j_per_cm2(samples, longest_gap_seconds=120)

    assert joules == pytest.approx(9.6)


@given(st.floats(100, 200), st.floats(0, 100), st.floats(0, 60))
def test_the_threshold_stays_in_its_bounds_and_moves_one_step_at_most(threshold, drain, target):
    moved = agronomy.next_threshold_j_per_cm2(threshold, drain, target_percent=target)

    assert 100 <= moved <= 200
    assert abs(moved - threshold) <= 10.000001


@pytest.mark.parametrize(
    ("drain", "threshold"), [(30, 150), (32.9, 150), (27.1, 150), (40, 160), (20, 140), (None, 150)]
)
def test_the_drain_moves_the_threshold_only_when_it_is_off(drain, threshold):
    assert agronomy.next_threshold_j_per_cm2(150, drain, target_percent=30) == threshold


def test_drain_percent_needs_a_supply():
    assert agronomy.drain_percent(0.18, 1.0) == 18.0
    assert agronomy.drain_percent(0.18, 0) is None
    assert agronomy.drain_percent(None, 1.0) is None


def test_ec_is_compared_at_25_degrees():
    assert agronomy.ec_at_25_celsius(1.8, 25) == 1.8
    assert agronomy.ec_at_25_celsius(1.8, 20) == pytest.approx(2.0)
    assert agronomy.ec_at_25_celsius(None, 25) is None


positive = st.floats(0.01, 5000)


@given(positive, st.floats(0, 5), st.floats(0, 5), st.floats(0.01, 5), st.floats(0, 500))
def test_a_dose_is_at_most_half_of_what_is_asked_for(tank, now, target, slope, most):
    full = agronomy.fertiliser_ml(
        tank_litres=tank, ec_now=now, ec_target=target, ec_per_ml_per_litre=slope
    )
    dose = agronomy.bounded_dose_ml(full, most_ml=most, part=0.9)

    assert 0 <= dose <= min(full / 2, most)


@given(st.floats(0, 14), st.floats(4, 8))
def test_a_ph_step_goes_towards_the_target_and_never_past_half_of_the_way(now, target):
    step = agronomy.ph_step(now, target)

    assert abs(step) <= 0.3
    assert abs(step) <= abs(target - now) / 2 + 0.0005
    assert step * (target - now) >= 0


@given(st.floats(0.01, 3), positive, positive, st.floats(-5, 5))
def test_one_dose_teaches_a_little_only(believed, tank, ml, moved):
    learned = agronomy.learned_slope(believed, tank_litres=tank, ml=ml, moved=moved)

    assert believed * 0.849 <= learned <= believed * 1.301


def test_a_dose_without_effect_teaches_nothing():
    assert agronomy.learned_slope(0.24, tank_litres=400, ml=200, moved=0.0) == 0.24


def test_water_that_makes_a_strong_tank_weaker():
    assert agronomy.dilution_litres(tank_litres=400, ec_now=2.4, ec_target=2.0) == 80.0
    assert agronomy.dilution_litres(tank_litres=400, ec_now=1.8, ec_target=2.0) == 0.0
    assert agronomy.dilution_litres(tank_litres=400, ec_now=None, ec_target=2.0) is None


def test_mixing_takes_two_turnovers():
    assert agronomy.mixing_seconds(400, 40) == 1200.0
