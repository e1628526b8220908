"""The agent's jobs for the worker: thin, and safe to run twice.

Each loads what it works with when it runs, so that whoever only names a job, as the scheduler does, stays small. A
worker has loaded it all before it forks (support_agent.worker).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from tickets.errors import NotFound
from tickets.queue import enqueue

if TYPE_CHECKING:
    from tickets.models import Effect

log = structlog.get_logger(__name__)


def run_sweep() -> None:
    """Repair what lost jobs and dead processes left."""
    from support_agent.runtime.recovery import sweep

    log.info("swept", **sweep().as_json())


def run_breakers() -> None:
    """Look at the last hour, and turn the system's switches."""
    from support_agent.runtime.breakers import check_system

    check_system()


def run_alerts() -> None:
    """Look what stands wrong: raise it, keep it or end it, and bring lost notices on their way."""
    from support_agent.runtime.alert_watch import evaluate

    evaluate()


def send_webhooks() -> None:
    """Events whose receiver failed are tried again when their pause is over."""
    from tickets.services.webhooks import deliveries_due

    deliveries_due()


def expire_actions() -> None:
    """Proposals whose time is up can no longer be clicked; customers see it on the card."""
    from tickets.services.actions import actions_expire

    actions_expire()


def look_after_effects() -> None:
    """What customers confirmed and another system has not answered for is sent, or asked about."""
    from tickets.services.effect_sending import effects_due

    effects_due()


def send_effect(effect_id: str) -> None:
    """Send what a customer confirmed to the system that does it, or ask what became of it."""
    from tickets.services.effect_sending import effect_send

    effect_send(effect_id)


def send_effect_later(effect: Effect) -> None:
    """In the worker, after the running transaction; one job for each step of its life."""
    enqueue(send_effect, str(effect.pk), name=f"effect:{effect.pk}:{effect.attempts}:{effect.questions}")


def refresh_customer(customer_id: str) -> None:
    """Bring our row of another system's customer up to date; one it does not know stays as it is."""
    from tickets.models import Customer
    from tickets.services.accounts import account_of

    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is not None:
        with suppress(NotFound):
            account_of(customer)


def mail_replies() -> None:
    """Replies of staff that nobody has seen for two minutes go out by e-mail."""
    from tickets.services.reply_mails import mail_unseen_replies

    if sent := mail_unseen_replies():
        log.info("replies_mailed", count=sent)


def chase_promises() -> None:
    """Remind of promises that are nearly due; what is past its time is missed."""
    from tickets.services.promise_chase import promises_chase

    promises_chase()


def route() -> None:
    """What was left unanswered goes back to the queue; what waits is assigned by load."""
    from tickets.services.assignment import route_waiting

    route_waiting()


def route_later() -> None:
    """Route in the worker, after the running transaction: somebody has a hand free."""
    enqueue(route)


def chase() -> None:
    """Remind of first replies that are nearly due, tell of those that are late, and of an empty desk."""
    from tickets.services.chasing import empty_desk_chase, escalations_chase

    escalations_chase()
    empty_desk_chase()


def assume_resolutions() -> None:
    """An answer nobody has had a word on for a day has resolved its conversation."""
    from tickets.services.resolutions import resolutions_assume

    resolutions_assume()


def run_rollups() -> None:
    """Sum the hours that have ended, and again those that may have changed."""
    from support_agent.runtime.rollups import rollups_run

    summed = rollups_run()
    log.info("summed", hours=summed.hours, days=summed.days, upto=summed.upto.isoformat())


def draw_spot_checks() -> None:
    """Draw yesterday's answers for staff to judge, unless that is done."""
    from support_agent.runtime.spot_draw import spot_checks_draw

    if drawn := spot_checks_draw():
        log.info("spot_checks_drawn", count=drawn)


def mine_gaps() -> None:
    """Questions nobody could answer join their groups; what an article answers by now is covered."""
    from support_agent.runtime.gaps import gaps_mine

    mined = gaps_mine()
    log.info("gaps_mined", questions=mined.questions, begun=mined.begun, covered=mined.covered, back=mined.back)


def keep_article_draft(task_id: str) -> None:
    """What was written for a gap becomes a draft in the help centre."""
    from support_agent.runtime.gap_draft import draft_keep

    draft_keep(task_id)


def run_nightly_evals() -> None:
    """Tonight's evaluation: each of its runs is a job of its own."""
    from support_agent.runtime.eval_nightly import nightly_start

    log.info("nightly_evals", runs=[str(run.pk) for run in nightly_start()])
