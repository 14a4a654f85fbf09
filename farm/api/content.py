"""What bodies are made of: JSON in UTF-8, both ways."""

from collections.abc import Iterable, Mapping
from json import JSONDecodeError
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class JsonBody(JSONParser):
    """JSON is UTF-8 whatever charset is named (RFC 8259 §8.1), and no deeper than can be read."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        in_utf_8 = {**(parser_context or {}), "encoding": "utf-8"}
        try:
            return super().parse(stream, media_type, in_utf_8)
        except RecursionError as error:
            raise ParseError(_("This JSON has too many levels.")) from error
        except ParseError as error:
            raise ParseError(_not_json(error.__context__)) from error


def _not_json(cause: BaseException | None) -> str:
    """Say where reading stopped; the parser's own words are English alone."""
    if not isinstance(cause, JSONDecodeError):
        return _("This is not JSON.")
    where = {"line": cause.lineno, "column": cause.colno}
    return _("This is not JSON: look at line %(line)s, column %(column)s.") % where


class AlwaysJson(DefaultContentNegotiation):
    """Answer in JSON whatever is asked for: there is nothing else (RFC 9110 §12.5.1 allows it)."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        (renderer,) = renderers
        return renderer, str(renderer.media_type)
