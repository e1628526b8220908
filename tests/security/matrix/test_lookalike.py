"""Somebody else's and nobody's: whoever asks cannot tell them apart, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

import pytest

from tests.security.matrix.asking import Answer, ask, body_of
from tests.security.matrix.routes import Route, every_route
from tests.security.matrix.world import MISSING, Actor, Place, World

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]
OTHER_ONES = {
    "stranger": "customer",
    "anon": "anon_b",
    "anon_b": "customer",
    "customer": "customer_b",
    "customer_b": "anon",
    "token": "anon_b",
    "token_b": "customer",
    "key": "customer_b",  # its task was asked for by somebody else
}
STAFF = {"agent": "customer_b", "admin": "customer_b"}
"""All conversations are theirs, but what hangs on another one is not to be had through this one."""
OWN = {"anon_b": "anon_b", "customer_b": "customer_b", "token_b": "anon_b"}
PASSING = {"X-Request-ID", "Content-Security-Policy", "Expires", "Content-Length"}  # new each time
NEW_EACH_TIME = re.compile(rb'csrfmiddlewaretoken" value="\w+"|nonce="[^"]+"|X-CSRFToken"[^}]*')


def seen(answer: Answer, *ids: str) -> tuple[int, dict[str, str], bytes]:
    """All that the caller sees, but what is new each time and the ids it sent itself."""
    body = NEW_EACH_TIME.sub(b"", answer.body)
    for one in ids:
        body = body.replace(one.encode(), b"ID")
    return answer.status, {name: value for name, value in answer.headers.items() if name not in PASSING}, body


def asked(route: Route, method: str, actor: Actor, values: dict[str, str], place: Place) -> tuple[Answer, object]:
    data, content_type = body_of(route, place) if method == "POST" else (None, "")
    answer = ask(actor, method, route.path(values), data, content_type)
    return answer, seen(answer, *values.values())


def shown(one: object, two: object) -> str:
    """The first place where they differ."""
    texts = repr(one), repr(two)
    at = next((at for at, pair in enumerate(zip(*texts, strict=False)) if pair[0] != pair[1]), 0)
    return "\n".join(text[max(at - 80, 0) : at + 80] for text in texts)


def pairs(route: Route, world: World, mine: Place, theirs: Place) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """What to ask for: for each id of an address something of somebody else's, and the same with nobody's."""
    own, foreign = route.values(world, mine), route.values(world, theirs)
    ids = [name for name in route.parameters if name in mine.ids and own[name] != foreign[name]]
    for at, thing in enumerate(ids):
        kept = {one: own[one] for one in ids[:at]}
        yield {**foreign, **kept}, {**foreign, **dict.fromkeys(ids, MISSING), **kept}
        if at + 1 < len(ids):  # nor does anything of one's own help into somebody else's
            yield {**own, **kept, thing: foreign[thing]}, {**own, **kept, thing: MISSING}


@pytest.mark.parametrize(("name", "other"), [*OTHER_ONES.items(), *STAFF.items()])
def test_foreign_and_missing_look_alike(world: World, name: str, other: str) -> None:
    actor = world.actors[name]
    mine, theirs = world.places[OWN.get(name, actor.place)], world.places[other]
    found, different = 0, []
    for route, method in product(every_route(), ("GET", "POST")):
        at_the_desk = name in STAFF
        if route.is_staff != at_the_desk:
            continue
        for foreign, missing in list(pairs(route, world, mine, theirs))[1 if at_the_desk else 0 :]:
            if at_the_desk and foreign["conversation_id"] != mine.ids["conversation_id"]:
                continue  # every conversation is theirs
            a, seen_a = asked(route, method, actor, foreign, theirs)
            b, seen_b = asked(route, method, actor, missing, theirs)
            found += 1
            if seen_a != seen_b or a.writes or b.writes:
                different.append(f"{method} {route.name} {foreign}:\n{shown(seen_a, seen_b)}\n{a.writes} {b.writes}")
    assert not different, "\n".join(different)
    assert found
