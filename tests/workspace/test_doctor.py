"""The doctor notes a desk that serves strangers under the demo's name."""

from __future__ import annotations

import pytest

from support_agent.doctor import here
from support_agent.env import env
from tests.workspace.conftest import FJELL
from tickets.workspace import DEFAULT, Workspace, as_if


@pytest.mark.parametrize(
    ("hosts", "house", "state"),
    [
        (["desk.fjell.example"], DEFAULT, "note"),
        (["desk.fjell.example"], FJELL, "ok"),
        (["localhost"], DEFAULT, "ok"),
    ],
)
def test_the_demo_s_name_is_noted_where_strangers_are_served(
    hosts: list[str], house: Workspace, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = env.model_copy(update={"allowed_hosts": hosts, "debug": False, "demo": False})
    monkeypatch.setattr(here, "env", served)
    with as_if(house):
        (finding,) = here._workspace()
    assert finding.state == state
    assert ("/admin/workspace/" in finding.mend) is (state == "note")
