"""A desk in which every text that can be stored holds payloads: one row of every model for each set, made by what the
models say of themselves, and conversations said through the services.

A model or a field that is new is planted without a word here. What has a shape that code relies on is given in GIVEN.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from support_agent.models import Step, ToolCall, Turn
from tests.cast import Cast
from tickets.models import Article, Attachment, Conversation, Customer, StaffProfile, User, Workspace
from tickets.models.workspace import usual_week
from tickets.services.actions import action_propose
from tickets.services.articles import article_index
from tickets.services.attachments import attachment_payload
from tickets.services.conversations import conversation_claim, conversation_create
from tickets.services.escalations import escalation_open
from tickets.services.messages import message_assistant, message_post, message_staff, message_system
from tickets.services.notes import note_add
from tickets.services.promises import promise_make
from tickets.services.surveys import feedback_give, survey_request
from tickets.workspace import DEFAULT, forget

Json = dict[str, Any]
WORD = "zebra"  # in every article, to be searched for
URLS = ("/help/", "javascript:xss()", "//evil.example/", "https://evil.example/?q=1")
OURS = ("tickets", "support_agent")
BY_SERVICES = {
    "event",
    "message",
    "articlesection",
    "searchterm",
    "translatedterm",
    "searchindex",
    "rollupmark",
    "attachment",
    "feedback",
}
KEPT = {"password", "html", "slug", "token_hash", "key_hash", "code_hash", "address_hash", "digest", "lock_key"}


class Planter:
    """Gives out payloads in turn: one that fits, or, where there is room, a share of all of them at once."""

    def __init__(self, payloads: Sequence[str], sets: int) -> None:
        self.payloads = [payload.replace("\x00", "") for payload in payloads]
        size = -(-len(self.payloads) // sets)
        self.shares = [self.payloads[at : at + size] for at in range(0, len(self.payloads), size)]
        self.sets = len(self.shares)
        self._turn = itertools.cycle(self.payloads)
        self._number = itertools.count()

    def fitting(self, limit: int | None, *, unique: bool = False) -> str:
        """The next payload of at most that many characters, or what fits of one."""
        tail = f" {next(self._number)}" if unique else ""
        room = (limit or 300) - len(tail)
        for _ in self.payloads:
            if len(found := next(self._turn)) <= room:
                return found + tail
        return next(self._turn)[:room] + tail


class World:
    """`conversations` are those said through the services, one for each set."""

    def __init__(self, payloads: Sequence[str], cast: Cast, *, sets: int = 1) -> None:
        self.cast = cast
        self.planter = Planter(payloads, sets)
        self.rows: dict[type[models.Model], list[models.Model]] = {}
        self.conversations: list[Conversation] = []
        for at in range(self.planter.sets):
            self._set(at)
        for user in (cast.admin, cast.agent):
            StaffProfile.objects.filter(user=user).update(display_name=self.planter.fitting(80))
            User.objects.filter(pk=user.pk).update(first_name=self.planter.fitting(150))
        for article in Article.objects.all():
            article_index(article=article, embed=False)

    def _set(self, at: int) -> None:
        share = self.planter.shares[at]
        made: dict[type[models.Model], models.Model] = {Group: Group.objects.all()[0]}
        for model in in_order():
            made[model] = self._row(model, made, share)
            self.rows.setdefault(model, []).append(made[model])
        customer = made[Customer]
        assert isinstance(customer, Customer)
        self.conversations.append(self._talk(customer, share))

    # One row of a model

    def _row(self, model: type[models.Model], made: dict[type[models.Model], models.Model], share: list[str]) -> Any:
        values: Json = {field.name: self._value(field, made, share) for field in model._meta.concrete_fields}
        values = {name: value for name, value in values.items() if value is not None}
        if given := GIVEN.get(str(model._meta.model_name)):
            values |= given(share)
        if model is Workspace:  # one row, made by its migration and gone where a test has emptied all tables
            workspace, _ = Workspace.objects.update_or_create(id=1, defaults=values)
            forget()
            return workspace
        try:
            with transaction.atomic():
                return model._default_manager.create(**values)
        except IntegrityError:
            if model not in self.rows:
                raise
            return self.rows[model][-1]  # one for each choice of a field, and the first has been made

    def _value(self, field: Any, made: dict[type[models.Model], models.Model], share: list[str]) -> Any:
        if field.name in KEPT and not field.unique:
            return None
        unique = field.unique or any(field.name in c.fields for c in field.model._meta.total_unique_constraints)
        match field:
            case models.ForeignKey() | models.OneToOneField():
                return made.get(field.related_model)
            case models.EmailField():
                return f'"{self.planter.fitting(60)}"@{uuid4().hex[:8]}.example'
            case models.SlugField():
                return uuid4().hex[:16]
            case models.CharField() if field.choices:
                return field.get_default() or field.choices[0][0]
            case models.CharField():
                return self.planter.fitting(field.max_length, unique=unique)
            case models.TextField():
                return "\n\n".join(share)
            case models.JSONField():
                return [*share] if field.default is list else {each: each for each in share[:8]} | {"text": share}
            case models.UUIDField() if not field.primary_key:
                return None if field.null else uuid4()
            case models.DateTimeField() | models.DateField():
                return None if field.null or field.has_default() else timezone.now()
            case models.BooleanField():
                return None if field.has_default() else False
            case models.DecimalField() | models.IntegerField() if not field.primary_key:
                return None if field.null or field.has_default() else 1
        return None

    # What is said

    def _talk(self, customer: Customer, share: list[str]) -> Conversation:
        conversation, _ = conversation_create(
            channel="chat", customer=customer, identity="session", locale=share[0][:12], metadata={"page": share}
        )
        if customer.user is None:
            customer.user = User.objects.create_user(uuid4().hex)
            customer.save()
        self._turn(conversation, share)
        message_system(conversation=conversation, text="\n\n".join(share))
        tomorrow = timezone.now() + timedelta(days=1)
        for at, payload in enumerate(share[:3]):
            action_propose(
                conversation=conversation, customer=customer, turn_id=None, tool=payload[:64],
                arguments={"reason": payload, "skus": share, payload: {payload: payload}}, summary=payload[:300],
                preview={payload: payload}, idempotency_key=f"{conversation.pk}-{at}",
            )  # fmt: skip
            promise_make(
                conversation=conversation,
                text=payload,
                due_at=tomorrow,
                made_by=self.cast.agent,
            )
        escalation_open(conversation=conversation, reason="asked", summary="\n".join(share), team="billing")
        for text in parts(share):
            note_add(conversation_id=conversation.pk, author=self.cast.lead, text=f"@agent {text}")
        if len(self.conversations) % 2:
            conversation_claim(conversation_id=conversation.pk, staff=self.cast.agent)
        for text in paragraphs(share):
            message_staff(conversation=conversation, staff=self.cast.agent, text=text)
        survey_request(conversation=conversation)
        conversation.refresh_from_db()
        return conversation

    def _turn(self, conversation: Conversation, share: list[str]) -> None:
        turn = Turn.objects.create(
            conversation=conversation, surface="signed_in", state="failed", path="planned", topic=share[0][:80],
            error=share[-1], prompt_version=share[0][:40], started_at=timezone.now(), finished_at=timezone.now(),
            tools_offered=share,
        )  # fmt: skip
        file = attachment_payload(self._attachment(conversation, share[0]))
        for text in parts(share):
            message_post(conversation=conversation, client_message_id=uuid4(), text=text, attachments=[file])
        sources = [
            {"n": n, "title": payload, "url": url}
            for n, (payload, url) in enumerate(
                zip(share, ("/help/", "javascript:xss()", "//evil.example/"), strict=False), 1
            )
        ]
        text = "[1] [2] [3] " + "\n\n".join(share)
        answer = message_assistant(conversation=conversation, text=text, turn_id=turn.pk, sources=sources)
        feedback_give(conversation=conversation, message_id=answer.pk, helpful=False, reason=share[0])
        result = {"status": "success", "text": share, **{payload: payload for payload in share[:6]}}
        use = {"type": "tool_use", "id": "toolu_1", "name": share[0][:64], "input": {"query": share}}
        content = [{"type": "thinking", "thinking": share[0]}, {"type": "text", "text": text}, use]
        steps: list[tuple[str, Json]] = [
            ("guard", {"output": {"score": 0.9, "reasons": share}}),
            ("plan", {"output": {"goal": share[0], "topic": share[-1], "steps": [{"description": d} for d in share]}}),
            ("model_call", {"output": {"stop_reason": share[0], "content": content}, "input": {"messages": share}}),
            (
                "tool_call",
                {"tool": share[0][:64], "input": {"query": share}, "output": result, "status": share[0][:24]},
            ),
            ("critic", {"output": {"accepted": False, "issues": share, "claims": share, "text": text}}),
            ("error", {"error": "\n".join(share), "status": "error", "model": share[0][:60]}),
        ]
        for index, (kind, fields) in enumerate(steps):
            Step.objects.create(turn=turn, index=index, kind=kind, **fields)
        ToolCall.objects.create(
            turn=turn, conversation=conversation, tool=share[0][:64], tool_use_id=share[0][:80], result=result,
            arguments={"query": share}, idempotency_key=str(uuid4()), status="error",
        )  # fmt: skip

    def _attachment(self, conversation: Conversation, payload: str) -> Attachment:
        attachment = Attachment(conversation=conversation, name=payload[:120], content_type="image/png", size=1)
        attachment.file.save("", ContentFile(b"x"), save=False)
        attachment.save(force_insert=True)
        return attachment


def paragraphs(share: list[str]) -> Iterator[str]:
    """Texts of a few payloads each, as paragraphs; one that would swallow what follows it stands alone."""
    alone = [payload for payload in share if re.search(r"```|~~~|<!--|`", payload)]
    rest = [payload for payload in share if payload not in alone]
    yield from alone
    yield from ("\n\n".join(rest[at : at + 6]) for at in range(0, len(rest), 6))


def parts(share: list[str]) -> Iterator[str]:
    """All of them, a line each, in texts that one message takes."""
    yield from ("\n".join(share[at : at + 80]) for at in range(0, len(share), 80))


def in_order() -> list[type[models.Model]]:
    """Our models, each after those it points at."""
    waiting = [
        model
        for app in OURS
        for model in apps.get_app_config(app).get_models()
        if model._meta.model_name not in BY_SERVICES
    ]
    done: list[type[models.Model]] = []
    while waiting:
        for model in waiting:
            targets = {f.related_model for f in model._meta.concrete_fields if f.is_relation} - {model}
            if not targets & set(waiting):
                done.append(model)
                waiting.remove(model)
                break
        else:
            raise AssertionError(f"a circle among {waiting}")
    return done


def unplanted(payloads: Sequence[str]) -> set[str]:
    """Text fields in which no row holds a payload, or as much of one as fits; very short ones are left out."""
    signs = {payload.replace("\x00", "")[:20] for payload in payloads}
    found = set()
    for app in OURS:
        for model in apps.get_app_config(app).get_models():
            for field in model._meta.concrete_fields:
                is_text = isinstance(field, models.CharField | models.TextField) and not field.choices
                is_text = is_text and not isinstance(field, models.SlugField) and (field.max_length or 999) > 24
                if is_text and field.name not in KEPT:
                    values = model._default_manager.values_list(field.name, flat=True)
                    if not any(sign in str(value) for value in values for sign in signs):
                        found.add(f"{model.__name__}.{field.name}")
    return found


Given = Callable[[list[str]], Json]
SHAPED = ("accent", "accent_dark", "tone", "currency", "languages", "time_zone", "holidays", "order_number_format")
PICTURES: Json = {"logo": b"", "icon": b"", "logo_digest": "", "week": usual_week(), "other_number_formats": ""}
GIVEN: dict[str, Given] = {
    "article": lambda share: {
        "title": f"{share[-1][:150]} {WORD}",
        "body": "\n\n".join([f"## {share[0]}", *share, WORD]),
        "status": "published",
    },
    "blastradius": lambda share: {
        "kind": "article",
        "state": "done",
        "draft": {"slug": "x", "title": share[-1][:150], "body": "\n".join([*share, WORD]), "status": "published"},
    },
    "conversation": lambda _: {"reference": uuid4().hex[:7], "last_seq": 0},
    "evalrun": lambda share: {"state": "done", "prompts": {"assistant": 1, share[0]: share[-1]}},
    "evalresult": lambda share: {"status": "failed", "said": [{"who": text, "text": text} for text in share]},
    "gap": lambda share: {"sources": [{"kind": "article", "title": text, "url": "/help/"} for text in share]},
    "importedrecord": lambda _: {"order": None},
    "invoice": lambda _: {"currency": "USD"},
    "order": lambda _: {"currency": "USD", "total": 9, "paid_total": 9},
    "replay": lambda share: {
        "state": "done",
        "outcome": "answered",
        "verdict": "otherwise",
        "sources": [],
        "steps": [_replayed(share)],
    },
    "user": lambda _: {"is_active": True},
    "workspace": lambda _: {"id": 1, **{name: getattr(DEFAULT, name) for name in SHAPED}, **PICTURES},
}


def _replayed(share: list[str]) -> Json:
    texts = {"status": share[0][:24], "model": share[0], "tool": "", "error": share[-1], "kind": "model_call"}
    tokens = dict.fromkeys(("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"), 1)
    figures = {"index": 0, "cost_usd": 0.1, "duration_ms": 1, **tokens}
    return {**texts, **figures, "input": {"messages": share}, "output": {"text": share}}
