"""The ways in which the population register says no."""

from common.errors import DomainError


class BadRegisterEntryError(DomainError):
    """A household or resident cannot be kept as it was typed."""

    code = "bad-register-entry"


class RegisterNotReadyError(DomainError):
    """The register file cannot be taken over in the state it is in."""

    code = "register-not-ready"
    http_status = 409
