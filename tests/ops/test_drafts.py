"""Drafts of a careful start in the thread, sent, changed, discarded or passed over; and the page that measures them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from support_agent.intervals import wilson
from support_agent.models import Draft, SurfaceMode, Task, Turn
from support_agent.ops.drafts import advice
from support_agent.privacy.erase import erase
from support_agent.runtime import controls
from support_agent.runtime.controls import mode_set
from support_agent.runtime.drafts import draft_ended
from support_agent.runtime.likeness import difference, likeness
from support_agent.runtime.modes import DRAFTS, LIVE, OFF, Answering
from tests.cast import Cast
from tests.ops.threads import LIVE as FRAGMENT
from tests.ops.threads import audited, page, path
from tests.runtime.conftest import begin, post
from tickets.models import Conversation, Message
from tickets.services.conversations import conversation_claim
from tickets.services.messages import message_assistant

pytestmark = pytest.mark.django_db
WORDS = "Your order AP-100001 left us on 3 November and arrives tomorrow; nothing is left for you to do."


@pytest.fixture(autouse=True)
def _fresh(cast: Cast) -> Iterator[None]:
    mode_set(surface="signed_in", mode="drafts", percent=100, rest="drafts", staff=cast.ops, reason="x")
    controls.forget()
    yield
    controls.forget()


def written(conversation: Conversation, result: str = WORDS, topic: str = "delivery") -> Draft:
    """The newest draft, as its runner would end it."""
    draft = Draft.objects.filter(task__about=conversation).latest("created_at")
    turn = draft.task.turn
    assert turn is not None
    message_assistant(conversation=turn.conversation, text=result, turn_id=turn.pk)
    Turn.objects.filter(pk=turn.pk).update(
        state="answered", cost_usd=Decimal("0.02"), topic=topic, prompt_version="assistant-2-x"
    )
    Task.objects.filter(pk=draft.task_id).update(state="done", result=result)
    draft_ended(turn)
    return draft


def asked(cast: Cast, claimed: bool = True, **values: str) -> tuple[Conversation, Draft]:
    """A customer wrote, a draft is there, and the agent has taken over."""
    conversation = begin(cast.owner)
    post(conversation, "Where is my order?")
    draft = written(conversation, **values)
    if claimed:
        conversation = conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    return conversation, draft


def send(client: Client, conversation: Conversation, text: str, draft: Draft | None = None, **more: Any) -> int:
    form = {"text": text, "draft_id": str(draft.task_id) if draft else "", **more}
    return client.post(path(conversation, "reply/"), form, headers=FRAGMENT).status_code


def shown_draft(client: Client, conversation: Conversation) -> str:
    return page(client, conversation).partition('id="draft"')[2].partition('id="composer"')[0]


# ---- in the thread


def test_it_appears_beside_the_composer_with_its_cost_and_trace(client: Client, cast: Cast) -> None:
    client.force_login(cast.agent)
    conversation = begin(cast.owner)
    post(conversation, "Where is my order?")
    assert "is being written" in shown_draft(client, conversation)
    assert "data-poll" in page(client, conversation)
    draft = written(conversation)
    shown = shown_draft(client, conversation)
    assert "nothing is left for you to do" in shown
    assert "$0.0200" in shown
    assert f"/admin/traces/{Turn.objects.get(task=draft.task).conversation_id}/" in shown
    assert "Take the conversation over" in shown
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    shown = shown_draft(client, conversation)
    for words in ("Send", "Change", "Wrong facts", "Wrong tone", "Not needed", "Other"):
        assert words in shown
    assert "Hand back to the assistant" not in page(client, conversation)


def test_sent_as_it_was_it_is_the_persons_message(client: Client, cast: Cast) -> None:
    client.force_login(cast.agent)
    conversation, draft = asked(cast)
    assert send(client, conversation, WORDS, draft, seen_seq=draft.upto_seq) == 200
    draft.refresh_from_db()
    message = Message.objects.get(conversation=conversation, role="staff")
    assert (draft.outcome, draft.similarity, draft.words_changed) == ("sent", 1.0, 0)
    assert (draft.sent, draft.settled_by, message.staff) == (message, cast.agent, cast.agent)
    assert audited("assist.send")["text"] == (WORDS, WORDS)
    assert "Draft by the assistant" not in shown_draft(client, conversation)


def test_changed_before_it_was_sent(client: Client, cast: Cast) -> None:
    client.force_login(cast.agent)
    conversation, draft = asked(cast)
    inserted = client.post(path(conversation, f"assist/{draft.task_id}/insert/"), headers=FRAGMENT)
    assert inserted.status_code == 200
    assert send(client, conversation, f"Hello Olivia, {WORDS}", draft) == 200
    draft.refresh_from_db()
    assert (draft.outcome, draft.words_changed) == ("changed", 2)
    assert draft.similarity == pytest.approx(1 - 2 / 20)


@pytest.mark.parametrize("why", ["facts", "tone", "not_needed", "other"])
def test_discarded_with_a_reason(client: Client, cast: Cast, why: str) -> None:
    client.force_login(cast.agent)
    conversation, draft = asked(cast)
    url = path(conversation, f"assist/{draft.task_id}/discard/")
    assert client.post(url, headers=FRAGMENT).status_code == 409
    for _ in range(2):
        assert client.post(url, {"why": why}, headers=FRAGMENT).status_code == 200
    draft.refresh_from_db()
    assert (draft.outcome, draft.why, draft.settled_by) == ("discarded", why, cast.agent)
    assert audited("draft.discard")["why"] == ("", why)
    assert "Draft by the assistant" not in shown_draft(client, conversation)
    send(client, conversation, "My own words")
    draft.refresh_from_db()
    assert draft.outcome == "discarded"


def test_passed_over_for_words_of_their_own(client: Client, cast: Cast) -> None:
    client.force_login(cast.agent)
    conversation, draft = asked(cast)
    assert send(client, conversation, "It is with the carrier.") == 200
    draft.refresh_from_db()
    assert (draft.outcome, draft.sent is not None) == ("ignored", True)
    assert draft.similarity is not None
    assert draft.similarity < 0.3


def test_one_that_the_customer_overtook_is_held_and_renewed(client: Client, cast: Cast) -> None:
    client.force_login(cast.agent)
    conversation, old = asked(cast)
    post(conversation, "Never mind, cancel it.")
    assert "being written anew" in shown_draft(client, conversation)
    assert send(client, conversation, WORDS, old, seen_seq=old.upto_seq) == 409
    new = written(conversation, result="It is cancelled.")
    assert "Renewed: the customer wrote on" in shown_draft(client, conversation)
    assert send(client, conversation, WORDS, old) == 200  # they insist
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.outcome, new.outcome) == ("sent", "overtaken")


def test_out_of_date_where_no_new_one_is_written(client: Client, cast: Cast) -> None:
    client.force_login(cast.agent)
    conversation, _ = asked(cast)
    mode_set(surface="signed_in", mode="off", percent=100, rest="off", staff=cast.ops, reason="x")
    controls.forget()
    post(conversation, "And?")
    assert "Out of date" in shown_draft(client, conversation)


def test_none_says_why(client: Client, cast: Cast) -> None:
    client.force_login(cast.agent)
    conversation = begin(cast.owner)
    post(conversation, "My lawyer writes to you.")
    turn = Turn.objects.get()
    Task.objects.update(state="stopped")
    draft_ended(turn, "legal")
    assert "No draft, because the assistant would have asked for a person: legal." in shown_draft(client, conversation)


def test_one_of_another_conversation_is_not_found(client: Client, cast: Cast) -> None:
    client.force_login(cast.agent)
    _, draft = asked(cast)
    other, _ = asked(cast)
    url = path(other, f"assist/{draft.task_id}/discard/")
    assert client.post(url, {"why": "facts"}, headers=FRAGMENT).status_code == 404
    assert send(client, other, "x", draft) == 404


# ---- likeness


@pytest.mark.parametrize(
    ("drafted", "sent", "changed", "similarity"),
    [
        ("", "", 0, 1.0),
        ("a b c", "a\n b  c", 0, 1.0),
        ("a b c", "", 3, 0.0),
        ("the cat sat", "the dog sat", 1, 2 / 3),
        ("kitten on mat", "a kitten on the mat", 2, 0.6),
        ("one two three four", "four three two one", 4, 0.0),
    ],
)
def test_likeness_is_levenshteins_in_words(drafted: str, sent: str, changed: int, similarity: float) -> None:
    found = likeness(drafted, sent)
    assert found.words_changed == changed
    assert found.similarity == pytest.approx(similarity)


def test_a_difference_holds_both_texts() -> None:
    pieces = difference("the cat sat there", "the dog sat")
    assert " ".join(p.text for p in pieces if p.kind != "added") == "the cat sat there"
    assert " ".join(p.text for p in pieces if p.kind != "removed") == "the dog sat"


# ---- the rule


@pytest.mark.parametrize(
    ("answering", "usable", "judged", "verdict", "following"),
    [
        (Answering(DRAFTS), 49, 49, "wait", None),  # too few, however good
        (Answering(DRAFTS), 50, 50, "up", 10),
        (Answering(DRAFTS), 47, 50, "wait", None),  # 94 %, but the lower end is at 83.8 %
        (Answering(OFF), 94, 100, "up", 10),
        (Answering(LIVE, 0), 94, 100, "up", 10),
        (Answering(LIVE, 10), 94, 100, "up", 50),
        (Answering(LIVE, 50), 94, 100, "up", 100),
        (Answering(LIVE, 100), 94, 100, "done", None),
        (Answering(DRAFTS), 60, 100, "mend", None),
        (Answering(DRAFTS), 85, 100, "wait", None),
    ],
)
def test_the_rule(answering: Answering, usable: int, judged: int, verdict: str, following: int | None) -> None:
    said = advice(answering, wilson(usable, judged))
    assert (said.verdict, said.next) == (verdict, following)


# ---- the page


@pytest.fixture
def measured(cast: Cast) -> None:
    """Of delivery: 3 sent, 1 nearly, 1 discarded as not needed. Of billing: 1 sent, 3 changed much, 1 wrong."""
    conversation = begin(cast.owner)
    post(conversation, "Where is my order?")
    written(conversation)
    reply = Message.objects.create(conversation=conversation, role="staff", text="Quite <b>other</b> words", seq=90)
    kinds = [
        *[("delivery", "sent", 1.0, "")] * 3,
        ("delivery", "changed", 0.9, ""),
        ("delivery", "discarded", None, "not_needed"),
        ("billing", "sent", 1.0, ""),
        *[("billing", "changed", 0.2, "")] * 3,
        ("billing", "discarded", None, "facts"),
    ]
    Draft.objects.all().delete()
    for n, (topic, outcome, similarity, why) in enumerate(kinds):
        own = Conversation.objects.create(channel="task", reference=f"TST-{n:03}")
        told: dict[str, Any] = {"topic": topic, "prompt_version": "assistant-2-x", "cost_usd": Decimal("0.01")}
        turn = Turn.objects.create(conversation=own, surface="background", state="answered", **told)
        asked_for: dict[str, Any] = {"purpose": "answer", "task": "x", "budget_usd": 1, "state": "done"}
        task = Task.objects.create(about=conversation, turn=turn, result=f"Draft {n} words", **asked_for)
        found: dict[str, Any] = {"outcome": outcome, "why": why, "settled_at": timezone.now()}
        if similarity is not None:
            found |= {"similarity": similarity, "words_changed": round(20 * (1 - similarity)), "sent": reply}
        Draft.objects.create(task=task, surface="signed_in", language="en", upto_seq=1, model="medium", **found)


@pytest.mark.usefixtures("measured")
def test_the_page_answers_with_shares_intervals_topics_and_examples(client: Client, cast: Cast) -> None:
    client.force_login(cast.ops)
    shown = client.get("/admin/evals/drafts/").content.decode()
    assert "55.6%" in shown  # 5 of 9: what was not needed counts for nothing
    assert "Wait: 9 of the 50 drafts the rule needs were judged." in shown
    assert "1 of 5 usable" in shown
    assert "<del>" in shown
    assert "<ins>" in shown
    assert "Quite &lt;b&gt;other&lt;/b&gt;" in shown
    assert "$0.0100" in shown
    empty = client.get("/admin/evals/drafts/?surface=enterprise").content.decode()
    assert "No draft was written in this time" in empty


@pytest.mark.usefixtures("measured")
def test_the_csv_holds_the_same_figures(client: Client, cast: Cast) -> None:
    client.force_login(cast.lead)
    answer = client.get("/admin/evals/drafts/export.csv")
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[1].startswith('"all","All drafts",10,9,4,1,3,1,0,55.6,')
    [billing] = [line for line in lines if line.startswith('"topic","billing"')]
    assert billing.startswith('"topic","billing",5,5,1,0,3,1,0,20.0,')
    assert "Draft 0 words" not in "".join(lines)


def test_who_may_see_and_set(client: Client, cast: Cast) -> None:
    client.force_login(cast.agent)
    assert client.get("/admin/evals/drafts/").status_code == 403
    form = {"surface": "paying", "mode": "live", "percent": "10", "rest": "off", "reason": "the page says so"}
    client.force_login(cast.lead)
    assert client.post("/admin/ops/mode/", form).status_code == 403
    assert 'name="percent"' not in client.get("/admin/ops/controls/").content.decode()
    client.force_login(cast.ops)
    shown = client.post("/admin/ops/mode/", form, follow=True).content.decode()
    assert "Paying: live for 10 %, the others off." in shown
    assert "the page says so" in shown
    for wrong in ("", "101", "-1", "ten", "½"):
        refused = client.post("/admin/ops/mode/", form | {"percent": wrong}, follow=True).content.decode()
        assert "a whole number from 0 to 100" in refused
    assert SurfaceMode.objects.get(surface="paying").percent == 10


def test_erasure_takes_a_drafts_words_and_leaves_its_figures(client: Client, cast: Cast) -> None:
    client.force_login(cast.agent)
    conversation, draft = asked(cast)
    send(client, conversation, WORDS, draft)
    erase(cast.owner.email)
    draft.refresh_from_db()
    assert draft.outcome == "sent"
    assert "AP-100001" not in draft.task.result
    assert not Message.objects.filter(text__contains="AP-100001").exists()


def test_the_chat_says_that_a_person_answers(client: Client, cast: Cast) -> None:
    assert '<b id="person-answers" hidden>' in client.get("/").content.decode()
    mode_set(surface="anonymous", mode="off", percent=100, rest="off", staff=cast.ops, reason="x")
    controls.forget()
    shown = client.get("/").content.decode()
    assert '<span id="assistant-answers" hidden>' in shown
    assert '<b id="person-answers">' in shown


def test_a_week_without_drafts_has_no_trend(cast: Cast, client: Client) -> None:
    asked(cast, claimed=False)
    Draft.objects.update(created_at=timezone.now() - timedelta(days=60))
    client.force_login(cast.ops)
    assert "No draft was written" in client.get("/admin/evals/drafts/?span=month").content.decode()
    assert "Week of" in client.get("/admin/evals/drafts/?span=quarter").content.decode()
