"""Every unsafe address, asked as another site would: without our token, with one of its own, from its own origin."""

from __future__ import annotations

from typing import Any

import pytest
from django.middleware.csrf import _get_new_csrf_string
from django.urls import reverse

from tests.security.matrix.asking import Answer, ask, body_of, undrawn
from tests.security.matrix.routes import every_route, model_pages
from tests.security.matrix.table import read
from tests.security.matrix.world import MISSING, World

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]
Deed = tuple[str, str, object, str]
MODELS = ("/admin/tickets/", "/admin/support_agent/", "/admin/auth/")
EVIL = "http://evil.example"
TURNED_AWAY = {"login", "401", "403", "404", "405"}
# Anybody may, without a cookie that means anything: a conversation of nobody's, opened by the token in the answer.
# And browsers report without one: of a page's own choice no other site can send those types of content.
OPEN_TO_ALL = {"api/v1/conversations", "csp-report/"}


def deeds(world: World) -> list[Deed]:
    """(who, path, data, content type): each address that takes a POST, by the browser that gets furthest with it."""
    found: list[Deed] = []
    rows = {**read("pages.csv")[1], **read("staff_pages.csv")[1]}
    routes = {route.name: route for route in every_route()}
    for (address, method), cells in rows.items():
        browsers = [name for name in ("admin", "customer", "anon", "stranger") if name in cells]
        let_in = [name for name in browsers if cells[name] not in TURNED_AWAY]
        if method == "POST" and let_in and address not in OPEN_TO_ALL:
            route, place = routes[address], world.places[world.actors[let_in[0]].place]
            found.append((let_in[0], route.path(route.values(world, place)), *body_of(route, place)))
    for model in model_pages():
        name = f"admin:{model.replace('.', '_')}"
        paths = [reverse(f"{name}_changelist"), reverse(f"{name}_add"), reverse(f"{name}_change", args=[MISSING])]
        found += [("admin", path, {}, "multipart/form-data; boundary=x") for path in paths]
    return found


def is_refused(answer: Answer) -> bool:
    return answer.status == 403 and not answer.writes


def test_other_sites_get_nothing_done(world: World) -> None:
    token, other = _get_new_csrf_string(), _get_new_csrf_string()
    attempts: dict[str, dict[str, Any]] = {
        "no token": {},
        "no cookie": {"headers": {"X-CSRFToken": token}},
        "a token of another browser": {"headers": {"X-CSRFToken": other}, "cookies": {"csrftoken": token}},
        "a foreign origin": {"headers": {"X-CSRFToken": token, "Origin": EVIL}, "cookies": {"csrftoken": token}},
        "the origin null": {"headers": {"X-CSRFToken": token, "Origin": "null"}, "cookies": {"csrftoken": token}},
        "a foreign referer": {
            "headers": {"X-CSRFToken": token, "Referer": f"{EVIL}/"},
            "cookies": {"csrftoken": token},
            "secure": True,
        },
    }
    asked = deeds(world)
    assert len(asked) > 200
    done = []
    with undrawn():
        for who, path, data, content_type in asked:
            wanted = ["no token"] if path.startswith(MODELS) else list(attempts)
            for name in wanted:
                answer = ask(world.actors[who], "POST", path, data, content_type, csrf=True, **attempts[name])
                if not is_refused(answer):
                    done.append(f"{path} by {who} with {name}: {answer.status} {answer.writes}")
    assert not done, "\n".join(done)


def test_our_own_pages_get_it_done(world: World) -> None:
    """Else the test above would hold for a server that refuses everybody."""
    token = _get_new_csrf_string()
    ours: dict[str, Any] = {
        "headers": {"X-CSRFToken": token, "Origin": "http://testserver"},
        "cookies": {"csrftoken": token},
    }
    with undrawn():
        refused = [
            path
            for who, path, data, content_type in deeds(world)
            if not path.startswith(MODELS)
            and is_refused(ask(world.actors[who], "POST", path, data, content_type, csrf=True, **ours))
        ]
    assert not refused


def test_a_program_with_a_token_needs_none(world: World) -> None:
    """No foreign site's form carries an Authorization header; the cookie beside a token is not looked at."""
    place = world.places["anon"]
    for actor in (world.actors["token"], world.actors["token_b"]):
        path = f"/api/v1/conversations/{place.ids['conversation_id']}/messages"
        body = '{"client_message_id": "6f1c7f0e-6f7e-4d5a-9a33-0f6f4f3c2b1a", "text": "Hello"}'
        cookies = {"sessionid": world.actors["anon"].cookie}
        answer = ask(actor, "POST", path, body, "application/json", csrf=True, cookies=cookies)
        assert answer.status == (202 if actor.name == "token" else 404)
