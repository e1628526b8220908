"""A request that the API would not take."""

from __future__ import annotations


class Refused(Exception):
    """An error response: its HTTP status and the `type` of its error."""

    def __init__(self, message: str, *, status: int = 400, kind: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.message, self.status, self.kind = message, status, kind


def demand(holds: bool, message: str, *, status: int = 400, kind: str = "invalid_request_error") -> None:
    """Raise Refused unless it holds."""
    if not holds:
        raise Refused(message, status=status, kind=kind)
