"""Builders of the farm's rows; each gives a valid row, each field can be said otherwise."""

from datetime import UTC, date, datetime
from itertools import count

from django.db import connection

from accounts.models import User
from farm.models import (
    AlarmLimit,
    Batch,
    Channel,
    CropProfile,
    CropStage,
    Greenhouse,
    LatestReading,
    Node,
    Output,
    Reading,
    Rule,
    Watch,
    Zone,
)
from farm.services.rule_changes import add_rule

NOON = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)  # 12:00 in Thanh Hoá, a Sunday
numbers = count(1)


def make_user(**changes) -> User:
    phone = f"+8491{next(numbers):07d}"
    return User.objects.create_user(**{"phone": phone, "full_name": "Lê Thị Hoa"} | changes)


def make_greenhouse(**changes) -> Greenhouse:
    number = next(numbers)
    return Greenhouse.objects.create(
        **{"code": f"nm{number}", "name": f"Nhà màng {number}"} | changes
    )


def make_zone(**changes) -> Zone:
    number = next(numbers)
    if "greenhouse" not in changes:
        changes["greenhouse"] = make_greenhouse()
    return Zone.objects.create(**{"code": f"z{number}", "name": f"Giàn {number}"} | changes)


def make_node(**changes) -> Node:
    if "greenhouse" not in changes:
        changes["greenhouse"] = make_greenhouse()
    fields = {
        "name": f"n{next(numbers)}",
        "is_online": True,
        "status_at": NOON,
        "heard_at": NOON,
        "boot": 17,
        "born_at": NOON,
    }
    return Node.objects.create(**fields | changes)


def make_channel(**changes) -> Channel:
    if "node" not in changes:
        changes["node"] = make_node()
    fields = {
        "code": f"c{next(numbers)}",
        "quantity": Channel.Quantity.AIR_TEMPERATURE,
        "unit": "degC",
    }
    return Channel.objects.create(**fields | changes)


def make_output(**changes) -> Output:
    if "node" not in changes:
        changes["node"] = make_node()
    fields = {
        "code": f"valve-{next(numbers)}",
        "kind": Output.Kind.VALVE,
        "max_seconds": 900,
        "is_on": False,
        "state_at": NOON,
        "state_heard_at": NOON,
    }
    return Output.objects.create(**fields | changes)


def make_limit(**changes) -> AlarmLimit:
    if "channel" not in changes:
        changes["channel"] = make_channel()
    return AlarmLimit.objects.create(**{"high": 35.0} | changes)


def make_watch(**changes) -> Watch:
    if "user" not in changes:
        changes["user"] = make_user()
    return Watch.objects.create(**changes)


def measure(channel: Channel, value: float | None, *, t: datetime, flags: int = 0) -> None:
    """Put down a value as the bridge would: the reading, and the newest of its channel."""
    if value is not None:
        make_partition(t)
        Reading.objects.update_or_create(
            channel=channel, t=t, defaults={"v": value, "flags": flags}
        )
    LatestReading.objects.update_or_create(
        channel=channel, defaults={"t": t, "v": value, "flags": flags, "received_at": t}
    )


def make_partition(t: datetime) -> None:
    """Make the month's partition of the readings where the database has partitions."""
    if connection.vendor != "postgresql":
        return
    first = datetime(t.year, t.month, 1, tzinfo=UTC)
    after = datetime(t.year + t.month // 12, t.month % 12 + 1, 1, tzinfo=UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS farm_reading_y{t:%Y}m{t:%m} PARTITION OF farm_reading "
            f"FOR VALUES FROM ('{first.isoformat()}') TO ('{after.isoformat()}')"
        )


def make_profile(**changes) -> CropProfile:
    """A crop with two stages of ten days; EC 0.8–1.2, then 1.2–1.8."""
    number = next(numbers)
    fields = {"code": f"crop-{number}", "name": "Xà lách", "source": "test"}
    profile = CropProfile.objects.create(**fields | changes)
    bands = {"ph_low": 5.8, "ph_high": 6.3, "air_low": 19, "air_high": 24, "water_high": 25}
    for position, (name, low, high) in enumerate((("Ươm", 0.8, 1.2), ("Lớn", 1.2, 1.8)), start=1):
        CropStage.objects.create(
            profile=profile,
            position=position,
            name=name,
            days=10,
            ec_low=low,
            ec_high=high,
            source="test",
            **bands,
        )
    return profile


def make_batch(**changes) -> Batch:
    """Ten square metres, sown on 1 November 2026."""
    number = next(numbers)
    fields = {
        "code": f"ME-{number}",
        "token": f"{number:032x}",
        "area_m2": 10.0,
        "sown_date": date(2026, 11, 1),
    }
    if "zone" not in changes:
        changes["zone"] = make_zone(area_m2=20)
    if "profile" not in changes:
        changes["profile"] = make_profile()
    return Batch.objects.create(**fields | changes)


def make_rule(**changes) -> Rule:
    """Make a programme by its service; `outputs` and `zone` are given or made."""
    fields = {"name": "Tưới sáng", "kind": Rule.Kind.SCHEDULE, "at": NOON}
    fields["parameters"] = {"times": ["12:30"], "seconds": 120}
    fields |= changes
    if "zone" not in fields:
        fields["zone"] = make_zone()
    if "outputs" not in fields:
        node = make_node(greenhouse=fields["zone"].greenhouse)
        fields["outputs"] = [make_output(node=node, zone=fields["zone"])]
    if "by" not in fields:
        fields["by"] = make_user()
    return add_rule(**fields)
