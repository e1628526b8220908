"""Who is at the other end of a request or socket: session cookie, signed-in user, bearer token, address.

Everything is read again from the session store on each call, so a sign-out or a disabled account takes effect at the
next frame. All functions touch the database: call them by `in_db` from async code.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from django.conf import settings
from django.contrib.auth import SESSION_KEY as USER_KEY
from django.contrib.auth import get_user, logout
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from support_agent.addresses import address_of_scope, client_address
from tickets.access import BEGUN_KEY, Visitor, token_hash
from tickets.models import Conversation, Customer, User

SESSION_KEY = BEGUN_KEY
KEPT = 50  # ids a browser session remembers; older ones are reached by signing in


class SignedOut(Exception):
    """The session no longer stands: signed out, expired, or its user was disabled or the account closed."""


def visitor_of_request(request: HttpRequest) -> Visitor:
    """The visitor behind an HTTP request; one whose account is no more is signed out and goes on as a stranger."""
    user = request.user if isinstance(request.user, User) and request.user.is_active else None
    token = bearer_of(request)
    address = client_address(request.META)
    try:
        return _visitor(user, request.session, token=token, address=address)
    except SignedOut:
        logout(request)
        return Visitor(token=token, address=address)


def visitor_with_token(request: HttpRequest) -> Visitor:
    """Whoever brings a bearer token and nothing else: no cookie is read, none is set."""
    return Visitor(token=_bearer(request.headers.get("Authorization", "")), address=client_address(request.META))


def visitor_of_scope(scope: Mapping[str, Any]) -> Visitor:
    """The visitor behind a socket's handshake, as of now. Raises SignedOut when its session no longer stands."""
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    token = _bearer(headers.get("authorization", "")) or (query.get("token") or [""])[0]
    address = address_of_scope(scope)
    key = session_key_of(scope)
    if token or not key:  # a token stands alone: the browser's cookie counts for nothing beside it
        return Visitor(token=token, address=address)
    session = session_store()(key)
    user = get_user(SimpleNamespace(session=session))  # type: ignore[arg-type]  # it reads nothing but the session
    known = user if isinstance(user, User) and user.is_active else None
    was = scope.get("visitor_user_id")
    if was is not None and (known is None or known.pk != was):
        raise SignedOut
    return _visitor(known, session, token=token, address=address)


def session_key_of(scope: Mapping[str, Any]) -> str:
    """The key in the cookie of a socket's handshake, or nothing."""
    return str(scope.get("cookies", {}).get(settings.SESSION_COOKIE_NAME, ""))


def bearer_of(request: HttpRequest) -> str:
    """The token a request brings in its Authorization header, or nothing."""
    return _bearer(request.headers.get("Authorization", ""))


def has_credentials(visitor: Visitor) -> bool:
    """Whether this visitor is anybody: signed in, with conversations in the session, or with a token that opens one."""
    if visitor.user_id or visitor.conversation_ids:
        return True
    return bool(visitor.token) and Conversation.objects.filter(token_hash=token_hash(visitor.token)).exists()


def writer_of(visitor: Visitor) -> str:
    """Tells one customer's drafts in a browser's storage from another's, and nothing else; '' for a stranger."""
    return salted_hmac("chat.writer", str(visitor.user_id)).hexdigest()[:16] if visitor.user_id else ""


def remember(session: SessionBase, conversation_id: UUID) -> None:
    """Bind a conversation to the browser session."""
    kept = [found for found in session.get(SESSION_KEY, []) if found != str(conversation_id)]
    session[SESSION_KEY] = [*kept, str(conversation_id)][-KEPT:]


def remember_by_key(scope: Mapping[str, Any], conversation_id: UUID) -> None:
    """The same for a socket, whose handshake carries only the session's key; a client with a token has none."""
    if key := session_key_of(scope):
        session = session_store()(key)
        if session.exists(key):
            remember(session, conversation_id)
            session.save()


def remembered(session: SessionBase) -> list[UUID]:
    """The conversations of the browser session, oldest first."""
    return [UUID(found) for found in session.get(SESSION_KEY, [])]


def address_hash(address: str) -> str:
    """A keyed hash: enough to count an address, useless to find it out."""
    return hmac.new(settings.SECRET_KEY.encode(), address.encode(), hashlib.sha256).hexdigest() if address else ""


def session_store() -> type[SessionBase]:
    """The configured session backend."""
    store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
    return store


def _visitor(user: User | None, session: SessionBase, *, token: str, address: str) -> Visitor:
    """Raises SignedOut for a session that was somebody's who may not sign in any more: what it began is shut too."""
    customer = Customer.objects.filter(user=user).only("status").first() if user else None
    if (user is None and USER_KEY in session) or (customer and customer.status == Customer.Status.CLOSED):
        raise SignedOut
    return Visitor(
        user_id=user.pk if user else None,
        customer_id=customer.pk if customer else None,
        conversation_ids=frozenset(remembered(session)),
        token=token,
        address=address,
    )


def _bearer(header: str) -> str:
    scheme, _, value = header.partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""
