"""Where things stand: greenhouses, their zones, controllers, sensors and what can be switched."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.models import TimestampedModel
from farm.models import checks

TOPIC_NAME = RegexValidator(r"^[a-z0-9-]{1,24}\Z", _("1 to 24 of a–z, 0–9 and -"))


class Greenhouse(TimestampedModel):
    """One house under one roof; its code is the <house> of every farm/v1 topic.

    `is_stopped` is the emergency stop, a level and not an edge: every controller of the house
    gets it in its retained config, also one that was away.
    """

    code = models.SlugField(_("code"), max_length=24, unique=True, validators=[TOPIC_NAME])
    name = models.CharField(_("name"), max_length=80)
    run_by = models.CharField(
        _("run by"),
        max_length=120,
        blank=True,
        help_text=_("The cooperative's name, as it stands on the produce."),
    )
    village = models.ForeignKey(
        "addresses.Village",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("village"),
    )
    latitude = models.FloatField(_("latitude, degrees"), null=True, blank=True)
    longitude = models.FloatField(_("longitude, degrees"), null=True, blank=True)
    elevation_m = models.FloatField(_("elevation, m"), default=5.0)
    area_m2 = models.FloatField(_("area, m²"), default=0)
    is_stopped = models.BooleanField(_("emergency stop"), default=False, editable=False)
    stopped_at = models.DateTimeField(_("stopped at"), null=True, editable=False)
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("stopped by"),
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("greenhouse")
        verbose_name_plural = _("greenhouses")
        constraints = (
            checks.within("latitude", -90, 90, name="greenhouse_latitude_on_earth"),
            checks.within("longitude", -180, 180, name="greenhouse_longitude_on_earth"),
            checks.not_negative("area_m2", name="greenhouse_area_not_negative"),
            # Whoever counts from the stop (nodes) needs its moment.
            models.CheckConstraint(
                condition=Q(is_stopped=False) | Q(stopped_at__isnull=False),
                name="greenhouse_stop_has_a_moment",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Zone(TimestampedModel):
    """A rack or a bed: what is watered and fed together. A batch grows in a zone."""

    class Kind(models.TextChoices):
        RACK = "rack", _("Rack")
        BED = "bed", _("Bed")
        NURSERY = "nursery", _("Nursery")

    greenhouse = models.ForeignKey(
        Greenhouse, on_delete=models.PROTECT, related_name="zones", verbose_name=_("greenhouse")
    )
    code = models.SlugField(_("code"), max_length=24)
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.RACK)
    area_m2 = models.FloatField(_("area, m²"), default=0)
    plants = models.PositiveIntegerField(_("plants"), default=0)
    reservoir_l = models.FloatField(_("tank, litres"), default=0)
    daily_litre_cap = models.FloatField(
        _("most litres a day"), null=True, blank=True, help_text=_("Watering stops beyond it.")
    )
    daily_dose_cap_ml = models.FloatField(
        _("most ml of each fertiliser a day"), null=True, blank=True
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("zone")
        verbose_name_plural = _("zones")
        constraints = (
            models.UniqueConstraint(
                fields=["greenhouse", "code"], name="zone_code_unique_in_house"
            ),
            checks.not_negative("area_m2", "reservoir_l", name="zone_sizes_not_negative"),
            checks.not_negative(
                "daily_litre_cap", "daily_dose_cap_ml", name="zone_caps_not_negative"
            ),
        )

    def __str__(self) -> str:
        return self.name


class Node(TimestampedModel):
    """A controller: it measures and switches. Its name is client id, user name and <node>.

    `boot` and what else it says of itself come from its birth message. `status_at` is when it
    was last heard in any way; a node may be known to the broker as online and still be deaf.
    """

    class Protocol(models.TextChoices):
        FARM_V1 = "farm/v1", _("farm/v1 controller")
        ESPHOME = "esphome", "ESPHome"
        TASMOTA = "tasmota", "Tasmota"
        ZIGBEE2MQTT = "zigbee2mqtt", "Zigbee2MQTT"
        OPENSPRINKLER = "opensprinkler", "OpenSprinkler"

    greenhouse = models.ForeignKey(
        Greenhouse, on_delete=models.PROTECT, related_name="nodes", verbose_name=_("greenhouse")
    )
    name = models.SlugField(
        _("name in topics"), max_length=24, unique=True, validators=[TOPIC_NAME]
    )
    label = models.CharField(_("what people call it"), max_length=80, blank=True)
    protocol = models.CharField(
        _("protocol"), max_length=13, choices=Protocol, default=Protocol.FARM_V1
    )
    topic = models.CharField(
        _("topic prefix"),
        max_length=120,
        blank=True,
        help_text=_("Only for devices that do not speak farm/v1."),
    )
    is_online = models.BooleanField(_("online"), default=False, editable=False)
    status_at = models.DateTimeField(_("status since"), null=True, editable=False)
    heard_at = models.DateTimeField(_("last heard"), null=True, editable=False)
    boot = models.BigIntegerField(_("boot number"), null=True, editable=False)
    born_at = models.DateTimeField(_("born at"), null=True, editable=False)
    firmware = models.CharField(_("firmware"), max_length=40, blank=True, editable=False)
    hardware = models.CharField(_("hardware"), max_length=40, blank=True, editable=False)
    reset_reason = models.CharField(_("last reset"), max_length=40, blank=True, editable=False)
    clock = models.CharField(_("clock"), max_length=16, blank=True, editable=False)
    buffered_frames = models.PositiveIntegerField(_("buffered"), default=0, editable=False)
    config_rev = models.PositiveIntegerField(_("config sent"), default=0, editable=False)
    config_acked_rev = models.PositiveIntegerField(_("config kept"), default=0, editable=False)
    config_error = models.CharField(_("config error"), max_length=200, blank=True, editable=False)
    last_ping_ok_at = models.DateTimeField(_("answered a ping"), null=True, editable=False)

    class Meta:
        verbose_name = _("controller")
        verbose_name_plural = _("controllers")

    def __str__(self) -> str:
        return self.label or self.name

    def clean(self) -> None:
        """Refuse a prefix that no message can be sent under; MQTT keeps + and # for filters."""
        super().clean()
        if set(self.topic) & {"+", "#"}:
            raise ValidationError({"topic": _("A topic prefix has neither + nor #.")})

    @property
    def acknowledges(self) -> bool:
        """Whether commands are acknowledged; a foreign device only shows its state."""
        return self.protocol == self.Protocol.FARM_V1


class ChannelQuerySet(models.QuerySet["Channel"]):
    """Ways to narrow a set of channels."""

    def shown(self) -> Self:
        return self.filter(is_active=True)


class Channel(TimestampedModel):
    """One measured quantity of one node, in the unit of its quantity."""

    class Quantity(models.TextChoices):
        AIR_TEMPERATURE = "air_temperature", _("Air temperature")
        LEAF_TEMPERATURE = "leaf_temperature", _("Leaf temperature")
        WATER_TEMPERATURE = "water_temperature", _("Water temperature")
        RELATIVE_HUMIDITY = "relative_humidity", _("Humidity")
        EC = "ec", _("EC")
        PH = "ph", _("pH")
        DISSOLVED_OXYGEN = "dissolved_oxygen", _("Dissolved oxygen")
        TANK_VOLUME = "tank_volume", _("Tank")
        FLOW = "flow", _("Flow")
        DRAIN_VOLUME = "drain_volume", _("Drain")
        PPFD = "ppfd", _("Light")
        SOLAR_RADIATION = "solar_radiation", _("Sunlight")
        CO2 = "co2", _("CO₂")
        SUBSTRATE_MOISTURE = "substrate_moisture", _("Substrate moisture")
        WIND_SPEED = "wind_speed", _("Wind")
        RAIN = "rain", _("Rain")
        OTHER = "other", _("Other")

    # int4, as the readings table carries it on every row.
    id = models.AutoField(primary_key=True)
    node = models.ForeignKey(
        Node, on_delete=models.PROTECT, related_name="channels", verbose_name=_("controller")
    )
    zone = models.ForeignKey(
        Zone,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="channels",
        verbose_name=_("zone"),
        help_text=_("Empty: of the whole house."),
    )
    code = models.CharField(_("code in messages"), max_length=24)
    label = models.CharField(_("what people call it"), max_length=80, blank=True)
    quantity = models.CharField(
        _("quantity"), max_length=20, choices=Quantity, default=Quantity.OTHER
    )
    unit = models.CharField(_("unit"), max_length=16, blank=True)
    low = models.FloatField(_("sensible from"), null=True, blank=True)
    high = models.FloatField(_("sensible to"), null=True, blank=True)
    scale = models.FloatField(_("multiply by"), default=1.0)
    offset = models.FloatField(_("then add"), default=0.0)
    stale_seconds = models.PositiveIntegerField(_("too old after, seconds"), default=180)
    pulses_per_litre = models.FloatField(_("pulses per litre"), null=True, blank=True)
    # Until when what it measures is true of somebody's bottle, and not of the tank.
    calibrating_until = models.DateTimeField(_("in hand until"), null=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)

    objects = ChannelQuerySet.as_manager()

    class Meta:
        verbose_name = _("sensor channel")
        verbose_name_plural = _("sensor channels")
        constraints = (
            models.UniqueConstraint(fields=["node", "code"], name="channel_code_unique_on_node"),
            checks.in_order("low", "high", name="channel_band_in_order"),
            models.CheckConstraint(
                condition=~Q(scale=0),
                name="channel_scale_not_zero",
                violation_error_message=_("Multiplied by 0 every value is the same."),
            ),
        )

    def __str__(self) -> str:
        return self.label or self.get_quantity_display() or self.code

    def is_in_hand(self, t: datetime) -> bool:
        """Tell whether somebody calibrates at a moment: what is measured then drives nothing."""
        return self.calibrating_until is not None and t < self.calibrating_until


class Output(TimestampedModel):
    """Something a node can switch: a valve, pump, doser, fan or light.

    The state fields are what the device last said, never what we last asked for.
    """

    class Kind(models.TextChoices):
        VALVE = "valve", _("Valve")
        PUMP = "pump", _("Pump")
        DOSER = "doser", _("Doser")
        FAN = "fan", _("Fan")
        LIGHT = "light", _("Light")
        OTHER = "other", _("Other")

    class Fail(models.TextChoices):
        OFF = "off", _("Off, when the link is lost")
        LOCAL = "local", _("By its own rules, when the link is lost")

    class Lock(models.TextChoices):
        AUTO = "auto", _("Automatic")
        OFF = "off", _("Locked off")
        MANUAL = "manual", _("By hand only")

    node = models.ForeignKey(
        Node, on_delete=models.PROTECT, related_name="outputs", verbose_name=_("controller")
    )
    zone = models.ForeignKey(
        Zone,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="outputs",
        verbose_name=_("zone"),
    )
    code = models.CharField(_("code in topics"), max_length=24, validators=[TOPIC_NAME])
    label = models.CharField(_("what people call it"), max_length=80, blank=True)
    kind = models.CharField(_("kind"), max_length=6, choices=Kind, default=Kind.OTHER)
    max_seconds = models.PositiveIntegerField(_("longest run, seconds"), default=0)
    flow_low = models.FloatField(_("least flow, L/min"), null=True, blank=True)
    flow_high = models.FloatField(_("most flow, L/min"), null=True, blank=True)
    ml_per_second = models.FloatField(_("ml a second"), null=True, blank=True)
    needs = models.JSONField(_("interlocks of the device"), default=list, blank=True)
    fail = models.CharField(_("without a link"), max_length=5, choices=Fail, default=Fail.OFF)
    is_dimmable = models.BooleanField(_("its strength can be set"), default=False)
    dose_kind = models.CharField(
        _("what it doses"),
        max_length=8,
        blank=True,
        choices=[
            ("a", _("Fertiliser A")),
            ("b", _("Fertiliser B")),
            ("ph_up", _("pH up")),
            ("ph_down", _("pH down")),
            ("water", _("Fresh water")),
        ],
    )
    lock = models.CharField(_("who may switch it"), max_length=6, choices=Lock, default=Lock.AUTO)
    lock_until = models.DateTimeField(_("locked until"), null=True, blank=True)
    lock_reason = models.CharField(_("why it is locked"), max_length=200, blank=True)
    is_on = models.BooleanField(_("on"), null=True, editable=False)
    state_at = models.DateTimeField(_("state since"), null=True, editable=False)
    state_heard_at = models.DateTimeField(_("state heard at"), null=True, editable=False)
    state_boot = models.BigIntegerField(null=True, editable=False)
    # The controller's own milliseconds since its boot, where it said no time.
    state_up_ms = models.BigIntegerField(null=True, editable=False)
    state_source = models.CharField(_("switched by"), max_length=10, blank=True, editable=False)
    state_command = models.CharField(max_length=26, blank=True, editable=False)
    state_left_seconds = models.FloatField(_("seconds left"), null=True, editable=False)
    state_flow = models.FloatField(_("flow now, L/min"), null=True, editable=False)
    state_level = models.FloatField(_("strength now, %"), null=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("output")
        verbose_name_plural = _("outputs")
        constraints = (
            models.UniqueConstraint(fields=["node", "code"], name="output_code_unique_on_node"),
            models.CheckConstraint(
                condition=Q(flow_low__isnull=True)
                | Q(flow_high__isnull=True)
                | Q(flow_low__lte=models.F("flow_high")),
                name="output_flow_band_in_order",
            ),
            models.CheckConstraint(
                condition=Q(ml_per_second__isnull=True) | Q(ml_per_second__gt=0),
                name="output_rate_above_zero",
                violation_error_message=_("A doser gives more than 0 ml a second."),
            ),
        )

    def __str__(self) -> str:
        return self.label or self.code

    def lock_at(self, at: datetime) -> str:
        """Tell which lock holds at a moment; one that has run out is no lock."""
        if self.lock_until is not None and self.lock_until <= at:
            return self.Lock.AUTO
        return self.lock


class LockChange(models.Model):
    """Who locked or unlocked an output, when and why."""

    output = models.ForeignKey(Output, on_delete=models.CASCADE, related_name="lock_changes")
    at = models.DateTimeField(_("at"))
    lock = models.CharField(_("lock"), max_length=6, choices=Output.Lock)
    until = models.DateTimeField(_("until"), null=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        verbose_name = _("lock change")
        verbose_name_plural = _("lock changes")

    def __str__(self) -> str:
        return f"{self.output_id} {self.lock}"
