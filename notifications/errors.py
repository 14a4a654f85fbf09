"""The ways a message can be refused."""

from common.errors import DomainError


class TooManyCodesError(DomainError):
    """This number has asked for more sign-in codes than one person needs."""

    code = "too-many-codes"
    http_status = 429
    retry = "later"
