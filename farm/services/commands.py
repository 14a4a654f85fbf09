"""The front door of commands: asking, sending, hearing, and what time makes of them."""

from farm.services.calibration import request_calibrate
from farm.services.command_acks import settle_unknown, take_ack
from farm.services.command_requests import (
    request_dose,
    request_ping,
    request_resend,
    request_run,
    request_set,
    request_stop,
    stop_everything,
)
from farm.services.command_sending import advance, send_due

__all__ = [
    "advance",
    "request_calibrate",
    "request_dose",
    "request_ping",
    "request_resend",
    "request_run",
    "request_set",
    "request_stop",
    "send_due",
    "settle_unknown",
    "stop_everything",
    "take_ack",
]
