"""Every address the resolver knows, and how each is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLResolver, get_resolver, resolve

from tests.security.matrix.world import Place, World

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
MODEL_PAGE = re.compile(r"admin/(tickets|support_agent|auth)/(\w+)/(.*)")
STAFF = ("admin/", "django-rq/")

# Addresses that are patterns in Django's sense, as one would type them.
TYPED = {
    "django-rq/^stats.json/?$": "django-rq/stats.json",
    "django-rq/^stats.json/(?P<token>[\\w]+)?/?$": "django-rq/stats.json/abc/",
    "django-rq/^metrics/?$": "django-rq/metrics",
    "admin/^(?P<app_label>tickets|auth|support_agent)/$": "admin/tickets/",
    "admin/(?P<url>.*)$": "admin/nothing-here/",
}
# What some addresses want to know besides; an open link from an e-mail is named by its token alone.
QUERIES = {"chat/<conversation_id>/earlier/": "?before=9", "chat/back/": "?token={link}"}
NOTHING_HERE = "api/v1/…"  # the API's answer to what it does not have: an empty pattern like that of its root


@dataclass(frozen=True)
class Route:
    """`pattern` as Django has it; `name` as the table has it: without types of parameters."""

    pattern: str
    view: Any

    @property
    def name(self) -> str:
        if self.is_nothing:
            return NOTHING_HERE
        return TYPED.get(self.pattern) or PARAMETER.sub(r"<\1>", self.pattern) or "/"

    @property
    def is_nothing(self) -> bool:
        return self.pattern == "api/v1/" and getattr(self.view, "__name__", "") == "nothing_here"

    @property
    def parameters(self) -> list[str]:
        return [] if self.pattern in TYPED else PARAMETER.findall(self.pattern)

    @property
    def is_staff(self) -> bool:
        return self.pattern.startswith(STAFF)

    def path(self, values: dict[str, str]) -> str:
        """The address with its parameters filled in; it is this route's and no other's."""
        if self.is_nothing:
            return "/api/v1/nothing-here"
        path = "/" + (TYPED.get(self.pattern) or PARAMETER.sub(lambda found: values[found[1]], self.pattern))
        found = resolve(path)
        assert found.route == self.pattern.replace("^", ""), f"{self.pattern} is hidden behind {found.route}"
        return path + QUERIES.get(self.name, "").format_map(values)

    def values(self, world: World, place: Place) -> dict[str, str]:
        """What stands for each parameter when the things of `place` are asked for."""
        fixed = {
            "slug": "tokens" if self.is_staff else world.ids["help"],
            "name": "chat",
            "digest": "0123456789abcdef",
            "category": "product",
            "purpose": "summary",
            "factor_id": "0",
            "user_id": str(world.cast.agent.pk),
            "queue_index": "0",
            "scheduler_index": "0",
            "connection_index": "0",
            "job_id": "nothing",
            "result_id": "nothing",
            "scheduler_name": "nothing",
            "cron_job_name": "nothing",
            "content_type_id": "1",
            "object_id": place.ids["conversation_id"],
        }
        known = {**fixed, **world.ids, **place.ids}
        if self.pattern.startswith("api/v1/tasks/"):
            known["task_id"] = place.ids["task"]
        return {name: known[name] for name in [*self.parameters, "link"]}


def every_route() -> list[Route]:
    """All but the admin's pages of single models, which have a table of their own."""
    return [route for route in _walk(get_resolver()) if not MODEL_PAGE.fullmatch(route.pattern)]


def model_pages() -> dict[str, set[str]]:
    """The addresses below each model in the admin: {"tickets.order": {"", "add/", …}}."""
    found: dict[str, set[str]] = {}
    for route in _walk(get_resolver()):
        if page := MODEL_PAGE.fullmatch(route.pattern):
            found.setdefault(f"{page[1]}.{page[2]}", set()).add(PARAMETER.sub("<id>", page[3]))
    return found


def _walk(resolver: URLResolver, before: str = "") -> Iterator[Route]:
    for one in resolver.url_patterns:
        pattern = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _walk(one, pattern)
        else:
            yield Route(pattern, one.callback)
