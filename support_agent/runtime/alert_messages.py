"""What a notice says: a subject and a text for people, JSON for programs. Ids and masked addresses, no names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from support_agent.models import Alert, AlertDelivery
from support_agent.runtime.alert_rules import RUNBOOK, anchor_of, rule_of
from tickets import hours
from tickets.redaction import EMAIL, without_personal
from tickets.services.identity import mask_email

Json = dict[str, Any]
Notice = AlertDelivery.Notice
SHOWN = 10  # of a digest
MARKS = {Notice.RESOLVED.value: "resolved", Notice.WORSE.value: "worse"}


@dataclass(frozen=True, slots=True)
class Message:
    """One mail or one call of a webhook."""

    id: UUID
    subject: str
    body: str
    payload: Json


def message_of(message_id: UUID, notices: Sequence[tuple[str, Alert]], now: datetime) -> Message:
    """One alert's message, or the digest of many."""
    shown, more = notices[:SHOWN], len(notices) - SHOWN
    if len(notices) == 1:
        notice, alert = notices[0]
        kind, subject, body = f"alert.{notice}", _line(notice, alert), _body(notice, alert)
    else:
        kind, subject = "alert.digest", _digest_subject(notices)
        body = "\n\n".join(f"{_line(notice, alert)}\n{page_of(alert)}" for notice, alert in shown)
        if more > 0:
            body += f"\n\nand {more} more"
        body += f"\n\nAll alerts: {settings.SITE_ORIGIN}/admin/ops/alerts/\n"
    payload = {
        "id": str(message_id),
        "type": kind,
        "sent_at": now.isoformat(),
        "text": subject,
        "alerts": [_json(notice, alert) for notice, alert in shown],
        "more": max(0, more),
        "url": f"{settings.SITE_ORIGIN}/admin/ops/alerts/",
    }
    return Message(message_id, subject, body, payload)


def trial_message(message_id: UUID, now: datetime) -> Message:
    """What 'send a test' sends."""
    words, page = "This is a test: alerts reach you here.", f"{settings.SITE_ORIGIN}/admin/ops/alerts/"
    payload: Json = {"id": str(message_id), "type": "alert.test", "sent_at": now.isoformat(), "text": words,
                     "alerts": [], "more": 0, "url": page}  # fmt: skip
    return Message(message_id, "[test] Alerts reach you here", f"{words}\n\n{page}\n", payload)


def page_of(alert: Alert) -> str:
    return f"{settings.SITE_ORIGIN}/admin/ops/alerts/{alert.pk}/"


def runbook_of(alert: Alert) -> str:
    """The runbook's section as a page."""
    return f"{settings.SITE_ORIGIN}/admin/ops/runbook/#{anchor_of(alert.kind)}"


def cause_lines(causes: Json) -> list[str]:
    """The causes in words, a line each."""
    if not causes:
        return []
    lines = [f"The hour before: {causes['turns']} turns, {causes['cost_usd']} USD"]
    for one in causes["customers"]:
        share = f", {one['share']:.0%} of the cost" if one["share"] is not None else ""
        lines.append(f"Customer {one['shown']} {one['id']}".rstrip() + f": {_turns(one['turns'])}{share}")
    lines += [f"Tool {one['tool']}: {one['calls']} calls, {one['failed']} failed" for one in causes["tools"]]
    lines += [f"Prompt {one['version']}: {_turns(one['turns'])}" for one in causes["prompts"]]
    if causes["cache_share"] is not None:
        lines.append(f"Read from the cache: {causes['cache_share']:.0%} of the prompt tokens")
    return lines


def masked(text: str) -> str:
    """A text without whole e-mail addresses, and without anything else that is personal."""
    return without_personal(EMAIL.sub(lambda match: mask_email(match[0]), text))


def _turns(number: int) -> str:
    return f"{number} turn{'' if number == 1 else 's'}"


def _line(notice: str, alert: Alert) -> str:
    ended = alert.resolved_at is not None and notice != Notice.RESOLVED
    mark = MARKS.get(notice) or alert.severity
    return f"[{mark}] {masked(alert.text)}" + (" (over by now)" if ended else "")


def _digest_subject(notices: Sequence[tuple[str, Alert]]) -> str:
    first = _line(*notices[0])
    return f"{len(notices)} alerts: {first[:90]} and {len(notices) - 1} more"


def _body(notice: str, alert: Alert) -> str:
    """Everything that a person just woken needs, in this order: what, since when, why, where to look, what to do."""
    rule = rule_of(alert.kind)
    since = alert.created_at.astimezone(hours.zone())
    parts = [masked(alert.text)]
    if rule.means:
        parts.append(rule.means)
    when = f"Since {since:%A %H:%M} (shop's time)"
    if alert.resolved_at is not None:
        when += f", over at {alert.resolved_at.astimezone(hours.zone()):%A %H:%M}"
    parts.append(when + ".")
    facts = "\n".join(f"{name.replace('_', ' ')}: {masked(str(value))}" for name, value in alert.details.items())
    if facts:
        parts.append(facts)
    if notice != Notice.RESOLVED and (lines := cause_lines(alert.causes)):
        parts.append("\n".join(lines))
    links = [f"{words}: {settings.SITE_ORIGIN}{path}" for words, path in rule.pages]
    anchor = f"{RUNBOOK}#{anchor_of(alert.kind)}"
    parts.append("\n".join([f"Alert: {page_of(alert)}", *links, f"What to do: {runbook_of(alert)} ({anchor})"]))
    return "\n\n".join(parts) + "\n"


def _json(notice: str, alert: Alert) -> Json:
    return {
        "id": str(alert.pk),
        "notice": notice,
        "kind": alert.kind,
        "key": alert.key,
        "severity": alert.severity,
        "text": masked(alert.text),
        "raised_at": alert.created_at.isoformat(),
        "resolved_at": alert.resolved_at.isoformat() if alert.resolved_at else None,
        "details": {name: masked(str(value)) for name, value in alert.details.items()},
        "causes": alert.causes,
        "url": page_of(alert),
        "runbook": f"{RUNBOOK}#{anchor_of(alert.kind)}",
        "runbook_url": runbook_of(alert),
    }
