"""For the alerts' tests: routes, a clock, and a receiver that keeps what it is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.message import Message as Headers
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from django.core import mail
from django.utils import timezone

from support_agent.models import Alert, AlertDelivery, AlertRoute
from support_agent.runtime.alert_deliver import deliver, due_routes
from support_agent.runtime.alert_dispatch import dispatch, staff_route
from support_agent.runtime.alert_transports import Undeliverable
from support_agent.runtime.alerts import alert


def route(kind: str = "email", target: str = "duty@alderandpine.example", **values: Any) -> AlertRoute:
    return AlertRoute.objects.create(kind=kind, target=target, **values)


def only(kind: str = "email", target: str = "duty@alderandpine.example", **values: Any) -> AlertRoute:
    """The one route there is: the mails to ops and admin are off."""
    AlertRoute.objects.filter(pk=staff_route().pk).update(is_active=False)
    return route(kind, target, **values)


def tell(now: datetime | None = None, kind: str = "sla", key: str = "k", **values: Any) -> Alert:
    """Raise an alert and write its deliveries, as the job does."""
    now = now or timezone.now()
    alert(kind, key, values.pop("text", f"Something is wrong: {key}."), **values)
    found = Alert.objects.get(kind=kind, key=key)
    dispatch(str(found.pk), AlertDelivery.Notice.RAISED.value, now)
    return found


def bring(now: datetime | None = None) -> None:
    """Deliver what is due, as the minute's job does; failures are on their rows."""
    now = now or timezone.now()
    for route_id in due_routes(now):
        try:
            deliver(route_id, now)
        except Undeliverable:
            continue


def subjects() -> list[str]:
    """The subjects of all mails so far, which are forgotten then."""
    found = [str(one.subject) for one in mail.outbox]
    mail.outbox.clear()
    return found


@dataclass
class Receiver:
    """A webhook's other end; `answers` are the statuses to give, the last one for good."""

    url: str = ""
    answers: list[int] = field(default_factory=lambda: [204])
    location: str = ""
    received: list[tuple[Headers, bytes]] = field(default_factory=list)


@contextmanager
def receiving(*answers: int, location: str = "") -> Iterator[Receiver]:
    receiver = Receiver(answers=list(answers or (204,)), location=location)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append((self.headers, body))
            self.send_response(receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0])
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook?team=desk"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
