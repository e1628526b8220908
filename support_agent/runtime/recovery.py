"""What a dead process left: queued jobs that were lost, reservations nobody settles, turns nobody will take.

`sweep` runs at start, by cron and by hand; running it twice changes nothing. Turns that a dead runner left are taken
by the others within a second; what remains here is what has no runner to notice it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta

from django.utils import timezone

from support_agent.models import Heartbeat, Task, Turn
from support_agent.runtime import signals
from support_agent.runtime.blast import blasts_repair
from support_agent.runtime.claims import charge_lost_call
from support_agent.runtime.endings import LIVE, LIVE_TASKS, STOPPED
from support_agent.runtime.eval_rows import runs_repair
from support_agent.runtime.replay import replays_repair
from tickets.models import Conversation, Escalation
from tickets.queue import jobs_recover
from tickets.services.actions import actions_expire
from tickets.services.articles import articles_embed_later
from tickets.services.effect_sending import effects_due
from tickets.services.escalations import escalation_open
from tickets.services.identity import verifications_expire

STALE = timedelta(days=1)
DEAD = timedelta(minutes=2)  # whoever could have said what its call cost
OPEN = [Escalation.Status.WAITING, Escalation.Status.CLAIMED]


@dataclass(slots=True)
class Swept:
    """How much of each was repaired."""

    turns_waiting: int = 0
    jobs_again: int = 0
    tasks_stopped: int = 0
    conversations_without_owner: int = 0
    actions_expired: int = 0
    effects_due: int = 0
    verifications_expired: int = 0
    articles_enqueued: int = 0
    replays: int = 0
    eval_runs: int = 0
    blasts: int = 0
    lost_calls: int = 0

    def as_json(self) -> dict[str, int]:
        return asdict(self)


def sweep() -> Swept:
    """Repair everything that can be repaired without a runner; wake the runners for the rest."""
    swept = Swept(
        actions_expired=actions_expire(),
        effects_due=effects_due(),
        verifications_expired=verifications_expire(),
        articles_enqueued=articles_embed_later(),
        jobs_again=jobs_recover(),
        replays=replays_repair(),
        eval_runs=runs_repair(),
        blasts=blasts_repair(),
    )
    now = timezone.now()
    # Ended from outside, and then its runner died before it could say what its call had cost.
    ended = Turn.objects.filter(created_at__gt=now - STALE, finished_at__lt=now - DEAD, reservation__isnull=False)
    for turn in ended[:100]:
        charge_lost_call(turn, attempt=turn.attempt)
        swept.lost_calls += 1
    over = Task.objects.filter(state__in=LIVE_TASKS, turn__isnull=False).exclude(turn__state__in=LIVE)
    swept.tasks_stopped = over.update(state=Task.State.STOPPED, result=STOPPED)
    # No conversation without an owner and a next step (I2): one that waits needs its escalation.
    ownerless = Conversation.objects.filter(status=Conversation.Status.WAITING).exclude(escalations__status__in=OPEN)
    for conversation in ownerless[:100]:
        escalation_open(conversation=conversation, reason="unsure", summary="It waited for a person without an owner.")
        swept.conversations_without_owner += 1
    Heartbeat.objects.filter(seen_at__lt=now - STALE).delete()
    swept.turns_waiting = Turn.objects.filter(state__in=LIVE).count()
    if swept.turns_waiting:
        signals.wake()
    return swept
