"""The ways in which accounts say no."""

from common.errors import DomainError


class AlreadyOfficialError(DomainError):
    """The number is an official's already; what they hold is changed in the back office."""

    code = "already-official"
    http_status = 409
