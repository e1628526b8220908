"""The whole demo in one transaction: the desk's records, then the assistant's traces of past conversations."""

from __future__ import annotations

from django.apps import apps
from django.db import connection, transaction
from django.utils import timezone

from support_agent.demo.cast import KEY_OWNER, seed_api_key
from support_agent.demo.drafted import seed_drafts
from support_agent.demo.judged import seed_eval_runs, seed_spot_checks
from support_agent.demo.past import seed_conversations
from support_agent.models import Draft, EvalResult, EvalRun, Spend, SpotCheck, SpotLabel, Step, Task, ToolCall, Turn
from tickets.demo.articles import load_articles
from tickets.demo.canned import seed_canned
from tickets.demo.people import CAST
from tickets.demo.seed import ORDER_OF_WRITING as DESK_ROWS
from tickets.demo.seed import seed_desk
from tickets.demo.world import World
from tickets.models import (
    Action,
    Conversation,
    Customer,
    Escalation,
    Event,
    Feedback,
    Message,
    Promise,
    Resolution,
    Return,
    Survey,
    Verification,
)

# Parents before children; returns and refunds point at the actions that made them, so these come before.
CONVERSATION_ROWS = (
    Conversation,
    Message,
    Event,
    Verification,
    Action,
    Escalation,
    Promise,
    Survey,
    Feedback,
    Resolution,
)
TRACE_ROWS = (Turn, Step, ToolCall, Spend)
JUDGED_ROWS = (SpotCheck, SpotLabel, EvalRun, EvalResult, Task, Draft)
FIRST_RETURN = DESK_ROWS.index(Return)


def seed_demo() -> bool:
    """Make the demo shop unless it is there; whether it was made. All of it or nothing."""
    if Customer.objects.filter(email=CAST[0].email).exists():
        return False
    with transaction.atomic():
        world = World(timezone.now())
        desk = seed_desk(world)
        seed_conversations(desk)
        seed_canned(world, desk.teams)  # last: what is drawn before stays as it was
        seed_spot_checks(world, desk.staff)
        seed_eval_runs(world)
        seed_drafts(world)
        rows = (*DESK_ROWS[:FIRST_RETURN], *CONVERSATION_ROWS, *DESK_ROWS[FIRST_RETURN:], *TRACE_ROWS, *JUDGED_ROWS)
        world.save(rows)
        load_articles()
        seed_api_key(desk.staff[KEY_OWNER])
        _count_rows()
    return True


def _count_rows() -> None:
    """Tell PostgreSQL what was just written: without it, it plans its first queries for empty tables."""
    models = [model for app in ("tickets", "support_agent") for model in apps.get_app_config(app).get_models()]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE " + ", ".join(connection.ops.quote_name(model._meta.db_table) for model in models))
