"""What goes in and out. Ids are UUIDs, times are ISO 8601 in UTC, money is USD as exact decimals in strings."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from ninja import Schema
from pydantic import AfterValidator, ConfigDict, EmailStr, Field, StringConstraints, model_validator

Json = dict[str, Any]
MAX_METADATA = 4096
MAX_SEQ = 2**53 - 1  # what every JSON client can count to


def example(**values: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [values]})


def _small_object(value: Json) -> Json:
    if len(json.dumps(value, ensure_ascii=False).encode()) > MAX_METADATA:
        raise ValueError(f"must have {MAX_METADATA} bytes at most")
    if "\\u0000" in json.dumps(value):
        raise ValueError("must not contain NUL characters")
    return value


def _email(value: str) -> str:
    if len(value) > 254:
        raise ValueError("must have 254 characters at most")
    return value


Email = Annotated[EmailStr, AfterValidator(_email)]
Locale = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})?$", max_length=12)]


class Problem(Schema):
    """RFC 9457 problem details. `code` is stable and for programs, `detail` a sentence for people."""

    model_config = example(
        type="about:blank", title="Not Found", status=404, detail="There is no such conversation.", code="not_found"
    )
    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    errors: list[Json] | None = Field(None, description="With code `invalid`: `{field, message}` for each.")
    reason: str | None = Field(None, description="With code `not_eligible`: which rule of the shop says no.")


class ConversationIn(Schema):
    model_config = example(locale="en", metadata={"page": "/checkout", "app_version": "4.2"})
    identity: str | None = Field(
        None, description="JWT signed with IDENTITY_SECRET (HS256) with `sub`, `email`, `exp` and perhaps `name`."
    )
    locale: Locale = "en"
    widget_origin: str | None = Field(
        None,
        max_length=300,
        description="Sent by the widget's frame: the origin of the site around it, one of WIDGET_ORIGINS.",
    )
    metadata: Annotated[Json, AfterValidator(_small_object)] = Field(
        {}, description="Anything of yours, 4 KB at most. Staff see it, the assistant does not."
    )


class ConversationOut(Schema):
    model_config = example(
        id="019a1c2e-3b4d-7c5e-8f60-718293a4b5c6",
        reference="K7F-42P",
        token="Yd0l…",  # noqa: S106 - an example
        ws_url="wss://shop.example/ws/chat/019a1c2e-3b4d-7c5e-8f60-718293a4b5c6/",
        status="ai",
    )
    id: UUID
    reference: str = Field(description="Short enough to read aloud.")
    token: str = Field(description="The bearer token. It is shown this once.")
    ws_url: str
    status: Literal["ai", "waiting", "human", "closed"]


class IdentityIn(Schema):
    model_config = example(identity="eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOi…")
    identity: str = Field(description="As of `POST /conversations`.")


class IdentifiedOut(Schema):
    model_config = example(state="verified", email_masked="o•••@example.com")
    state: Literal["verified"]
    email_masked: str


class MessageIn(Schema):
    model_config = example(
        client_message_id="6f1c7f0e-6f7e-4d5a-9a33-0f6f4f3c2b1a", text="Where is my order AP-104233?"
    )
    client_message_id: UUID = Field(description="Chosen by the client: sent again, the message still exists once.")
    text: str = Field(description="5,000 characters at most; may be empty with attachments.")
    attachments: list[UUID] = Field([], description="Ids of uploaded images that no message has taken yet.")


class AttachmentOut(Schema):
    id: UUID
    name: str
    content_type: Literal["image/png", "image/jpeg", "image/webp"]
    size: int = Field(description="Bytes.")
    url: str = Field(description="Opens for those who may read the conversation.")


class Source(Schema):
    n: int
    title: str
    url: str


class MessageOut(Schema):
    id: UUID
    role: Literal["customer", "assistant", "staff", "system"]
    text: str
    html: str = Field(description="The text rendered and made safe.")
    author: str
    client_message_id: UUID | None = None
    turn_id: UUID | None = None
    sources: list[Source] = []
    attachments: list[AttachmentOut] | None = None
    cards: list[Json] | None = Field(
        None, description="What the answer speaks of, as it stood then: each with `kind` and `id`; docs/http-api.md."
    )
    created_at: str


class TurnState(Schema):
    id: UUID
    state: Literal["queued", "running", "answered", "escalated", "failed"]


class Moved(Schema):
    conversation_id: UUID
    ws_url: str
    token: str


class PostedOut(Schema):
    message: MessageOut
    turn: TurnState | None = Field(description="Null while a person has the conversation.")
    moved: Moved | None = Field(
        None, description="The conversation was closed for over 14 days: the message began this linked one."
    )


class EventsOut(Schema):
    model_config = example(
        events=[{"seq": 3, "type": "status", "status": "waiting", "team": "Billing", "queue_position": 1}], last_seq=3
    )
    events: list[Json] = Field(description="Persistent events as on the socket, in order, each with `seq` and `type`.")
    last_seq: int


class DecisionIn(Schema):
    model_config = example(token="4be1…", approve=True)  # noqa: S106 - an example
    token: str = Field(description="From the `proposed` event; bound to exactly this proposal.", max_length=200)
    approve: bool


class ActionOut(Schema):
    id: UUID
    tool: str
    summary: str
    arguments: Json
    preview: Json = {}
    state: Literal["proposed", "confirmed", "declined", "expired", "awaiting_staff", "done", "failed", "undone"]
    expires_at: str | None = None
    undo_until: str | None = None
    receipt: Json | None = None
    renewed_as: UUID | None = Field(None, description="The proposal that took the place of this expired one.")


class VerificationIn(Schema):
    """The address, or the code that was mailed to it, or `again` for another code to the same address."""

    model_config = example(email="olivia.owner@example.com")
    email: Email | None = None
    code: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None
    again: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if sum(value is not None for value in (self.email, self.code, self.again)) != 1:
            raise ValueError("send either `email` or `code` or `again`")
        return self


class VerificationOut(Schema):
    model_config = example(state="requested", email_masked="o•••@example.com", attempts_left=3)
    state: Literal["requested", "verified", "failed", "expired"]
    email_masked: str
    attempts_left: int


class TurnOut(TurnState):
    message: MessageOut | None = Field(None, description="What the turn ended with, once it has.")


class TaskIn(Schema):
    model_config = example(
        task="Summarise the open orders of this customer.",
        complexity="simple",
        budget_usd="0.50",
        customer="olivia.owner@example.com",
    )
    task: str = Field(description="What the assistant is to do, 5,000 characters at most.")
    complexity: Literal["simple", "medium", "complex"] = "medium"
    budget_usd: Decimal = Field(
        gt=0, max_digits=12, decimal_places=6, description="The task never spends more; 5.00 at most."
    )
    customer: str | None = Field(
        None, max_length=254, description="E-mail address or id of the customer whom the task is about."
    )


class TaskCreated(Schema):
    id: UUID


class Usage(Schema):
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: str
    budget_usd: str


class TaskOut(Schema):
    model_config = example(
        id="019a1c2e-3b4d-7c5e-8f60-718293a4b5c6",
        state="done",
        result="Two orders are open: …",
        usage={"calls": 2, "input_tokens": 1804, "output_tokens": 96, "cost_usd": "0.00412", "budget_usd": "0.50"},
    )
    id: UUID
    state: Literal["queued", "running", "done", "failed", "stopped"]
    result: str | None = None
    usage: Usage
