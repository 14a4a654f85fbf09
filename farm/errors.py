"""The ways the greenhouse can say no."""

from common.errors import DomainError


class SafetyError(DomainError):
    """An interlock holds the output back; `facts["interlock"]` names it."""

    code = "interlock"
    http_status = 409


class OutputLockedError(DomainError):
    """Somebody has locked the output; only what the lock allows may switch it."""

    code = "output-locked"
    http_status = 409


class CommandRefusedError(DomainError):
    """The command cannot be given in this form: too long, of the wrong kind, out of range."""

    code = "command-refused"


class RuleInvalidError(DomainError):
    """The settings of a programme do not say what it needs; `facts["errors"]` lists why."""

    code = "rule-invalid"


class BatchEntryRefusedError(DomainError):
    """The entry does not belong into this batch's book."""

    code = "batch-entry-refused"


class TooManyTokensError(DomainError):
    """Somebody has as many API keys as one may have."""

    code = "too-many-keys"


class IdempotencyKeyReusedError(CommandRefusedError):
    """The caller's key already stands for another command."""

    code = "idempotency-key-reused"
