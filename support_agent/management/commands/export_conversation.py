"""`manage.py export_conversation <id or reference>`: everything of one conversation, for a bug report or a test."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.db.models import Q

from support_agent.management.base import OpsCommand
from support_agent.ops.selectors.export import conversation_export, conversation_shared
from tickets.models import Conversation

Json = dict[str, Any]


class Command(OpsCommand):
    help = "Prints one conversation with its events, turns, steps, tool calls, actions, escalations and cost."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("conversation", help="its id or its reference, such as K7F-42P")
        parser.add_argument("--personal", action="store_true", help="with addresses, phone numbers and the like")

    def handle(self, *args: Any, conversation: str, personal: bool, **options: Any) -> None:
        exported = (conversation_export if personal else conversation_shared)(_find(conversation))
        if options["json"]:
            self.print_json(exported)
        else:
            self.stdout.write("\n".join(_lines(exported)))


def _find(key: str) -> Conversation:
    query = Q(reference__iexact=key.strip())
    with suppress(ValueError):
        query |= Q(pk=UUID(key))
    found = Conversation.objects.select_related("customer").filter(query).first()
    if found is None:
        raise CommandError(f"there is no conversation with the id or reference {key!r}", returncode=2)
    return found


def _lines(exported: Json) -> list[str]:
    """The same for a person: who said what, and what each turn did."""
    head = exported["conversation"]
    who = head["customer"]["email"] if head["customer"] else "anonymous"
    lines = [f"{head['reference']}  {head['status']}  {who}  ${exported['total_cost_usd']:.6f}"]
    for event in exported["events"]:
        if event["type"] == "message":
            lines.append(f"  {event['seq']:>3} {event['message']['role']:<9} {event['message']['text']}")
        else:
            detail = event.get("state") or event.get("status") or event.get("action", {}).get("state", "")
            lines.append(f"  {event['seq']:>3} [{event['type']} {detail}]")
    for turn in exported["turns"]:
        lines.append(f"turn {turn['id']}  {turn['state']}  {turn['duration_ms']} ms  ${turn['cost_usd']:.6f}")
        for step in turn["steps"]:
            name = step.get("tool") or step.get("model", "")
            what = f"  {step['index']:>3} {step['kind']:<10} {name:<24} {step['duration_ms']:>6} ms  {step['status']}"
            lines.append(f"{what}  {step['error']}" if "error" in step else what)
    return lines
