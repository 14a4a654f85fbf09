"""The queue of files, through kombu as Celery uses it."""

import queue as builtin_queue
import time

import pytest
from kombu import Connection

from common import file_queue


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "queue").mkdir()
    return tmp_path / "queue"


@pytest.fixture
def channel(folder):
    file_queue.register()
    options = {
        "data_folder_in": str(folder),
        "data_folder_out": str(folder),
        "control_folder": str(folder.parent / "control"),
    }
    with Connection("files://", transport_options=options) as connection:
        yield connection.default_channel


def test_messages_come_out_once_and_in_the_order_they_went_in(channel):
    for number in (1, 2, 3):
        channel._put("celery", {"number": number})
        while_the_clock_moves_on()

    assert [channel._get("celery")["number"] for _ in range(3)] == [1, 2, 3]
    with pytest.raises(builtin_queue.Empty):
        channel._get("celery")


def while_the_clock_moves_on():
    """File names carry milliseconds; within one of them the order is open."""
    began = time.monotonic_ns() // 1_000_000
    while time.monotonic_ns() // 1_000_000 == began:
        pass


def test_a_message_that_is_still_being_written_is_not_seen(channel, folder, monkeypatch):
    seen = []

    def look_before_renaming(draft, target):
        with pytest.raises(builtin_queue.Empty):
            channel._get("celery")
        seen.append(draft.read_text())

    monkeypatch.setattr("pathlib.Path.rename", look_before_renaming)
    channel._put("celery", {"number": 1})

    assert seen == ['{"number": 1}']


def test_a_message_that_cannot_be_written_leaves_nothing_for_readers(channel):
    with pytest.raises(TypeError):
        channel._put("celery", {"number": object()})

    with pytest.raises(builtin_queue.Empty):
        channel._get("celery")
