"""Every address, each method, every actor: as the tables say; whoever is turned away has written nothing."""

from __future__ import annotations

from itertools import product

import pytest

from tests.security.matrix.asking import Answer, ask, body_of, undrawn
from tests.security.matrix.routes import Route, every_route
from tests.security.matrix.table import Table, compare
from tests.security.matrix.world import Actor, World

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]
EVERYBODY = [
    *("stranger", "anon", "anon_b", "customer", "customer_b"),
    *("agent", "lead", "ops", "admin", "token", "token_b", "key"),
]
AT_THE_DESK = ["stranger", "customer", "key", "agent", "lead", "ops", "admin"]
REFUSED = {"login", "401", "403", "404", "405"}


def asked(world: World, route: Route, method: str, actor: Actor) -> Answer:
    """One cell: the actor asks about its own things (the stranger and others about those of whom it is not)."""
    place = world.places[actor.place]
    data, content_type = body_of(route, place) if method == "POST" else (None, "")
    return ask(actor, method, route.path(route.values(world, place)), data, content_type)


def is_unknown(world: World, route: Route, method: str) -> bool:
    """Whether the route does not know the method at all, which is answered before anybody looks at who asks."""
    return all(asked(world, route, method, world.actors[name]).status == 405 for name in ("stranger", "admin"))


@pytest.mark.parametrize(
    ("table", "is_staff", "actors"), [("pages.csv", False, EVERYBODY), ("staff_pages.csv", True, AT_THE_DESK)]
)
def test_the_matrix_holds(world: World, table: str, is_staff: bool, actors: list[str]) -> None:
    found: Table = {}
    wrote: list[str] = []
    kept: list[str] = []
    with undrawn():
        for route, method in product(every_route(), ("GET", "POST")):
            if route.is_staff != is_staff or is_unknown(world, route, method):
                continue
            answers = {name: asked(world, route, method, world.actors[name]) for name in actors}
            found[route.name, method] = {name: answer.cell for name, answer in answers.items()}
            wrote += [
                f"{method} {route.name} by {name}: {answer.writes}"
                for name, answer in answers.items()
                if answer.writes and answer.cell in REFUSED
            ]
            kept += [f"{method} {route.name} by {name}" for name in actors if is_staff and is_kept(answers[name])]
    compare(table, found)
    assert not wrote, "\n".join(wrote)
    assert not kept, "\n".join(kept)


def is_kept(answer: Answer) -> bool:
    """Whether a browser may keep what it got, refusals and redirects included."""
    return not {"no-store", "private"} <= {part.strip() for part in answer.headers.get("Cache-Control", "").split(",")}


def test_no_other_method_does_anything(world: World) -> None:
    actor, place, wrote = world.actors["admin"], world.places["customer"], []
    with undrawn():
        for route in every_route():  # to Django and ninja PUT, PATCH and DELETE are the same: neither GET nor POST
            answer = ask(actor, "DELETE", route.path(route.values(world, place)))
            if answer.writes or answer.status in (500, 204):
                wrote.append(f"{route.name}: {answer.status} {answer.writes}")
    assert not wrote, "\n".join(wrote)
