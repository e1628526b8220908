"""Conversations, what is said in them and what happened."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from ninja import Query, Router, Status

from support_agent.addresses import client_address
from support_agent.chat.api.auth import CONVERSATION, VisitorRequest, conversation_of, require_csrf
from support_agent.chat.api.identity import customer_of_identity
from support_agent.chat.api.problems import Problem, refusals
from support_agent.chat.api.schemas import MAX_SEQ, ConversationIn, ConversationOut, EventsOut, MessageIn, PostedOut
from support_agent.chat.tokens import with_token
from support_agent.chat.visitors import address_hash, remember
from support_agent.origins import origin_allowed
from support_agent.runtime.controls import check_open
from support_agent.runtime.ratelimit import allow
from support_agent.runtime.submit import Submitted, submit_message
from tickets.events import message_payload
from tickets.models import Action, Conversation, Customer, User
from tickets.selectors.conversations import PAGE, events_after, events_latest
from tickets.services.conversations import conversation_create

Json = dict[str, Any]
Seq = Annotated[int, Query(ge=0, le=MAX_SEQ)]
router = Router(tags=["Conversations"])


@router.post("", response={201: ConversationOut}, summary="Begin a conversation", openapi_extra=refusals(401, 409, 503))
def create(request: HttpRequest, data: ConversationIn) -> Status[Any]:
    """Anyone may; the `token` in the answer opens this conversation from then on and is not shown again.

    With a signed `identity` the conversation belongs to that customer at once. Called from our own pages by somebody
    signed in (session cookie and CSRF token), it belongs to them.
    """
    address = client_address(request.META)
    allow("conversation", address)
    check_open()
    site = _site(request, data.widget_origin)
    customer, identity = _customer(request, data.identity)
    conversation, token = conversation_create(
        channel=Conversation.Channel.WIDGET if site else Conversation.Channel.API,
        customer=customer,
        identity=identity,
        locale=data.locale,
        # What callers say stands apart from the keys the desk itself reads.
        metadata={**({"client": data.metadata} if data.metadata else {}), **({"site": site} if site else {})},
        address_hash=address_hash(address),
        with_token=True,
    )
    return Status(
        201,
        {
            "id": conversation.pk,
            "reference": conversation.reference,
            "token": token,
            "ws_url": ws_url(request, conversation.pk),
            "status": conversation.status,
        },
    )


@router.post(
    "/{uuid:conversation_id}/messages",
    auth=CONVERSATION,
    response={202: PostedOut, 200: PostedOut},
    exclude_unset=True,
    summary="Say something",
    openapi_extra=refusals(401, 404, 409),
)
def post_message(request: VisitorRequest, conversation_id: UUID, data: MessageIn) -> Status[Any]:
    """202 once it is written down: the assistant's answer comes as an event, and from `GET /turns/{id}`.

    The same id and text again is answered 200 with the same message; the same id with another text 409. A message that
    joins a waiting turn gets that turn's id.
    """
    done = submit_message(
        conversation=conversation_of(request, conversation_id),
        visitor=request.auth,
        client_message_id=data.client_message_id,
        text=data.text,
        attachments=data.attachments,
    )
    if done.moved_token and not request.auth.token:
        remember(request.session, done.conversation.pk)
    return Status(202 if done.created else 200, _posted(request, done))


@router.get(
    "/{uuid:conversation_id}/events",
    auth=CONVERSATION,
    response=EventsOut,
    summary="What happened, in order",
    openapi_extra=refusals(401, 404),
)
def events(
    request: VisitorRequest,
    conversation_id: UUID,
    after: Seq | None = None,
    before: Seq | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = PAGE,
) -> Json:
    """The persistent events with `after` < `seq` < `before`, the first `limit` of them; with `before` alone the last.

    A waiting proposal carries the `token` that its owner's click must bring.
    """
    conversation = conversation_of(request, conversation_id)
    if before is not None and after is None:
        found = events_latest(conversation.pk, before=before, limit=limit)
    else:
        found = events_after(conversation.pk, after or 0, before=before, limit=limit)
    last_seq = max([conversation.last_seq, *(event["seq"] for event in found[-1:])])
    return {"events": _with_tokens(found, conversation), "last_seq": last_seq}


def ws_url(request: HttpRequest, conversation_id: UUID) -> str:
    """The socket's full address."""
    return f"ws{'s' if request.is_secure() else ''}://{request.get_host()}/ws/chat/{conversation_id}/"


def _customer(request: HttpRequest, identity: str | None) -> tuple[Customer | None, str]:
    """Whose the new conversation is, and how we know."""
    if identity is not None:
        return customer_of_identity(identity), Conversation.Identity.JWT
    if "Authorization" in request.headers or not isinstance(request.user, User):
        return None, Conversation.Identity.NONE
    mine = Customer.objects.filter(user=request.user, user__is_active=True)
    customer = mine.exclude(status=Customer.Status.CLOSED).first()
    if customer is None:
        return None, Conversation.Identity.NONE
    require_csrf(request)
    return customer, Conversation.Identity.SESSION


def _site(request: HttpRequest, origin: str | None) -> str:
    """The site whose widget begins the conversation, without any path; raises Problem for one that may not embed it."""
    if origin is None:
        return ""
    if not origin_allowed(origin, f"{request.scheme}://{request.get_host()}", settings.WIDGET_ORIGINS):
        raise Problem(403, "foreign_origin", "This site may not embed the widget.")
    return origin


def _posted(request: HttpRequest, done: Submitted) -> Json:
    posted: Json = {
        "message": message_payload(done.message),
        "turn": {"id": done.turn.pk, "state": done.turn.state} if done.turn else None,
    }
    if done.moved_token:
        posted["moved"] = {
            "conversation_id": done.conversation.pk,
            "ws_url": ws_url(request, done.conversation.pk),
            "token": done.moved_token,
        }
    return posted


def _with_tokens(found: list[Json], conversation: Conversation) -> list[Json]:
    waiting = Action.objects.filter(conversation=conversation, state=Action.State.PROPOSED)
    ids = {str(pk) for pk in waiting.values_list("pk", flat=True)}
    return [
        with_token(event, conversation.pk, conversation.customer_id)
        if event["type"] == "action" and event["action"]["id"] in ids
        else event
        for event in found
    ]
