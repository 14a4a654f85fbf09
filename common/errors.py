"""The ways a rule can say no, in words that the person who meets them understands."""

from typing import Any, ClassVar

from django.utils.functional import Promise


class DomainError(Exception):
    """A broken rule: a stable `code` for programs, a translated sentence for people."""

    code: ClassVar[str] = "refused"
    http_status: ClassVar[int] = 422
    retry: ClassVar[str] = "never"

    def __init__(self, message: str | Promise, **facts: Any) -> None:
        """Keep the sentence lazy, so that it is shown in the reader's language."""
        super().__init__(message)
        self.message = message
        self.facts = facts

    def __str__(self) -> str:
        return str(self.message)
