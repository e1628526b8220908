"""The small family of exceptions that end or bend the agent's flow."""

from __future__ import annotations


class AgentError(Exception):
    """Base of everything the engine raises on purpose."""


class LimitReached(AgentError):
    """A hard limit stands in the way of the next call: step, turn, tokens, conversation, day, steps or system."""

    def __init__(self, limit: str) -> None:
        super().__init__(f"the {limit} limit is reached")
        self.limit = limit


class TurnLost(AgentError):
    """The turn belongs to another attempt or was ended from outside: stop at once, write nothing more."""


class TurnStopped(AgentError):
    """The customer or a member of staff ended the turn; `why` is stop, taken_over, closed, human or shutdown."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
