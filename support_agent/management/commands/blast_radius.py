"""`manage.py blast_radius --article SLUG --file F | --prompt NAME:N | --tool NAME`: what a change would alter."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any, NoReturn

import yaml
from django.core.management.base import CommandParser

from support_agent.management.base import OpsCommand
from support_agent.models import BlastRadius, PromptVersion, Replay, RunState
from support_agent.runtime.blast import blast_create, run_blast
from support_agent.runtime.blast_judge import verdict_on
from support_agent.runtime.blast_tally import sentence, tallies_of
from support_agent.runtime.blast_verdict import OTHERWISE, SAME
from tickets.errors import DeskError
from tickets.models import Article, Message

Json = dict[str, Any]
HEAD = {"title", "category", "summary", "keywords", "status"}


class Command(OpsCommand):
    help = (
        "Takes past turns again under a change that is not live, with simulated side effects, and tells which would be "
        "answered otherwise. It costs what its model calls cost; exit code 1 when it could not be run to its end."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        change = parser.add_mutually_exclusive_group(required=True)
        change.add_argument("--article", metavar="SLUG", help="with --file the text it would have, or with --unpublish")
        change.add_argument("--prompt", metavar="NAME:N", help="a saved version, such as assistant:3")
        change.add_argument("--tool", metavar="NAME", help="without it; with --now as its code is here")
        parser.add_argument(
            "--file", metavar="FILE", help="Markdown, with or without a head of title, summary, keywords"
        )
        parser.add_argument("--unpublish", action="store_true", help="the article taken out of the help centre")
        parser.add_argument("--now", action="store_true", help="the tool as its code is here, not disabled")
        parser.add_argument("--days", type=int, default=30, help="how far back turns are looked for")
        parser.add_argument("--most", type=int, default=40, help="how many turns are taken again")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = blast_create(days=options["days"], most=options["most"], **self._change(options))
        except DeskError as refusal:
            self._wrong(refusal.message)
        radius = asyncio.run(run_blast(made.pk))
        report = report_of(radius)
        if options["json"]:
            self.print_json(report)
        else:
            self.stdout.write("\n".join(lines(report)))
        if radius.state == RunState.FAILED:
            sys.exit(1)

    def _change(self, options: Json) -> Json:
        if name := options["article"]:
            return self._article(name, options)
        if options["file"] or options["unpublish"]:
            self._wrong("--file and --unpublish belong to --article")
        if options["tool"]:
            return {"tool": options["tool"], "tool_as": BlastRadius.ToolAs.NOW if options["now"] else "off"}
        name, _, number = options["prompt"].rpartition(":")
        found = PromptVersion.objects.filter(name=name or "assistant", number=int(number) if number.isdecimal() else 0)
        if (version := found.first()) is None:
            self._wrong(f"there is no saved version “{options['prompt']}”; name one like assistant:3")
        return {"prompt": version}

    def _article(self, slug: str, options: Json) -> Json:
        if bool(options["file"]) == options["unpublish"]:
            self._wrong("an article needs either --file or --unpublish")
        article = Article.objects.filter(slug=slug).first()
        if options["unpublish"]:
            if article is None:
                self._wrong(f"there is no article “{slug}”")
            return {"article": article, "draft": {"status": Article.Status.DRAFT}}
        try:
            draft = read_draft(Path(options["file"]).read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            self._wrong(f"{options['file']} cannot be read: {problem}")
        status = article.status if article else Article.Status.PUBLISHED
        return {"article": article, "draft": {"slug": slug, "status": status, **draft}}

    def _wrong(self, message: str) -> NoReturn:
        self.stderr.write(f"blast_radius: {message}")
        sys.exit(2)


def read_draft(text: str) -> dict[str, str]:
    """The fields of an article that a file holds: all of it is the body unless it begins with a head between `---`.
    Raises ValueError."""
    if not text.startswith("---\n"):
        return {"body": text.strip()}
    try:
        _, head, body = text.split("---\n", 2)
        fields = yaml.safe_load(head) or {}
    except (ValueError, yaml.YAMLError):
        raise ValueError("its head does not end with a line of --- or is no YAML") from None
    if not isinstance(fields, dict):
        raise ValueError("its head is no list of fields")
    if isinstance(fields.get("keywords"), list):
        fields["keywords"] = ", ".join(map(str, fields["keywords"]))
    return {name: str(value) for name, value in fields.items() if name in HEAD} | {"body": body.strip()}


def report_of(radius: BlastRadius) -> Json:
    """What it came to, with every turn that is not the same."""
    tally = tallies_of([radius])[radius.pk]
    mine = Replay.objects.filter(radius=radius).select_related("turn__conversation", "radius__article")
    baselines = {one.turn_id: one for one in mine.filter(is_baseline=True)}
    return {
        "id": str(radius.pk),
        "kind": radius.kind,
        "state": radius.state,
        "error": radius.error or None,
        "summary": sentence(radius, tally),
        "touched": radius.touched,
        "turns": tally.drawn,
        "otherwise": tally.otherwise,
        "worded": tally.worded,
        "drift": tally.drift,
        "same": tally.same,
        "failed": tally.failed,
        "cost_usd": float(tally.usd),
        "changed": [
            _turn(one, baselines.get(one.turn_id))
            for one in mine.filter(is_baseline=False).exclude(verdict__in=("", SAME)).order_by("created_at", "pk")
        ],
    }


def _turn(replay: Replay, baseline: Replay | None) -> Json:
    said = Message.objects.filter(turn_id=replay.turn_id, role=Message.Role.ASSISTANT).values_list("text", flat=True)
    return {
        "turn_id": str(replay.turn_id),
        "reference": replay.turn.conversation.reference,
        "replay_id": str(replay.pk),
        "verdict": replay.verdict,
        "reasons": list(verdict_on(replay, baseline).reasons),
        "before": {"outcome": replay.turn.state, "text": said.first() or ""},
        "after": {"outcome": replay.outcome, "text": replay.text},
    }


def lines(report: Json) -> list[str]:
    """The same for a person; what changes gravely first."""
    found = [report["summary"]]
    found += [f"  error: {report['error']}"] if report["error"] else []
    for one in sorted(report["changed"], key=lambda turn: turn["verdict"] != OTHERWISE):
        found += [
            "",
            f"{one['reference']}  {one['verdict']}  {'; '.join(one['reasons'])}".rstrip(),
            f"  then: {one['before']['text']}",
            f"  with the change: {one['after']['text']}",
        ]
    return [*found, "", f"{report['turns']} of {report['touched']} touched turns, ${report['cost_usd']:.4f}"]
