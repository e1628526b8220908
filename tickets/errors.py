"""What can go wrong at the desk; `code` is for programs, the text is a plain sentence for people.

DeskError
├── NotFound        foreign and missing alike
├── NotAllowed      the role does not permit it
├── Conflict        somebody was faster, or the same id came with other content
│   └── Moved       the thread went on meanwhile; `seq` is its newest event
├── Expired         a proposal, code or token is past its time
├── NotEligible     policy says no; `reason` is its code
├── Empty, TooLong  a message's text
├── RateLimited     too often; `retry_after` in seconds
├── BudgetReached   the hard limit of a surface is spent
└── Paused          the assistant takes no new conversations for now
"""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tickets.languages import Words

MAX_TEXT = 5000


class DeskError(Exception):
    code = "error"

    def __init__(self, message: Words) -> None:
        self.message = str(message)
        super().__init__(self.message)


class NotFound(DeskError):
    code = "not_found"

    def __init__(self, message: Words = "") -> None:
        super().__init__(message or _("We could not find that."))


class NotAllowed(DeskError):
    code = "not_allowed"


class Conflict(DeskError):
    code = "conflict"


class SentAlready(Conflict):
    """The id of a form of staff came a second time, with other words."""

    def __init__(self) -> None:
        super().__init__("Something was sent from this form already. Read the thread; send this too if it is needed.")


class Moved(Conflict):
    code = "moved"

    def __init__(self, seq: int) -> None:
        super().__init__("The conversation went on while you wrote. Read what is new, then send your reply.")
        self.seq = seq


class Expired(DeskError):
    code = "expired"


class NotEligible(DeskError):
    code = "not_eligible"

    def __init__(self, reason: str, message: Words) -> None:
        super().__init__(message)
        self.reason = reason


class Empty(DeskError):
    code = "empty"

    def __init__(self) -> None:
        super().__init__(_("Write a message first."))


class TooLong(DeskError):
    code = "too_long"

    def __init__(self, limit: int = MAX_TEXT) -> None:
        super().__init__(
            _("That message is longer than %(limit)s characters. Please send it in parts.")
            % {"limit": number_format(limit, force_grouping=True)}
        )


class RateLimited(DeskError):
    code = "rate_limited"

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            ngettext(
                "That was a lot at once. Please try again in %(seconds)s second.",
                "That was a lot at once. Please try again in %(seconds)s seconds.",
                retry_after,
            )
            % {"seconds": retry_after}
        )
        self.retry_after = retry_after


class BudgetReached(DeskError):
    code = "budget"


class Paused(DeskError):
    code = "paused"
