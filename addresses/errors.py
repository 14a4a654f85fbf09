"""The ways in which places say no."""

from common.errors import DomainError


class NoCommuneError(DomainError):
    """The portal's own commune is not among the communes."""

    code = "no-commune"
    http_status = 503
