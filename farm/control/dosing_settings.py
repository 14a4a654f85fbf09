"""What a feeding programme is set to."""

from dataclasses import dataclass

from farm.control.settings import SettingsReader


@dataclass(frozen=True, slots=True)
class Band:
    """Nothing is done between low and high; beyond them it is brought towards the target."""

    low: float
    target: float
    high: float


@dataclass(frozen=True, slots=True)
class Settings:
    """Bands, bounds of a dose and of a day, and when to stop."""

    ec: Band | None
    ph: Band | None
    # How far one ml in a litre moves it: mS/cm and pH. It is learned from there.
    ec_per_ml_per_litre: float
    ph_per_ml_per_litre: float
    most_ml: float
    most_ph_ml: float
    daily_ml: float  # of each bottle
    ph_one_way_minutes: int
    lock_out_after: int
    least_effect_part: float
    danger_ec: float
    danger_ph_low: float
    danger_ph_high: float
    dilution_most_litres: float | None

    @property
    def quantities(self) -> tuple[str, ...]:
        """What has to be measured for it."""
        return tuple(name for name, band in (("ec", self.ec), ("ph", self.ph)) if band is not None)


def parse(raw: object) -> Settings:
    """Read the settings strictly; raises SettingsError with every mistake."""
    reader = SettingsReader(raw)
    settings = Settings(
        ec=_band(reader, "ec", high=10.0),
        ph=_band(reader, "ph", high=14.0),
        ec_per_ml_per_litre=reader.number("ec_per_ml_per_litre", 0.24, low=0.001, high=10),
        ph_per_ml_per_litre=reader.number("ph_per_ml_per_litre", 2.0, low=0.001, high=50),
        most_ml=reader.number("most_ml", low=0.1, high=5000),
        most_ph_ml=reader.number("most_ph_ml", 20.0, low=0.1, high=1000),
        daily_ml=reader.number("daily_ml", low=0.1, high=50_000),
        ph_one_way_minutes=reader.integer("ph_one_way_minutes", 30, low=30, high=1440),
        lock_out_after=reader.integer("lock_out_after", 3, low=1, high=10),
        least_effect_part=reader.number("least_effect_part", 0.2, low=0.05, high=0.9),
        danger_ec=reader.number("danger_ec", 3.5, low=0.1, high=10),
        danger_ph_low=reader.number("danger_ph_low", 4.5, low=2, high=7),
        danger_ph_high=reader.number("danger_ph_high", 8.0, low=6, high=12),
        dilution_most_litres=reader.number("dilution_most_litres", None, low=0.1, high=10_000),
    )
    if settings.ec is None and settings.ph is None:
        reader.complain("ec", "missing")
    reader.finish()
    return settings


def _band(reader: SettingsReader, name: str, *, high: float) -> Band | None:
    inside = reader.part(name)
    if inside is None:
        return None
    band = Band(
        low=inside.number("low", low=0, high=high),
        target=inside.number("target", low=0, high=high),
        high=inside.number("high", low=0, high=high),
    )
    inside.leave_nothing()
    ends = (band.low, band.target, band.high)
    if None not in ends and not band.low <= band.target <= band.high:
        inside.complain("target", "not_between")
    return band
