"""One request by one actor, undone afterwards: what came of it, and whether it wrote anything."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import jwt
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.test.client import MULTIPART_CONTENT
from django.utils.safestring import mark_safe

from tests.security.matrix.routes import Route
from tests.security.matrix.world import Actor, Place

WRITING = re.compile(r"\s*(?:WITH\b.*\b)?(INSERT INTO|UPDATE|DELETE FROM) \"?(\w+)", re.S)
OWN_BOOKS = {"django_session"}  # a sign-in that is refused may still leave a session behind
SIGN_IN = ("/admin/login/", "/account/login/")
JSON = "application/json"
CASE = "- {id: matrix, customer: owner, steps: [hello], expect: {outcome: escalated, reason: asked}}"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    writes: list[str] = field(default_factory=list)

    @property
    def cell(self) -> str:
        """As the table has it: `login` for the way to a sign-in, else the status."""
        if self.status == 302 and self.headers.get("Location", "").startswith(SIGN_IN):
            return "login"
        return str(self.status)


def body_of(route: Route, place: Place) -> tuple[Any, str]:
    """(data, content type) of a POST that means something to its view; most take an empty form."""
    ids = place.ids
    forms: dict[str, dict[str, str]] = {
        "admin/ops/cases/save/": {"turn": ids["turn_id"], "name": "from-the-matrix"},
        "admin/evals/spot-checks/<check_id>/": {"needs_person": "yes"},
        "admin/evals/blast/new/": {"kind": "tool", "tool": "lookup_order"},
        "admin/ops/cases/<case_id>/": {"yaml": CASE},
        "admin/ops/prompts/save/": {"name": "assistant", "text": "Be kind."},
        "admin/evals/start/": {"suite": "orders"},
        "admin/ops/prompts/activate/": {"name": "assistant", "version": "file"},
        "admin/ops/prompts/gate/": {"name": "memory", "version": ids.get("version", "")},
        "admin/inbox/<conversation_id>/promise/<promise_id>/": {"state": "kept"},
        "admin/inbox/<conversation_id>/note/": {"text": "Seen."},
        "message/": {"email": "a@example.com", "category": "product", "text": "Hello"},
        "chat/transcript/": {"email": "a@example.com"},
        "help/<slug>/feedback/": {"helpful": "yes"},
        "chat/<conversation_id>/frames/": {"type": "human"},
        "chat/do/": {"type": "human", "conversation": ids["conversation_id"]},
        "chat/back/": {"token": ids["link"]},
        "chat/back/again/": {"token": ids["link"]},
        "demo/shop/identity/": {"as": str(place.conversation.customer_id)},
    }
    documents: dict[str, dict[str, Any]] = {
        "api/v1/conversations": {},
        "api/v1/conversations/<conversation_id>/messages": {"client_message_id": str(uuid4()), "text": "Hello"},
        "api/v1/conversations/<conversation_id>/actions/<action_id>": {"token": place.click, "approve": False},
        "api/v1/conversations/<conversation_id>/identity": {"identity": _identity()},
        "api/v1/conversations/<conversation_id>/verification": {"email": "olivia.owner@example.com"},
        "api/v1/tasks": {"task": "Count", "complexity": "simple", "budget_usd": "0.10"},
    }
    if route.name.endswith("/attachments"):
        return {"file": SimpleUploadedFile("x.png", b"no image", "image/png")}, MULTIPART_CONTENT
    if route.name.startswith("api/"):
        return json.dumps(documents.get(route.name, {})), JSON
    return forms.get(route.name, {}), MULTIPART_CONTENT


def _identity() -> str:
    """The owner's, as their shop signs it."""
    claims = {"sub": "matrix", "email": "olivia.owner@example.com", "exp": int(time.time()) + 300}
    return jwt.encode(claims, settings.IDENTITY_SECRET, algorithm="HS256")


def ask(
    actor: Actor,
    method: str,
    path: str,
    data: Any = None,
    content_type: str = MULTIPART_CONTENT,
    *,
    csrf: bool = False,
    headers: dict[str, str] | None = None,
    cookies: dict[str, str] | None = None,
    secure: bool = False,
) -> Answer:
    """The answer; whatever the request did is rolled back. `csrf`: as in life, where tests else do without."""
    client = _client(csrf)
    client.cookies.clear()
    for name, value in {**({"sessionid": actor.cookie} if actor.cookie else {}), **(cookies or {})}.items():
        client.cookies[name] = value
    sent = {**({"Authorization": f"Bearer {actor.bearer}"} if actor.bearer else {}), **(headers or {})}
    if method != "POST":
        data, content_type = None, JSON
    with transaction.atomic(), written() as writes:
        body = {"data": data, "content_type": content_type} if method == "POST" else {}
        response: Any = getattr(client, method.lower())(path, headers=sent, secure=secure, **body)
        content = response.getvalue()
        transaction.set_rollback(True)
    return Answer(response.status_code, dict(response.headers), content, writes)


@cache
def _client(csrf: bool) -> Client:
    """One for all: making one loads all the middleware."""
    return Client(enforce_csrf_checks=csrf, raise_request_exception=False)


@contextmanager
def written() -> Iterator[list[str]]:
    """The tables written to meanwhile, sessions left out."""
    tables: list[str] = []

    def note(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        if (found := WRITING.match(str(sql))) and found[2] not in OWN_BOOKS:
            tables.append(f"{found[1].split()[0].lower()} {found[2]}")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield tables


@contextmanager
def undrawn() -> Iterator[None]:
    """Pages are not drawn: who gets one is decided before, and drawing takes nine tenths of the time."""
    with (
        patch("django.template.backends.django.Template.render", lambda *_, **__: mark_safe("")),
        patch("support_agent.chat.api.Api.get_openapi_schema", lambda *_, **__: {}),
    ):
        yield
