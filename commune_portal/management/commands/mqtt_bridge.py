"""The process between the MQTT broker and the apps."""

import ctypes
import ctypes.util
import gc
import logging
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import close_old_connections
from django.utils import timezone

from common.mqtt import Bridge
from common.pumps import DATABASE_ERRORS
from commune_portal import heartbeats
from commune_portal.mqtt import HANDLERS, PUMPS, STATUS_TOPIC

logger = logging.getLogger(__name__)
M_MMAP_THRESHOLD = -3  # glibc, malloc.h
LARGE_BLOCK_BYTES = 128 * 1024  # as glibc begins with; set, it stays


class Command(BaseCommand):
    help = "Hand messages of the MQTT broker to the apps, until SIGTERM."
    requires_system_checks = ()  # as with the web process: the checks belong to the release

    def handle(self, *args: Any, **options: Any) -> None:
        # A batch makes tens of thousands of objects and hardly a circle: looking for circles as
        # often as Python does by default cost a fifth of the rate (bench/).
        gc.freeze()
        gc.set_threshold(100_000, 20, 100)
        save_memory()
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        bridge = Bridge(settings.MQTT_URL, HANDLERS, pumps=PUMPS, status_topic=STATUS_TOPIC)
        bridge.run(stopping, pulse=show_life)


def save_memory() -> None:
    """Hand back what starting up has left free, 6 MB of 86, and what each batch frees: glibc only.

    glibc maps a large block by itself, and unmaps it when it is freed; but by its own rule no
    longer so large as the largest one freed so far, and the next batch's go where small ones lie.
    """
    library = ctypes.util.find_library("c")
    if library is None:
        return
    c = ctypes.CDLL(library)
    if hasattr(c, "malloc_trim"):
        c.malloc_trim(0)
        c.mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)


def show_life() -> None:
    """Write down that the bridge is connected and at work."""
    close_old_connections()
    try:
        heartbeats.beat_heart(process="mqtt", at=timezone.now())
    except DATABASE_ERRORS as error:
        logger.warning("no heartbeat, the database is away: %s", type(error).__name__)
