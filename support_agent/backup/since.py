"""What a backup holds of things under way: since it was made they were sent, done or ended, and must not be again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

# What is said of it, and what is written: everything in one transaction.
STATEMENTS: tuple[tuple[str, str], ...] = (
    ("staff and customers signed in again: {} sessions ended", "DELETE FROM django_session"),
    ("", "DELETE FROM usersessions_usersession"),
    (
        "changes in other systems that were open: {}, to be asked about",
        """UPDATE tickets_effect SET state = 'unknown', attempts = greatest(attempts, 1), questions = questions + 1,
            next_at = now(), deadline_at = now() + interval '15 minutes', last_error = 'Restored from a backup.'
            WHERE state IN ('intended', 'sending', 'unknown') AND settled_at IS NULL""",
    ),
    (
        "webhooks that waited: {}, not sent; the admin sends one again",
        """UPDATE tickets_webhookdelivery SET state = 'failed', error = 'Restored from a backup.'
            WHERE state = 'waiting'""",
    ),
    ("e-mails that waited: {}, not sent", "DELETE FROM tickets_job WHERE queue = 'mail'"),
)


def leave_behind(connection: psycopg.Connection[Any], say: Callable[[str], None]) -> None:
    """End sessions, have open effects asked about before anything is sent, and send no webhook and no e-mail twice."""
    with connection.transaction():
        for sentence, statement in STATEMENTS:
            count = connection.execute(statement.encode()).rowcount
            if sentence:
                say(sentence.format(count))
