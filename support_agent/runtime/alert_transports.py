"""How a message leaves: by e-mail to ops and admin or an address, or as a signed POST to a webhook."""

from __future__ import annotations

import json
from collections.abc import Callable

from django.utils import timezone

from support_agent.models import AlertRoute
from support_agent.runtime.alert_messages import Message
from support_agent.runtime.alert_signing import post_signed
from tickets import mail
from tickets.models import Role, User
from tickets.outgoing import Refused


class Undeliverable(Exception):
    """A message did not arrive; the text says why, without the address."""

    def __init__(self, why: str, *, is_worth_trying: bool = True) -> None:
        super().__init__(why)
        self.is_worth_trying = is_worth_trying


def send(route: AlertRoute, message: Message) -> str:
    """Send one message; what went wrong with a part of its receivers, or nothing. Raises Undeliverable."""
    return SENDERS[AlertRoute.Kind(route.kind)](route, message)


def _to_staff(route: AlertRoute, message: Message) -> str:
    people = User.objects.filter(is_active=True, is_staff=True, groups__name__in=[Role.OPS, Role.ADMIN])
    addresses = list(people.exclude(email="").order_by("email").values_list("email", flat=True).distinct())
    if not addresses:
        raise Undeliverable("nobody of ops and admin has an e-mail address", is_worth_trying=False)
    failed = [why for address in addresses if (why := _mailed(address, message))]
    if len(failed) == len(addresses):
        raise Undeliverable(failed[0])
    return f"{len(failed)} of {len(addresses)} mails failed: {failed[0]}" if failed else ""


def _to_address(route: AlertRoute, message: Message) -> str:
    if why := _mailed(route.target, message):
        raise Undeliverable(why)
    return ""


def _mailed(address: str, message: Message) -> str:
    """Send one mail; why it failed, or nothing: one bad address must not keep the others from theirs."""
    try:
        mail.send(to=address, subject=message.subject[:180], body=message.body)
    except Exception as error:  # whatever the backend raises
        return f"{type(error).__name__}: {error}".replace(address, "…")
    return ""


def _to_webhook(route: AlertRoute, message: Message) -> str:
    body = json.dumps(message.payload, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        status = post_signed(route.target, body, secret=route.secret, delivery_id=str(message.id), now=timezone.now())
    except Refused as error:
        raise Undeliverable(str(error), is_worth_trying=False) from error
    except OSError as error:
        raise Undeliverable(f"{type(error).__name__}: {error}") from error
    if not 200 <= status < 300:
        # What the receiver will refuse for ever is not asked again; too fast, or broken, is.
        again = status in (408, 425, 429) or status >= 500
        raise Undeliverable(f"answered HTTP {status}", is_worth_trying=again)
    return ""


SENDERS: dict[AlertRoute.Kind, Callable[[AlertRoute, Message], str]] = {
    AlertRoute.Kind.STAFF: _to_staff,
    AlertRoute.Kind.EMAIL: _to_address,
    AlertRoute.Kind.WEBHOOK: _to_webhook,
}
