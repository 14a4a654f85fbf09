"""Log lines as JSON, with the request's id and without personal data."""

import logging
import re

from pythonjsonlogger.json import JsonFormatter as BaseJsonFormatter

from common.middleware import current_request_id

PHONE = re.compile(r"(?<![\dA-Za-z])(\+?84|0)(\d{2})[\d .-]{4,8}(\d{2})(?!\d)")
SECRET = re.compile(
    r"(?i)(authorization|password|secret|token|code|x-signature)(\"?\s*[:=]\s*\"?)"
    r"([^\s\",&;]{4,}(?: [^\s\",&;]{8,})?)"
)


def masked(text: str) -> str:
    """Hide phone numbers but for their ends, and the values of secrets.

    >>> masked("sent to +84912345678, password=verysecret1")
    'sent to +8491****78, password=***'
    """
    return SECRET.sub(r"\1\2***", PHONE.sub(r"\1\2****\3", text))


class RequestIdFilter(logging.Filter):
    """Put the current request's id on every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id.get()
        return True


class MaskFilter(logging.Filter):
    """Mask personal data in the message before any handler writes it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = masked(record.getMessage())
        record.args = ()
        return True


class JsonFormatter(BaseJsonFormatter):
    """One JSON object a line: time, level, logger, message, request id, exception."""

    def __init__(self) -> None:
        super().__init__(
            "{asctime}{levelname}{name}{message}{request_id}{exc_info}",
            style="{",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            json_ensure_ascii=False,
        )

    def formatException(  # noqa: N802  # the name is logging's
        self,
        ei: tuple[type[BaseException], BaseException, object] | tuple[None, None, None],
    ) -> str:
        return masked(super().formatException(ei))  # type: ignore[arg-type]  # same tuple, stub is narrower
