"""Every model in the admin, every page of it, every role: as `admin_models.csv` says."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import RequestFactory
from django.urls import reverse

from tests.security.matrix.asking import ask, undrawn
from tests.security.matrix.routes import model_pages
from tests.security.matrix.table import Table, compare, read
from tests.security.matrix.world import MISSING, Actor, World
from tickets.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]
PAGES = {"", "add/", "<id>/", "<id>/change/", "<id>/delete/", "<id>/history/"}
MORE = {
    "tickets.user": {"<id>/password/"},
    "support_agent.mcpserver": {"<id>/list/"},
    "support_agent.mcptool": {"<id>/try/"},
}
ROLES = ("agent", "lead", "ops", "admin")


def test_there_are_no_other_pages() -> None:
    found = {model: pages - PAGES for model, pages in model_pages().items() if pages != PAGES}
    assert found == MORE


def test_nobody_but_staff_gets_to_any(world: World) -> None:
    stranger, customer = world.actors["stranger"], world.actors["customer"]
    let_in = []
    for model, pages in model_pages().items():
        base = f"/admin/{model.replace('.', '/')}/"
        paths = [base + page.replace("<id>", MISSING) for page in pages]
        let_in += [path for path in paths if ask(stranger, "GET", path).cell != "login"]
        let_in += [path for path in paths[:1] if ask(customer, "POST", path).cell != "login"]
    assert not let_in


def test_the_roles(world: World) -> None:
    """By what the admin's own classes say, record or none."""
    found: Table = {}
    for model in model_pages():
        found[model,] = {role: powers(getattr(world.cast, role), apps.get_model(model)) for role in ROLES}
    compare("admin_models.csv", found)


def powers(user: User, model: type[Model]) -> str:
    """The letters of what this member of staff may do with a model's records."""
    request = RequestFactory().get("/")
    request.user = user
    may = admin.site.get_model_admin(model).get_model_perms(request)
    return "".join(verb[0] for verb in ("view", "add", "change", "delete") if may[verb]) or "-"


def test_the_pages_ask(world: World) -> None:
    """Over HTTP, for the role with the most colourful row: lists, forms and what they send."""
    _, said = read("admin_models.csv")
    with undrawn():
        found = {model: asked(world.actors["lead"], apps.get_model(model)) for (model,) in said}
    assert found == {model: cells["lead"] for (model,), cells in said.items()}


def asked(actor: Actor, model: type[Model]) -> str:
    """The same letters, by requests."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    row = model._default_manager.order_by("pk").first()
    at = [str(row.pk) if row else MISSING]
    pages = {
        "v": ("GET", reverse(f"{name}_changelist"), None),
        "a": ("POST", reverse(f"{name}_add"), {}),
        "c": ("POST", reverse(f"{name}_change", args=at), {}),
        "d": ("POST", reverse(f"{name}_delete", args=at), {"post": "yes"}),
    }
    letters = ""
    for letter, (method, path, data) in pages.items():
        answer = ask(actor, method, path, data)
        assert answer.status in (200, 302, 403), f"{method} {path} by {actor.name}: {answer.status}"
        assert answer.status != 403 or not answer.writes, f"{method} {path} by {actor.name} wrote {answer.writes}"
        letters += letter if answer.status != 403 else ""
    return letters or "-"
