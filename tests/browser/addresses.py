"""The address of every page the resolver knows, over the demo's shop: runs inside the product, by `manage.py shell`.

Routes and what stands for their parameters are the security matrix's. Prints one JSON object, see `Addresses`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, TypedDict

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, Model
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django_rq.cron import DjangoCronScheduler
from django_rq.queues import get_queue_by_index
from rq.job import Job, JobStatus
from rq.results import Result
from rq.worker import Worker

from support_agent.models import Alert, AlertRoute, SavedCase, Turn
from tests.cast import Cast
from tests.security.matrix.routes import every_route, model_pages
from tests.security.matrix.world import Place, World, browser_of, loose_ids, make_place
from tickets.models import Action, Article, Conversation, Customer, Order, Promise, Team, ThreadLink, User

KEPT_S = 3600
Ids = dict[str, str]


class Addresses(TypedDict):
    """`pages` and `models` by their names in the matrix; `errors` are whole documents; `cookies` by who it is."""

    pages: dict[str, str]
    models: dict[str, dict[str, str]]
    errors: dict[str, str]
    cookies: dict[str, str]


def tell() -> None:
    """Everything, as JSON on the last line of the output."""
    cast = _demo_cast()
    place, ids = _place(cast)
    world = World(cast, {"customer": place}, {}, ids)
    staff, queues = _busiest(place), _queue_ids(place)
    pages = {}
    for route in every_route():
        about = queues if route.pattern.startswith("django-rq/") else staff if route.is_staff else place
        pages[route.name] = route.path(route.values(world, about))
    told: Addresses = {
        "pages": pages,
        "models": {model: _model_pages(apps.get_model(model), cast.admin) for model in sorted(model_pages())},
        "errors": {path.stem: render_to_string(path.name) for path in _error_pages()},
        "cookies": {"customer": browser_of(cast.owner_user, place), "admin": browser_of(cast.admin), "stranger": ""},
    }
    sys.stdout.write(json.dumps(told) + "\n")


def _demo_cast() -> Cast:
    """The demo's people in the roles of the tests' cast; the owner is the one other tests use least."""
    customers = Customer.objects.filter(user__isnull=False).order_by("-created_at")
    staff = {role: User.objects.filter(groups__name=role).first() for role in ("agent", "lead", "ops", "admin")}
    order = Order.objects.first()
    assert order
    found: dict[str, Any] = {"owner": customers[0], "other": customers[1], "business": customers[2], **staff}
    found |= {"stranger": staff["agent"], "team": Team.objects.first()}
    return Cast(**found, delivered=order, paid=order, foreign=order)


@transaction.atomic
def _place(cast: Cast) -> tuple[Place, Ids]:
    """A conversation with all that may hang on one; what would go on working by itself is taken away again."""
    Alert.objects.filter(key="matrix").delete()
    SavedCase.objects.filter(name="matrix").delete()
    place = make_place(cast, cast.owner)
    place.ids["task"] = place.ids["task_id"]
    ids = loose_ids(cast, place)
    Article.objects.filter(slug=ids["help"]).delete()
    Promise.objects.filter(pk=place.ids["promise_id"]).delete()
    Action.objects.filter(pk=place.ids["action_id"]).delete()
    AlertRoute.objects.filter(pk=ids["route_id"]).delete()
    Alert.objects.filter(pk=ids["alert_id"]).update(resolved_at=timezone.now())
    ThreadLink.objects.filter(conversation=place.conversation).update(sent_at=timezone.now())
    Conversation.objects.filter(pk=place.conversation.pk).update(status="closed", closed_at=timezone.now())
    article = Article.objects.filter(status="published").order_by("slug").first()
    assert article
    return place, {**ids, "help": article.slug}


def _busiest(place: Place) -> Place:
    """What staff look at: the conversation in which the assistant did most, if the demo has one."""
    busy = Turn.objects.annotate(n=Count("steps")).filter(n__gt=0).order_by("-n").first()
    if busy is None:
        return place
    return Place(
        busy.conversation,
        "",
        {**place.ids, "conversation_id": str(busy.conversation_id), "turn_id": str(busy.pk)},
        "",
    )


def _queue_ids(place: Place) -> Place:
    """A job that is done, with its result; the worker and the scheduler that run."""
    queue = get_queue_by_index(0)
    job = Job.create("operator.add", args=(1, 2), connection=queue.connection, origin=queue.name, result_ttl=KEPT_S)
    job.save()
    job.set_status(JobStatus.FINISHED)
    result = Result.create(job, Result.Type.SUCCESSFUL, ttl=KEPT_S, return_value=3)
    queue.finished_job_registry.add(job, KEPT_S)
    scheduler = DjangoCronScheduler.all(queue.connection)[0]
    worker = Worker.all(connection=queue.connection)[0]
    known = {
        "job_id": job.id,
        "result_id": str(result.id),
        "key": worker.key,
        "scheduler_name": scheduler.name,
        "cron_job_name": scheduler.get_jobs()[0].name,
    }
    return Place(place.conversation, "", {**place.ids, **known}, "")


def _model_pages(model: type[Model], user: User) -> Ids:
    """The list and what can be opened of one record, by the names of the matrix's pages."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    row = model._default_manager.order_by("-pk").first()
    request = HttpRequest()
    request.user = user
    may = admin.site.get_model_admin(model).get_model_perms(request)
    found = {"": reverse(f"{name}_changelist")}
    if may["add"]:
        found["add/"] = reverse(f"{name}_add")
    for page, verb in (("change/", "view"), ("history/", "view"), ("delete/", "delete")):
        if row is not None and may[verb]:
            found[f"<id>/{page}"] = reverse(f"{name}_{page.strip('/')}", args=[row.pk])
    if model is User and row is not None:
        found["<id>/password/"] = reverse("admin:auth_user_password_change", args=[row.pk])
    return found


def _error_pages() -> list[Path]:
    """What is shown when something went wrong: all that stands beside base.html."""
    folder = Path(settings.TEMPLATES[0]["DIRS"][0])
    return sorted(path for path in folder.glob("*.html") if path.stem not in ("base", "metadata"))
