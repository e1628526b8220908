"""The product under siege: one runner over the obeying model and one world for all attacks; it all goes at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from channels.layers import channel_layers
from django.conf import settings
from django.core.management import call_command

from support_agent.runtime.recovery import sweep
from support_agent.runtime.runner import Runner
from tests.attacks.siege import Siege
from tests.attacks.victims import make_world
from tests.attacks.walls import Frames, no_way_out
from tests.fakes.messages_api import FakeMessagesAPI
from tests.fakes.obeying import ObeyingModel
from tests.runtime.conftest import client_of
from tickets.db import in_db

if TYPE_CHECKING:
    from pytest_django.plugin import DjangoDbBlocker


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """As pytest-django's of this name, by which it is ordered, but for a whole module: the rows go at its end."""
    with django_db_blocker.unblock():
        yield
        call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def siege(transactional_db: None) -> AsyncIterator[Siege]:
    model, frames = ObeyingModel(), Frames()
    api = FakeMessagesAPI(model)
    runner = Runner(model=client_of(api))
    layer = channel_layers.set("default", frames)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch, no_way_out() as tried:
        patch.setattr(settings, "RATE_LIMIT_SCALE", 1)
        patch.setattr("tickets.queue.django_rq.get_queue", lambda *_, **__: SimpleNamespace(enqueue=_at_once))
        # Caution would take the tools away before a wall is reached: here it is the walls that are tried.
        patch.setattr("support_agent.agent.likeness.Model.likeness", lambda *_: 0.0)
        world = await in_db(make_world)
        await in_db(sweep)  # a runner does so as it starts, and the first attack would be blamed for it
        running = asyncio.create_task(runner.run())
        yield Siege(world, model, api, runner, frames, tried)
        runner.stop()
        await running
    channel_layers.set("default", layer) if layer else channel_layers.backends.pop("default")


def _at_once(job: Callable[..., Any], *args: Any, **_: Any) -> None:
    job(*args)
