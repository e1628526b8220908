"""Questions nobody could answer: found, grouped, drafted, covered, asked again, and erased."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from support_agent.models import Gap, GapQuestion, SpotCheck, SpotLabel, Step, Task, ToolCall, Turn
from support_agent.privacy.erase import erase
from support_agent.privacy.rows import erase_conversation
from support_agent.runtime.gap_collect import without_names
from support_agent.runtime.gap_draft import draft_keep, gap_draft
from support_agent.runtime.gaps import gap_dismiss, gap_reopen, gaps_counted, gaps_mine
from tests.cast import Cast, make_cast
from tests.fakes.messages_api import FakeMessagesAPI
from tests.fakes.replies import says
from tests.fakes.scripted import DemoModel
from tests.runtime.conftest import Rig, client_of, ended
from tickets.db import in_db
from tickets.errors import Conflict, NotAllowed
from tickets.models import Article, AuditEntry, Conversation, Customer, Escalation, Feedback, Message
from tickets.services.articles import article_save, articles_embed
from tickets.services.conversations import conversation_claim, conversation_create
from tickets.services.messages import message_assistant, message_post
from tickets.services.replies import reply_post
from tickets.workspace import Workspace, as_if

RENT = ("Can I rent a tent instead of buying one?", "do you rent out tents?", "tent rental, do you offer that")
NORWAY = "Do you ship to Norway?"


@pytest.fixture
def cast(db: None, settings: Settings, tmp_path: Path) -> Cast:
    settings.ERASURE_RECEIPTS = tmp_path / "erasures.jsonl"
    return make_cast()


def ask(text: str, customer: Customer | None = None, *, doubtful: bool = True) -> Turn:
    """A turn in which this was asked, and not well answered."""
    conversation, _ = conversation_create(channel="chat", customer=customer, identity="session" if customer else "")
    turn = Turn.objects.create(conversation=conversation, surface="anonymous", state="answered", doubtful=doubtful)
    message_post(conversation=conversation, client_message_id=uuid4(), text=text, turn_id=turn.pk)
    message_assistant(conversation=conversation, text="I am not sure.", turn_id=turn.pk)
    return turn


def reply(turn: Turn, cast: Cast, text: str) -> None:
    conversation_claim(conversation_id=turn.conversation_id, staff=cast.agent)
    reply_post(conversation_id=turn.conversation_id, staff=cast.agent, text=text)


def only() -> Any:
    """The one gap there is, with its figures."""
    [gap] = gaps_counted()
    return gap


def publish(title: str, body: str, **fields: object) -> Article:
    article = article_save(slug="renting", title=title, category="product", body=body, status="published", **fields)  # type: ignore[arg-type]
    list(articles_embed())
    return article


def test_paraphrases_are_one_gap_by_customers(cast: Cast) -> None:
    for text, customer in zip(RENT, (cast.owner, cast.owner, None), strict=True):
        ask(text, customer)
    ask(NORWAY)
    mined = gaps_mine()
    assert (mined.questions, mined.begun) == (4, 2)
    figures: list[Any] = list(gaps_counted())
    renting, norway = figures
    assert (renting.count, renting.customers, norway.count, norway.customers) == (3, 2, 1, 1)
    assert str(renting) in RENT
    assert str(norway) == NORWAY


def test_another_night_adds_to_the_same_groups(cast: Cast) -> None:
    ask(RENT[0])
    gaps_mine()
    before = only()
    assert gaps_mine().questions == 0, "nothing twice"
    ask(RENT[1])
    ask(NORWAY)
    assert gaps_mine().begun == 1
    found: Any = gaps_counted().get(pk=before.pk)
    assert found.count == 2


def test_every_way_of_being_unanswered_counts(cast: Cast) -> None:
    turns = {why: ask(f"{NORWAY} {why}", doubtful=why == "unsure") for why in GapQuestion.Why.values}
    for why, status, result in (
        ("nothing", "not_found", {"message": "x"}),
        ("weak", "success", {"results": [{"score": 0.55, "url": "/help/x/"}]}),
    ):
        turn = turns[why]
        ToolCall.objects.create(
            turn=turn, conversation=turn.conversation, tool="search_knowledge_base", tool_use_id=why, arguments={},
            idempotency_key=why, status=status, result=result, duration_ms=1,
        )  # fmt: skip
    Escalation.objects.create(
        conversation=turns["escalated"].conversation,
        reason="unsure",
        summary="x",
        due_at=timezone.now(),
        team=cast.team,
    )
    answer = Message.objects.get(turn_id=turns["disliked"].pk, role="assistant")
    Feedback.objects.create(message=answer, helpful=False)
    check = SpotCheck.objects.create(turn=turns["wrong"])
    SpotLabel.objects.create(spot_check=check, staff=cast.agent, needs_person=False, accuracy="inaccurate")
    ask("Do you ship to Sweden and was I answered well?", doubtful=False)
    gaps_mine()
    assert set(GapQuestion.objects.values_list("turn_id", "why")) == {(turn.pk, why) for why, turn in turns.items()}


def test_what_names_a_person_is_left_out(cast: Cast) -> None:
    ask("I am Olivia Owner, olivia@x.example, order AP-100001: can I rent a tent? Call +1 503 555 0134", cast.owner)
    gaps_mine()
    text = GapQuestion.objects.get().text
    assert "rent a tent" in text
    for secret in ("Olivia", "Owner", "olivia@x.example", "AP-100001", "555"):
        assert secret not in text


def test_greetings_and_other_languages_are_left_out(cast: Cast) -> None:
    ask("hm?")
    Conversation.objects.filter(pk=ask("Kann ich bei Ihnen ein Zelt mieten?").conversation_id).update(locale="de")
    gaps_mine()
    assert not Gap.objects.exists()


def test_without_the_model_nothing_is_grouped(cast: Cast, settings: Settings) -> None:
    settings.EMBEDDER = "none"
    ask(RENT[0])
    assert gaps_mine().questions == 0
    assert not Gap.objects.exists()


def test_an_article_that_answers_covers_it_until_it_is_asked_again(cast: Cast) -> None:
    for text in RENT:
        ask(text)
    gaps_mine()
    article = publish("Renting a tent", "You can rent a tent for a weekend. Tent rental is 30.00.")
    assert gaps_mine().covered == 1
    covered = only()
    assert (covered.state, covered.article) == ("covered", article)
    assert gaps_mine().covered == 0
    ask("Is it possible to rent a tent?")
    assert gaps_mine().back == 1
    back = only()
    assert (back.state, back.is_back, back.count) == ("open", True, 4)


def test_an_article_for_others_covers_nothing(cast: Cast) -> None:
    ask(RENT[0])
    gaps_mine()
    publish("Renting a tent", "You can rent a tent for a weekend.", audience="enterprise")
    assert gaps_mine().covered == 0


def test_what_was_there_when_it_was_asked_covers_nothing(cast: Cast) -> None:
    publish("Renting a tent", "You can rent a tent for a weekend.", updated_at=timezone.now() - timedelta(days=1))
    ask(RENT[0])
    assert gaps_mine().covered == 0


def test_dismissed_stays_away_until_it_is_opened(cast: Cast) -> None:
    ask(RENT[0])
    gaps_mine()
    gap_dismiss(gap=only(), staff=cast.lead)
    ask(RENT[1])
    gaps_mine()
    assert only().state == "dismissed"
    gap_reopen(gap=only(), staff=cast.ops)
    assert only().state == "open"
    assert list(AuditEntry.objects.filter(action__startswith="gap.").values_list("action", flat=True).order_by("created_at")) == ["gap.dismiss", "gap.reopen"]  # fmt: skip  # noqa: E501
    with pytest.raises(NotAllowed):
        gap_dismiss(gap=only(), staff=cast.agent)


def test_erasing_a_customer_leaves_nothing_of_theirs(cast: Cast) -> None:
    mine = ask(RENT[0], cast.owner)
    ask(RENT[1], cast.other)
    reply(mine, cast, "Not yet, dear customer.")
    gaps_mine()
    task = gap_draft(gap=only(), staff=cast.lead)
    erase(cast.owner.email)
    assert [question.text for question in GapQuestion.objects.all()] == [RENT[1]]
    assert str(only()) == RENT[1]
    task.refresh_from_db()
    assert "rent" not in task.task
    erase_conversation(GapQuestion.objects.get().conversation_id)
    gaps_mine()
    assert not Gap.objects.exists(), "a gap without a question is none"


async def drafted(rig: Rig, staff_reply: str = "") -> Gap:
    def prepare() -> tuple[Gap, Task]:
        turn = ask(RENT[0], rig.cast.owner)
        ask(RENT[1])
        if staff_reply:
            reply(turn, rig.cast, staff_reply)
        gaps_mine()
        gap = only()
        return gap, gap_draft(gap=gap, staff=rig.cast.lead)

    gap, task = await in_db(prepare)
    await ended(await in_db(lambda: Turn.objects.get(task=task)))
    await in_db(draft_keep, str(task.pk))
    return await in_db(lambda: Gap.objects.select_related("article", "task").get(pk=gap.pk))


async def test_a_draft_is_made_of_what_staff_replied(rig: Rig) -> None:
    rig.model.add(says("# Renting a tent\n\nSummary: Tents for a weekend.\n\nYou can rent one for 30.00 a day."))
    gap = await drafted(rig, "Yes, Olivia: you can rent one for 30.00 a day.")
    article = gap.article
    assert gap.state == "drafted"
    assert article is not None
    assert (article.title, article.summary, article.status) == ("Renting a tent", "Tents for a weekend.", "draft")
    assert article.body == "You can rent one for 30.00 a day."
    assert [source["kind"] for source in gap.sources] == ["reply"]
    [request] = rig.api.requests
    told = str(request["messages"])
    assert "30.00 a day" in told
    assert "Olivia" not in told
    assert await in_db(lambda: Step.objects.filter(turn__task=gap.task, kind="tool_call").count()) == 0
    with pytest.raises(Conflict):
        await in_db(lambda: gap_draft(gap=gap, staff=rig.cast.lead))


def test_no_number_of_the_company_is_left_however_it_is_written(cast: Cast) -> None:
    turn = ask("Can I rent a tent beside fc-2026-01241, or FC-2026-01241/2 and ap-100001?")
    with as_if(Workspace(order_number_format="FC-####-#####", other_number_formats="AP-######")):
        text = without_names("Is ab-123-x a kind of FC-2026-01241 or Fc-2026-01241?", turn.conversation)
        gaps_mine()
    assert text == "Is ab-123-x a kind of [number] or [number]?"
    asked = GapQuestion.objects.get().text
    assert "2026" not in asked
    assert "100001" not in asked
    assert asked.startswith("Can I rent a tent beside [number]")


async def test_a_figure_that_nobody_gave_does_not_pass(rig: Rig) -> None:
    for _ in range(4):
        rig.model.add(says("# Renting a tent\n\nYou can rent one for 77.00 a day."))
    gap = await drafted(rig, "Yes, you can rent one for 30.00 a day.")
    assert gap.article is None or "77.00" not in gap.article.body


async def test_the_demo_model_quotes_and_says_so(transactional_db: None, rig: Rig) -> None:
    rig.runner._model = client_of(FakeMessagesAPI(DemoModel()))
    gap = await drafted(rig, "Yes, you can rent one for 30.00 a day.")
    assert gap.article is not None
    assert gap.article.status == "draft"
    assert "The demo model writes no articles" in gap.article.body
    assert "> Yes, you can rent one for 30.00 a day." in gap.article.body
    assert f"- {RENT[0]}" in gap.article.body
