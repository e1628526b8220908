"""What is configured, what answers, what is missing, each with its mend: `manage.py doctor`, and `--live` before and
after going live."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from django.conf import settings

from support_agent.doctor import address, asked, data, here, people
from support_agent.doctor.finding import Finding, State, findings, findings_within
from support_agent.launch.checks import database_trouble

__all__ = ["Finding", "State", "examine", "examine_live"]
ADDRESS_S, ASKED_S = 20, 40
ELSEWHERE = {
    "_alerts",
    "_processes",
    "_tests",
    "_workspace",
}  # asked more strictly below, or nobody's matter in production


def examine() -> list[Finding]:
    """Every check of an installation, none of which stops the others."""
    return [one for check in here.CHECKS for one in findings(check)]


def examine_live(*, ask_model: bool, send_mail: str) -> Iterator[Finding]:
    """Whether customers may come; a model is paid and a mail leaves only when asked for."""
    for usual in here.CHECKS:
        if usual.__name__ not in ELSEWHERE:
            yield from findings(usual)
    away = bool(database_trouble(settings.DATABASE_URL))  # said above; nothing waits for it again and again
    for check in (*data.CHECKS, *(() if away else (*data.DATABASE_CHECKS, *people.CHECKS))):
        yield from findings(check)
    yield from findings_within(ADDRESS_S, "address", address.public_address)
    if ask_model:
        yield from findings_within(ASKED_S, "model asked", asked.model_answer)
    if send_mail:
        yield from findings_within(ASKED_S, "mail sent", partial(asked.mail_sent, send_mail))
