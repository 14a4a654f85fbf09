"""Signs of life of the processes that have no door to knock at."""

from datetime import datetime

from commune_portal.models import Heartbeat


def beat_heart(*, process: str, at: datetime) -> None:
    """Write down that `process` was at work at this moment."""
    Heartbeat.objects.update_or_create(process=process, defaults={"at": at})
