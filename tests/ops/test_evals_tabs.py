"""The tabs of the evaluation's pages: everybody gets those that they may open, and no other."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from support_agent.models import SpotCheck
from tests.cast import Cast
from tests.ops.judged import ended
from tests.ops.made_evals import run as run_made

pytestmark = pytest.mark.django_db
OWN = ("/admin/evals/", "/admin/evals/spot-checks/")
TABS = {"agent": {*OWN}}
ALL = {*OWN, "/admin/evals/axes/", "/admin/evals/drafts/", "/admin/evals/blast/"}


@pytest.mark.parametrize("role", ["agent", "lead", "ops", "admin"])
def test_each_role_has_the_tabs_it_may_open(role: str, client: Client, cast: Cast) -> None:
    run, check = run_made({"a": "passed"}), SpotCheck.objects.create(turn=ended(cast.owner))
    client.force_login(getattr(cast, role))
    pages = [*OWN, f"/admin/evals/{run.pk}/", "/admin/evals/compare/", f"/admin/evals/spot-checks/{check.pk}/"]
    found: set[str] = set()
    for page in pages:
        shown = client.get(page).content.decode()
        tabs = re.search(r'<nav class="tabs" aria-label="Evaluation">(.*?)</nav>', shown, re.DOTALL)
        assert tabs, page
        assert set(re.findall(r'href="([^"]+)"', tabs[1])) == TABS.get(role, ALL), page
        found |= {link for link in re.findall(r'href="(/admin/evals/[^"]*)"', shown) if "logout" not in link}
    assert {link: client.get(link.replace("&amp;", "&")).status_code for link in found if refused(client, link)} == {}


def refused(client: Client, link: str) -> bool:
    return client.get(link.replace("&amp;", "&")).status_code == 403
