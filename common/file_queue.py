"""Celery's queue as files in a folder, for one machine without a queue server.

kombu's own filesystem transport writes a message into the file that readers already see; a reader
that comes in between finds it empty and its worker dies of it (met within minutes at a poll of
50 ms). Here a message gets its name only when it is whole.
"""

import time
import uuid
from pathlib import Path
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

SCHEME = "files"


class Channel(filesystem.Channel):
    """Writes each message under a name that readers pass over, then renames it in one step."""

    def _put(  # type: ignore[override]  # kombu's own classes disagree on the names
        self, queue: str, payload: Any, **kwargs: Any
    ) -> None:
        folder = Path(self.data_folder_out)
        name = f"{time.monotonic_ns() // 1_000_000}_{uuid.uuid4()}.{queue}.msg"
        draft = folder / f".{name}"
        text = dumps(payload)  # type: ignore[no-untyped-call]  # kombu is half typed
        draft.write_text(text, encoding="utf-8")
        draft.rename(folder / name)


class Transport(filesystem.Transport):
    """The transport behind files://."""

    Channel = Channel


def register() -> None:
    """Make files:// known to kombu; called once by the Celery application."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
