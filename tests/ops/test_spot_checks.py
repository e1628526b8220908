"""Spot checks as staff do them: blind in two steps, by who answers customers, never of one's own conversation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from support_agent.models import SavedCase, SpotCheck, SpotLabel, Step, Turn
from support_agent.runtime.spot_checks import HELD, spot_checks_open
from tests.cast import Cast
from tests.ops.judged import ANSWER, SAID, ended, handed_over, judged
from tickets.models import Article, AuditEntry, AuditValue, Escalation, Message, Ticket, User
from tickets.services.messages import message_assistant, message_staff

pytestmark = pytest.mark.django_db
Queries = Callable[[int], AbstractContextManager[object]]
QUEUE = "/admin/evals/spot-checks/"


@pytest.fixture
def check(cast: Cast) -> SpotCheck:
    """A handed-over turn with everything about it that must not be seen too early."""
    turn = ended(cast.owner, confidence=0.2719, doubtful=True, topic="zwieback")
    handed_over(turn, "money")
    Step.objects.create(turn=turn, index=0, kind="tool_call", tool="lookup_order", input={"order_number": "AP-100001"},
                        output={"status": "success", "total": "180.00"}, status="success")  # fmt: skip
    Step.objects.create(
        turn=turn, index=1, kind="critic", status="failed", output={"accepted": False, "text": "Rejected"}
    )
    Ticket.objects.create(
        number="T-LATER", customer=cast.owner, subject="Made by the answer", body="b", category="billing"
    )
    return SpotCheck.objects.create(turn=turn, drawn="escalated", chance=0.0625)


def see(client: Client, check: SpotCheck, user: User, status: int = 200) -> str:
    client.force_login(user)
    answer = client.get(f"{QUEUE}{check.pk}/")
    assert answer.status_code == status
    return str(answer.content.decode())


def say(client: Client, check: SpotCheck, user: User, **said: str) -> int:
    client.force_login(user)
    return client.post(f"{QUEUE}{check.pk}/", said).status_code


def label(check: SpotCheck, user: User) -> SpotLabel:
    return SpotLabel.objects.get(spot_check=check, staff=user)


def test_before_the_first_answer_nothing_of_what_was_done_is_there(
    client: Client, cast: Cast, check: SpotCheck
) -> None:
    shown = see(client, check, cast.agent)
    assert SAID in shown
    assert "AP-100001" in shown  # their records, as the desk knew them
    assert "AP-100002" not in shown  # ordered since
    assert "Should a person have taken over here?" in shown
    conversation = check.turn.conversation
    for hidden in (
        ANSWER, "within two days", "When orders leave", "0.27", "0.06", "zwieback", "Rejected", "accepted", "T-LATER",
        "lookup_order", "escalat", "Handed over", "Waiting", "Money", "doubt", "critic", conversation.reference,
        str(conversation.pk), str(check.turn_id), "trace/", "Is every statement right?",
    ):  # fmt: skip
        assert hidden not in shown, hidden
    assert not SpotLabel.objects.exists()


def test_the_queue_gives_nothing_away(client: Client, cast: Cast, check: SpotCheck) -> None:
    for user in (cast.agent, cast.lead, cast.admin):
        client.force_login(user)
        shown = client.get(QUEUE).content.decode()
        assert "1</b> waits for you" in shown
        for hidden in ("Handed over", "Low confidence", "escalat", "zwieback", check.turn.conversation.reference, SAID):
            assert hidden not in shown, hidden


def test_the_two_steps(client: Client, cast: Cast, check: SpotCheck) -> None:
    assert say(client, check, cast.agent, needs_person="yes") == 302
    assert label(check, cast.agent).accuracy == ""
    shown = see(client, check, cast.agent)
    assert "within two days" in shown
    assert "When orders leave" in shown
    assert "180.00" in shown
    assert "Is every statement right?" in shown
    assert "Rejected" not in shown
    assert "0.27" not in shown
    assert check.turn.conversation.reference not in shown
    assert say(client, check, cast.agent, accuracy="accurate") == 302
    found = label(check, cast.agent)
    assert (found.needs_person, found.accuracy) == (True, "accurate")
    check.refresh_from_db()
    assert check.closed_at is not None
    entries = AuditEntry.objects.filter(actor=cast.agent, object_id=str(found.pk)).order_by("created_at")
    assert [entry.action for entry in entries] == ["spot_label.begin", "spot_label.judge"]


def test_the_second_step_first_is_refused(client: Client, cast: Cast, check: SpotCheck) -> None:
    assert say(client, check, cast.agent, accuracy="accurate") == 409
    assert not SpotLabel.objects.exists()


def test_what_was_said_blind_stands(client: Client, cast: Cast, check: SpotCheck) -> None:
    say(client, check, cast.agent, needs_person="no")
    assert say(client, check, cast.agent, needs_person="yes") == 409
    assert say(client, check, cast.agent, needs_person="no") == 302  # sent twice
    assert label(check, cast.agent).needs_person is False


def test_nothing_is_changed_after_closing(client: Client, cast: Cast, check: SpotCheck) -> None:
    say(client, check, cast.agent, needs_person="no")
    say(client, check, cast.agent, accuracy="accurate")
    assert say(client, check, cast.agent, accuracy="inaccurate") == 409
    assert say(client, check, cast.agent, accuracy="accurate") == 302
    assert label(check, cast.agent).accuracy == "accurate"
    assert say(client, check, cast.lead, needs_person="yes") == 409
    assert SpotLabel.objects.count() == 1


def test_of_two_each_is_blind_to_the_other(client: Client, cast: Cast, check: SpotCheck) -> None:
    SpotCheck.objects.filter(pk=check.pk).update(wanted=2)
    say(client, check, cast.agent, needs_person="yes")
    say(client, check, cast.agent, accuracy="inaccurate", note="It was not paid at all.")
    shown = see(client, check, cast.lead)
    assert "not paid at all" not in shown
    assert "within two days" not in shown
    assert "Agent" not in shown
    client.force_login(cast.admin)
    for page in ("/admin/support_agent/spotlabel/", "/admin/support_agent/spotcheck/", "/admin/evals/axes/turns/"):
        assert "not paid at all" not in client.get(page).content.decode()
        assert str(check.pk) not in client.get(page).content.decode()
    assert say(client, check, cast.agent, accuracy="unclear") == 302  # it is open: one may think again
    assert label(check, cast.agent).accuracy == "unclear"
    say(client, check, cast.lead, needs_person="no")
    shown = see(client, check, cast.lead)
    assert "within two days" in shown
    assert "not paid at all" not in shown
    say(client, check, cast.lead, accuracy="accurate")
    check.refresh_from_db()
    assert check.closed_at is not None
    assert say(client, check, cast.agent, accuracy="accurate") == 409


def told(by: User | None) -> list[tuple[str, str, str, str]]:
    values = AuditValue.objects.filter(entry__actor=by, entry__action__startswith="spot_label.")
    return list(values.order_by("entry__created_at", "field").values_list("entry__action", "field", "before", "after"))


def test_the_audit_tells_what_was_said_only_at_closing(client: Client, cast: Cast, check: SpotCheck) -> None:
    SpotCheck.objects.filter(pk=check.pk).update(wanted=2)
    say(client, check, cast.agent, needs_person="yes")
    say(client, check, cast.agent, accuracy="inaccurate")
    later = "told at closing"
    acts = [("spot_label.begin", "needs_person", "", later), ("spot_label.judge", "accuracy", "", later)]
    assert told(cast.agent) == acts  # that it was said, not what
    assert told(None) == []
    say(client, check, cast.lead, needs_person="no")
    say(client, check, cast.lead, accuracy="accurate")
    assert told(cast.agent) == told(cast.lead) == acts
    closing = AuditEntry.objects.filter(action="spot_label.close").order_by("created_at")
    assert [entry.object_id for entry in closing] == [
        str(label(check, cast.agent).pk),
        str(label(check, cast.lead).pk),
    ]
    assert told(None) == [
        ("spot_label.close", "accuracy", "", "inaccurate"), ("spot_label.close", "needs_person", "", "True"),
        ("spot_label.close", "accuracy", "", "accurate"), ("spot_label.close", "needs_person", "", "False"),
    ]  # fmt: skip


def test_who_has_begun_keeps_the_place_for_a_while(client: Client, cast: Cast, check: SpotCheck) -> None:
    say(client, check, cast.agent, needs_person="yes")
    assert list(spot_checks_open(cast.lead)) == []
    assert say(client, check, cast.lead, needs_person="no") == 409
    assert [one.is_begun for one in spot_checks_open(cast.agent)] == [True]  # type: ignore[attr-defined]
    SpotLabel.objects.update(created_at=timezone.now() - HELD - timedelta(minutes=1))
    assert list(spot_checks_open(cast.lead)) == [check]
    assert say(client, check, cast.lead, needs_person="no") == 302
    assert say(client, check, cast.lead, accuracy="accurate") == 302
    assert say(client, check, cast.agent, accuracy="accurate") == 409  # too late


@pytest.mark.parametrize("served", ["wrote", "claimed", "has"])
def test_who_served_it_does_not_judge_it(served: str, client: Client, cast: Cast, check: SpotCheck) -> None:
    conversation = check.turn.conversation
    if served == "wrote":
        message_staff(conversation=conversation, staff=cast.agent, text="I looked.")
    elif served == "claimed":
        Escalation.objects.update(claimed_by=cast.agent)
    else:
        conversation.assignee = cast.agent
        conversation.save()
    see(client, check, cast.agent, 403)
    assert say(client, check, cast.agent, needs_person="yes") == 403
    assert list(spot_checks_open(cast.agent)) == []
    assert list(spot_checks_open(cast.lead)) == [check]


def test_ops_look_on(client: Client, cast: Cast, check: SpotCheck) -> None:
    shown = see(client, check, cast.ops)
    assert SAID not in shown
    assert "nothing of it is shown" in shown
    assert say(client, check, cast.ops, needs_person="yes") == 403
    assert client.get(f"{QUEUE}next/").status_code == 403
    assert "your role looks on" in client.get(QUEUE).content.decode()
    say(client, check, cast.agent, needs_person="yes")
    say(client, check, cast.agent, accuracy="inaccurate", note="Two weeks.")
    shown = see(client, check, cast.ops)
    assert "Two weeks." in shown
    assert "within two days" in shown
    assert "Two weeks." in client.get(QUEUE).content.decode()


def test_what_was_erased_meanwhile_is_gone(client: Client, cast: Cast, check: SpotCheck) -> None:
    Message.objects.filter(turn_id=check.turn_id).update(text="[erased]")
    assert list(spot_checks_open(cast.agent)) == []
    see(client, check, cast.agent, 404)


def test_a_turn_without_an_answer_has_one_question(client: Client, cast: Cast) -> None:
    check = SpotCheck.objects.create(turn=handed_over(ended(cast.owner, answer="")))
    assert say(client, check, cast.agent, needs_person="yes") == 302
    assert label(check, cast.agent).accuracy == "unclear"
    check.refresh_from_db()
    assert check.closed_at is not None


def test_the_thread_ends_with_the_customers_words(client: Client, cast: Cast, check: SpotCheck) -> None:
    conversation = check.turn.conversation
    later = Turn.objects.create(conversation=conversation, surface="signed_in", state="answered")
    message_assistant(conversation=conversation, text="Anything else?", turn_id=later.pk)
    message_staff(conversation=conversation, staff=cast.lead, text="Sorry about that.")
    shown = see(client, check, cast.agent)
    assert "Anything else?" not in shown
    assert "Sorry about that." not in shown


def test_somebody_who_verified_later_was_unknown_then(client: Client, cast: Cast, check: SpotCheck) -> None:
    conversation = check.turn.conversation
    conversation.verified_at = check.turn.created_at + timedelta(minutes=1)
    conversation.save()
    shown = see(client, check, cast.agent)
    assert "AP-100001" not in shown
    assert "the desk knew nothing of them" in shown


def test_one_after_the_other(client: Client, cast: Cast, check: SpotCheck) -> None:
    other = SpotCheck.objects.create(turn=ended(cast.other))
    client.force_login(cast.agent)
    assert client.get(f"{QUEUE}next/").headers["Location"] == f"{QUEUE}{check.pk}/"
    say(client, check, cast.agent, needs_person="no")
    answer = client.post(f"{QUEUE}{check.pk}/", {"accuracy": "accurate"}, follow=True)
    assert answer.redirect_chain[-1][0] == f"{QUEUE}{other.pk}/"
    say(client, other, cast.agent, needs_person="no")
    answer = client.post(f"{QUEUE}{other.pk}/", {"accuracy": "unclear"}, follow=True)
    assert answer.redirect_chain[-1][0] == QUEUE
    assert "Nothing waits for you" in answer.content.decode()


def test_a_wrong_one_leads_to_its_article_and_to_a_case(client: Client, cast: Cast, check: SpotCheck) -> None:
    Article.objects.create(slug="when-orders-leave", title="When orders leave", summary="s", body="b",
                           category="product", status="published")  # fmt: skip
    say(client, check, cast.lead, needs_person="no")
    client.force_login(cast.lead)
    said = {"accuracy": "inaccurate", "note": "Two weeks, card 4111 1111 1111 1111."}
    shown = client.post(f"{QUEUE}{check.pk}/", said, follow=True).content.decode()
    assert "/help/when-orders-leave/" in shown
    assert f"/admin/traces/{check.turn.conversation_id}/" in shown
    assert f'name="turn" value="{check.turn_id}"' in shown
    assert "4111" not in label(check, cast.lead).note  # secrets are hidden at the door
    client.post("/admin/ops/cases/save/", {"turn": str(check.turn_id)})
    assert SavedCase.objects.get().turn == check.turn
    other = SpotCheck.objects.create(turn=ended(cast.owner))
    say(client, other, cast.agent, needs_person="no")
    say(client, other, cast.agent, accuracy="inaccurate")
    assert "A lead can make an evaluation case" in see(client, other, cast.agent)


@pytest.mark.parametrize("said", [{}, {"needs_person": "maybe"}, {"accuracy": "fine"}])
def test_nonsense_is_refused_in_words(said: dict[str, str], client: Client, cast: Cast, check: SpotCheck) -> None:
    assert say(client, check, cast.agent, **said) == 409
    assert not SpotLabel.objects.exists()


def test_keys_are_loaded_only_for_who_wants_them(client: Client, cast: Cast, check: SpotCheck) -> None:
    assert "js/spot-check" in see(client, check, cast.agent)
    cast.agent.staff_profile.shortcuts = False
    cast.agent.staff_profile.save()
    assert "js/spot-check" not in see(client, check, User.objects.get(pk=cast.agent.pk))


def test_the_queue_takes_as_many_queries_for_many_as_for_few(
    client: Client, cast: Cast, django_assert_num_queries: Queries
) -> None:
    SpotCheck.objects.create(turn=ended(cast.owner))
    judged(ended(cast.owner), cast.lead, accuracy="inaccurate")
    client.force_login(cast.lead)
    client.get(QUEUE)
    with django_assert_num_queries(10):
        client.get(QUEUE)
    for _ in range(4):
        SpotCheck.objects.create(turn=ended(cast.owner))
        judged(ended(cast.owner), cast.lead, accuracy="inaccurate")
    with django_assert_num_queries(10):
        client.get(QUEUE)
