"""What people call sensors and outputs, and where these stand."""

from django.db import transaction

from farm.models import Channel, Output, Zone


@transaction.atomic
def place_channel(*, channel: Channel, label: str, zone: Zone | None) -> Channel:
    """Name a sensor and put it into a zone, or to the whole house."""
    channel = Channel.objects.select_for_update().get(pk=channel.pk)
    channel.label, channel.zone = label, zone
    channel.save(update_fields=["label", "zone", "updated_at"])
    return channel


@transaction.atomic
def place_output(*, output: Output, label: str, zone: Zone | None) -> Output:
    """Name an output and put it into a zone, or to the whole house."""
    output = Output.objects.select_for_update().get(pk=output.pk)
    output.label, output.zone = label, zone
    output.save(update_fields=["label", "zone", "updated_at"])
    return output
