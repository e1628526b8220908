"""The pages of blast radii: who may open them, a draft that is tried and not saved, what stands there, and the end."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from support_agent.models import BlastRadius, Replay, RunState
from support_agent.runtime.prompting import prompt_save
from tests.blast.conftest import ARTICLES
from tests.cast import Cast
from tests.replay.made import ended_turn
from tickets.models import Article, AuditEntry, Job
from tickets.services.articles import article_save

pytestmark = pytest.mark.django_db
LIST = "/admin/evals/blast/"
ROLES = [("agent", False), ("lead", True), ("ops", True), ("admin", True)]


@pytest.fixture
def article() -> Article:
    title, category, body = ARTICLES["return-an-item"]
    return article_save(slug="return-an-item", title=title, category=category, body=body, status="published")


@pytest.fixture
def radius(cast: Cast, article: Article) -> BlastRadius:
    """Three turns: one otherwise, one in other words, one the same."""
    made = BlastRadius.objects.create(
        kind="article", article=article, touched=9, state="done", asked_by=cast.ops,
        draft={"slug": article.slug, "title": article.title, "body": "Only <b>14</b> days.", "status": "published"},
    )  # fmt: skip
    for verdict, text in (
        ("otherwise", "Hello. You have 14 days."), ("worded", "You have 30 days, no less."),
        ("same", "Hello. You have 30 days."),
    ):  # fmt: skip
        turn = ended_turn(cast.owner, f"how long <i>{verdict}</i>?", "Hello. You have 30 days.")
        Replay.objects.create(turn=turn, radius=made, verdict=verdict, state="done", outcome="answered", text=text)
    return made


@pytest.mark.parametrize(("role", "may"), ROLES)
def test_leads_ops_and_admins_alone(role: str, may: bool, client: Client, cast: Cast, radius: BlastRadius) -> None:
    client.force_login(getattr(cast, role))
    asked = {"kind": "tool", "tool": "lookup_order"}
    for path in (LIST, f"{LIST}{radius.pk}/", f"{LIST}new/?kind=tool&tool=lookup_order"):
        assert client.get(path).status_code == (200 if may else 403)
    for path in (f"{LIST}new/", f"{LIST}{radius.pk}/stop/"):
        assert client.post(path, asked).status_code == (302 if may else 403)
    assert client.post(f"{LIST}draft/", {"title": "x"}).status_code == (422 if may else 403)
    assert BlastRadius.objects.count() == 1 + may


def test_strangers_and_customers_are_sent_away(client: Client, cast: Cast, radius: BlastRadius) -> None:
    for user in (None, cast.owner_user):
        if user:
            client.force_login(user)
        assert client.get(f"{LIST}{radius.pk}/")["Location"].startswith("/admin/login/")


def test_what_changes_stands_first_and_side_by_side(client: Client, cast: Cast, radius: BlastRadius) -> None:
    client.force_login(cast.ops)
    page = client.get(f"{LIST}{radius.pk}/").content.decode()
    assert "Of 3 past turns, 1 would be answered otherwise, 1 in other words." in page
    assert page.index("how long &lt;i&gt;otherwise") < page.index("how long &lt;i&gt;worded")
    assert "how long &lt;i&gt;same" not in page
    assert "<del>You have 30 days.</del>" in page
    assert "<ins>You have 14 days.</ins>" in page
    assert "Hello. <ins>You have 14 days." in page
    assert "No longer says 30 days" in page
    assert "Only &lt;b&gt;14&lt;/b&gt; days." in page
    for replay in Replay.objects.exclude(verdict="same"):
        assert f"/admin/ops/replays/{replay.pk}/" in page
        assert f"#turn-{replay.turn_id}" in page
    same = client.get(f"{LIST}{radius.pk}/?verdict=same").content.decode()
    assert "how long &lt;i&gt;same" in same
    assert "how long &lt;i&gt;otherwise" not in same
    assert "hx-trigger" not in page  # it has ended
    assert not re.search(r"/admin/ops/replays/[0-9a-f-]{36}/", client.get("/admin/ops/replays/").content.decode())


def test_a_draft_from_the_form_is_tried_and_not_saved(client: Client, cast: Cast, article: Article) -> None:
    client.force_login(cast.lead)
    form = client.get(f"/admin/tickets/article/{article.pk}/change/").content.decode()
    assert f'formaction="/admin/evals/blast/draft/?article={article.pk}"' in form
    posted = {
        "title": article.title, "category": article.category, "status": "published", "summary": "", "keywords": "",
        "body": article.body.replace("30", "14").replace("\n", "\r\n"), "_continue": "1",
    }  # fmt: skip
    looked = client.post(f"{LIST}draft/?article={article.pk}", posted)
    assert looked.status_code == 200
    page = looked.content.decode()
    assert "within 14 days" in page
    assert "No turn of the last 30 days has found this article." in page
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    begun = client.post(f"{LIST}new/", {**hidden, "days": "7", "most": "5"})
    made = BlastRadius.objects.get()
    assert begun["Location"] == f"{LIST}{made.pk}/"
    assert (made.days, made.most, made.article, made.asked_by) == (7, 5, article, cast.lead)
    assert "within 14 days" in made.draft["body"]
    assert "\r" not in made.draft["body"]
    article.refresh_from_db()
    assert "within 30 days" in article.body
    assert AuditEntry.objects.filter(action="blast.start", actor=cast.lead).exists()
    assert not AuditEntry.objects.filter(action="article.save").exists()
    assert Job.objects.filter(queue="long", arguments=[str(made.pk)]).exists()
    waiting = client.get(begun["Location"]).content.decode()
    assert 'hx-trigger="every 2s"' in waiting
    assert "The past turns are being looked for." in waiting
    client.post(f"{LIST}{made.pk}/stop/")
    assert "Stopped by lead." in client.get(begun["Location"]).content.decode()
    assert BlastRadius.objects.get().state == RunState.FAILED


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "nothing would change"),
        ({"title": ""}, "The draft could not be saved: title:"),
        ({"status": "nonsense"}, "The draft could not be saved: status:"),
        ({"title": "Another", "most": "9000"}, "turns 1 to 200"),
        ({"title": "Another", "days": "x"}, "Days and turns are numbers."),
    ],
)
def test_what_cannot_be_tried_is_said(
    changes: dict[str, str], said: str, client: Client, cast: Cast, article: Article
) -> None:
    client.force_login(cast.ops)
    answer = client.post(f"{LIST}new/", {"kind": "article", "article": str(article.pk), **changes})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not BlastRadius.objects.exists()


def test_what_is_not_there_is_not_found(client: Client, cast: Cast, article: Article) -> None:
    client.force_login(cast.ops)
    nobody = "00000000-0000-0000-0000-000000000000"
    for path in (f"{LIST}{nobody}/", f"{LIST}new/?kind=prompt&prompt={nobody}", f"{LIST}new/?kind=poem",
                 f"{LIST}new/?kind=article&article=x"):  # fmt: skip
        assert client.get(path).status_code == 404


def test_prompts_and_controls_lead_there_with_an_estimate(client: Client, cast: Cast) -> None:
    version = prompt_save(name="assistant", text="Be kind.", note="", staff=cast.lead)
    turn = ended_turn(cast.owner)
    turn.cost_usd = "0.02"
    turn.save()
    client.force_login(cast.ops)
    link = f"/admin/evals/blast/new/?kind=prompt&amp;prompt={version.pk}"
    assert link in client.get("/admin/ops/prompts/").content.decode()
    assert LIST in client.get("/admin/ops/controls/").content.decode()
    looked = client.get(link.replace("&amp;", "&")).content.decode()
    assert "<b>1</b> turn of the last 30 days were spoken by this prompt" in looked or "<b>1</b> turn" in looked
    assert "$0.02" in looked
    tool = client.get(f"{LIST}new/?kind=tool&tool=lookup_order").content.decode()
    assert "called this tool; 1 would be taken again" in tool
