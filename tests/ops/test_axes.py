"""The four axes, calibration and their pages: right on rows made for them, honest where there is little."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from support_agent.models import EvalResult, EvalRun, PromptVersion, Step, Turn
from support_agent.ops.axes import FEW, Axis, axes
from support_agent.ops.calibration import calibration, cell_of, tried
from support_agent.ops.selectors.axes import Happened, happened
from support_agent.ops.selectors.evaluated import newest_evaluated
from support_agent.ops.selectors.spot_labels import Labelled, groups_of, labelled
from support_agent.ops.spans import Span
from support_agent.runtime.rollups import rollups_rebuild, rollups_run
from tests.cast import Cast
from tests.ops.judged import ended, handed_over, judged, many, planned
from tickets.models import Conversation, Resolution, Survey, User

pytestmark = pytest.mark.django_db
Queries = Callable[[int], AbstractContextManager[object]]
PAGE = "/admin/evals/axes/"
DAY = timedelta(days=1)


def moment(days: float) -> datetime:
    return timezone.now() - DAY * days


def resolved(turn: Turn, *, days: float = 1, staff: User | None = None, revoked: bool = False) -> None:
    at = moment(days)
    Resolution.objects.create(
        conversation=turn.conversation, kind="assumed", staff=staff, at=at, revoked_at=at if revoked else None
    )


def closed(turn: Turn, *, days: float = 1) -> None:
    Conversation.objects.filter(pk=turn.conversation_id).update(status="closed", closed_at=moment(days))


def rated(turn: Turn, rating: int, *, days: float = 1) -> None:
    Survey.objects.create(conversation=turn.conversation, state="answered", rating=rating, answered_at=moment(days))


def spent(turn: Turn, usd: str, *, days: float = 1) -> None:
    Step.objects.create(
        turn=turn, index=9, kind="model_call", model="m", cost_usd=Decimal(usd), created_at=moment(days)
    )


def verdict(turn: Turn, backed: int, unbacked: int = 0, *, days: float = 1) -> None:
    """A draft refused for what it could not back, then one accepted with what it could."""
    issues = [{"rule": "unbacked_amount", "detail": "…"}] * unbacked + [{"rule": "length", "detail": "…"}]
    if unbacked:
        Step.objects.create(turn=turn, index=20, kind="critic", status="failed", created_at=moment(days),
                            output={"accepted": False, "issues": issues})  # fmt: skip
    claims = [{"claim": "x", "kind": "amount"}] * backed
    Step.objects.create(turn=turn, index=21, kind="critic", created_at=moment(days), status="ok",
                        output={"accepted": True, "claims": claims})  # fmt: skip


def month(surface: str = "") -> Happened:
    return happened(Span.read("30d"), surface)


def shown() -> dict[str, Axis]:
    span = Span.read("30d")
    found = axes(happened(span), labelled(span.before, span.end), newest_evaluated())
    return {axis.name: axis for axis in found}


# What happened


def test_how_conversations_ended(cast: Cast) -> None:
    alone, person, back, left, silent, before, task = many(cast, 7)
    resolved(alone)
    closed(alone)  # also closed: counted once
    resolved(person, staff=cast.agent)
    resolved(back, revoked=True)  # reopened, and open still
    closed(left)  # gave up: nobody was helped
    closed(silent)
    Turn.objects.filter(pk=silent.pk).delete()  # nobody said anything
    resolved(before, days=40)
    closed(task)
    Conversation.objects.filter(pk=task.conversation_id).update(channel="task")
    found = month()
    assert (found.now.alone, found.now.person, found.now.unresolved, found.now.ended) == (1, 1, 1, 3)
    assert (found.before.alone, found.before.ended) == (1, 1)
    assert [bar.ended for bar in found.bars[-3:]] == [0, 3, 0]


def test_money_claims_and_ratings(cast: Cast) -> None:
    first, second, old = many(cast, 3)
    spent(first, "0.10")
    spent(second, "0.05", days=3)
    spent(old, "0.40", days=45)
    verdict(first, 3, 1)
    verdict(second, 2)
    verdict(old, 1, 1, days=45)
    rated(first, 5)
    rated(second, 4)
    rated(old, 1, days=45)
    found = month()
    assert (found.now.cost_usd, found.before.cost_usd) == (Decimal("0.15"), Decimal("0.40"))
    assert (found.now.backed, found.now.unbacked, found.before.backed, found.before.unbacked) == (5, 1, 1, 1)
    assert found.now.ratings == {5: 1, 4: 1}
    assert found.before.ratings == {1: 1}


@pytest.mark.parametrize("name", ["week", "30d", "90d"])
def test_sums_say_the_same_as_the_rows(name: str, cast: Cast) -> None:
    for number, turn in enumerate(many(cast, 5)):
        Turn.objects.filter(pk=turn.pk).update(surface="paying" if number % 2 else "anonymous")
        spent(turn, "0.01", days=number * 2.3)
        verdict(turn, 2, 1, days=number * 2.3)
    for surface in ("", "paying"):
        rows = happened(Span.read(name), surface)
        assert rows.now.claims == (rows.now.cost_usd / Decimal("0.01")) * 3
        assert rows.now.claims or surface
    plain = [happened(Span.read(name, end), surface) for surface in ("", "paying") for end in [timezone.now()]]
    rollups_rebuild()
    summed = [happened(Span.read(name, one.span.end), one.surface) for one in plain]
    assert [one.bars for one in summed] == [one.bars for one in plain]
    assert [one.before for one in summed] == [one.before for one in plain]
    rollups_run()
    assert happened(plain[0].span).bars == plain[0].bars


def test_a_surface_alone(cast: Cast) -> None:
    paying, other = many(cast, 2)
    Turn.objects.filter(pk=paying.pk).update(surface="paying")
    for turn in (paying, other):
        resolved(turn)
        rated(turn, 4)
        spent(turn, "0.02")
    found = month("paying")
    assert (found.now.ended, found.now.ratings, found.now.cost_usd) == (1, {4: 1}, Decimal("0.02"))


def test_every_span_takes_the_same_few_queries(cast: Cast, client: Client, django_assert_num_queries: Queries) -> None:
    client.force_login(cast.ops)
    client.get(PAGE)
    with django_assert_num_queries(18):
        client.get(f"{PAGE}?span=quarter")
    for turn in many(cast, 5):
        resolved(turn)
        rated(turn, 5)
        spent(turn, "0.01")
        judged(turn, cast.agent)
    with django_assert_num_queries(18):
        client.get(f"{PAGE}?span=week&surface=signed_in")


# Figures


def test_little_is_told_as_little(cast: Cast, client: Client) -> None:
    for turn in many(cast, 12):
        rated(turn, 5)
    assert shown()["satisfaction"].figures[0].note == "12 ratings: too few to say"
    assert shown()["satisfaction"].figures[0].value == "–"
    assert shown()["satisfaction"].figures[0].verdict == ""
    assert shown()["completion"].figures[0].note == "no conversation yet"
    client.force_login(cast.lead)
    page = client.get(PAGE).content.decode()
    assert "12 ratings: too few to say" in page
    assert "no judged answer yet" in page
    assert "No evaluation run yet." in page
    assert "Nobody has judged an answer of this time yet." in page


def test_a_goal_is_told_only_when_the_whole_interval_is_beyond(cast: Cast) -> None:
    turns = many(cast, 40)
    for number, turn in enumerate(turns):
        resolved(turn, staff=cast.agent if number < 4 else None)
        rated(turn, 5)
    figure = shown()["completion"].figures[0]
    assert (figure.value, figure.verdict) == ("90.0%", "open")  # 77 % to 96 %: on either side of 85 %
    assert figure.note == "76.9% to 96.0%, from 40 conversations"
    assert shown()["satisfaction"].figures[0].verdict == "reached"
    Resolution.objects.update(staff=cast.agent)
    assert shown()["completion"].figures[0].verdict == "missed"


def test_it_is_compared_with_the_span_before(cast: Cast) -> None:
    turns = many(cast, 2 * FEW)
    for number, turn in enumerate(turns):
        resolved(turn, days=1 if number < FEW else 40, staff=cast.agent if number % 10 == 0 and number < FEW else None)
    figure = shown()["completion"].figures[0]
    assert (figure.value, figure.change, figure.mood) == ("90.0%", "−10.0 points", "bad")


def test_cost_of_a_resolution(cast: Cast) -> None:
    for number, turn in enumerate(many(cast, FEW)):
        resolved(turn, days=number % 10 + 1)
        spent(turn, "0.06", days=number % 10 + 1)
    figure = shown()["cost"].figures[0]
    assert (figure.value, figure.verdict) == ("$0.0600", "reached")
    Step.objects.update(cost_usd=Decimal("0.30"))
    figure = shown()["cost"].figures[0]
    assert (figure.value, figure.verdict) == ("$0.3000", "missed")


def test_a_judged_answer_stands_for_those_it_was_drawn_from(cast: Cast) -> None:
    """Thirty of three hundred at random, all right; ten of ten thumbed down, all wrong: 300 of 310, not 30 of 40."""
    for turn in many(cast, 30):
        judged(turn, cast.agent, chance=0.1)
    for turn in many(cast, 10):
        judged(turn, cast.agent, chance=1.0, drawn="disliked", accuracy="inaccurate")
    judged(ended(cast.owner), cast.agent, accuracy="unclear")
    figure = shown()["accuracy"].figures[0]
    assert figure.value == f"{300 / 310:.1%}"
    assert "from 40 judged answers" in figure.note
    span = Span.read("30d")
    groups = {group.name: group for group in groups_of(labelled(span.start, span.end), span.start, span.end)}
    assert (groups["Thumb down"].right, groups["Thumb down"].told, groups["At random"].judged) == (0, 10, 31)


def test_evidence_counts_claims(cast: Cast) -> None:
    for turn in many(cast, 10):
        verdict(turn, 9, 1)
    figure = shown()["accuracy"].figures[1]
    assert (figure.label, figure.value) == ("By evidence", "90.0%")
    assert figure.verdict == "open"  # a single day tells nothing of the others


def test_the_newest_whole_run_stands_beside(cast: Cast, client: Client) -> None:
    EvalRun.objects.create(state="done", suite="attacks")
    run = EvalRun.objects.create(state="done", model="demo")
    wanted = "- id: a\n  steps:\n  - 'The outcome: escalated'\n  expect:\n    outcome: {}\n"
    rows: list[tuple[str, str, str, list[str]]] = [
        ("a", "resolved", "resolved", []),
        ("b", "resolved", "escalated", ["expected resolved, but it was handed over (unsure)"]),
        ("c", "resolved", "resolved", ["does not say “paid”"]),
        ("d", "escalated", "escalated", ["cost 0.2000 USD, at most 0.1 allowed"]),
        ("e", "resolved", "resolved", ["took 20 steps, at most 16 allowed", "called, but forbidden: request_refund"]),
        ("g", "escalated", "escalated", ["refunds: expected 0, found 1"]),
        ("h", "resolved", "resolved", ["actions: expected none, found ['cancel_order done']"]),
        ("i", "clarified", "resolved", ["step 2: expected the desk to refuse it (late), it was taken"]),
    ]
    for case, asked, outcome, failures in rows:
        EvalResult.objects.create(
            run=run, case=case, suite="s", written=wanted.format(asked), outcome=outcome, failures=failures,
            status="failed" if failures else "passed", cost_usd=Decimal("0.01"),
        )  # fmt: skip
    EvalResult.objects.create(
        run=run, case="f", suite="s", status="skipped", outcome="", written=wanted.format("resolved")
    )
    found = newest_evaluated()
    assert found is not None
    assert (found.run, found.cases, found.accurate) == (run, 8, 4)
    assert (found.expected, found.resolved, found.resolutions) == (5, 1, 1)  # one that failed helped nobody
    assert shown()["cost"].evaluated == "$0.0800 from 1 resolution, $0.0800 together"
    EvalRun.objects.filter(pk=run.pk).update(summary={"customers_usd": 0.02})  # nobody in life pays for those
    assert shown()["cost"].evaluated == "$0.0600 from 1 resolution, $0.0600 together"
    assert shown()["completion"].evaluated.startswith("20.0%")
    assert "no customers who could rate" in shown()["satisfaction"].evaluated


def test_what_is_not_live_or_not_whole_does_not_stand_beside(cast: Cast) -> None:
    """A gate's run and a trial speak with a draft, a run out of budget left cases out."""
    tried = PromptVersion.objects.create(name="assistant", number=7, text="Be kind.")
    nightly = EvalRun.objects.create(state="done", kind="nightly", summary={"over_budget": 0})
    EvalRun.objects.create(state="done", kind="gate", prompt=tried)
    EvalRun.objects.create(state="done", kind="gate")  # its version is gone
    EvalRun.objects.create(state="done", prompt=tried)
    EvalRun.objects.create(state="done", kind="nightly", summary={"over_budget": 3})
    EvalRun.objects.create(state="running", kind="nightly")
    found = newest_evaluated()
    assert found is not None
    assert found.run == nightly
    command = EvalRun.objects.create(state="done", kind="command", summary={"cases": 2})  # as it was told before
    found = newest_evaluated()
    assert found is not None
    assert found.run == command


# Calibration


def labels() -> list[Labelled]:
    span = Span.read("30d")
    return labelled(span.start, span.end)


@pytest.fixture
def mixed(cast: Cast) -> None:
    """Ten turns: four needed a person (two missed), one was handed over for nothing; two by rules, not by doubt."""
    given: list[tuple[float | None, str, bool]] = [
        (0.3, "unsure", True), (0.9, "money", True), (0.45, "", True), (0.6, "", True),
        (0.35, "unsure", False), (0.9, "", False), (0.9, "", False), (0.55, "", False), (0.42, "", False),
        (None, "", False),
    ]  # fmt: skip
    for confidence, reason, needed in given:
        turn = ended(cast.owner, confidence=confidence)
        planned(turn, "orders")
        if reason:
            handed_over(turn, reason)
        judged(turn, cast.agent, needs=needed)


def test_missed_and_needless(mixed: None) -> None:
    found = calibration(labels())
    assert found.missed is not None
    assert (found.missed.value, found.missed.cases) == (0.5, 4)
    assert found.needless is not None
    assert found.needless.value == pytest.approx(1 / 3)
    assert [cell.number for cell in found.total.cells] == [2, 1, 2, 5]
    assert {row.name: [cell.number for cell in row.cells] for row in found.rows}["0.35 to 0.5"] == [0, 1, 1, 1]


def test_another_threshold(mixed: None) -> None:
    rows = labels()
    assert tried(rows, 0.4).missed == 0.5
    at_half = tried(rows, 0.5)  # also 0.45, which needed one, and 0.42, which did not
    assert at_half.missed == 0.25
    assert at_half.needless == pytest.approx(2 / 5)
    assert tried(rows, 0.0).handed == 0.1  # money goes to a person whatever the threshold
    everybody = tried(rows, 1.0)
    assert everybody.missed == 0.0
    assert everybody.handed == 0.9  # whose confidence was never known is as it was
    topics = {topic.name: topic for topic in calibration(rows).topics}
    assert set(topics) == {"all topics", "orders"}
    assert "too few to say" in topics["orders"].chart.note


def test_cells_lead_to_their_turns(mixed: None, cast: Cast, client: Client) -> None:
    client.force_login(cast.lead)
    page = client.get(PAGE).content.decode()
    missed = [row.missed for row in calibration(labels()).rows if row.missed.number]
    assert missed
    for cell in missed:
        assert cell.query.replace("&", "&amp;") in page
        behind = client.get(f"{PAGE}turns/?span=month&{cell.query}").content.decode()
        assert behind.count("/admin/traces/") - 1 == cell.number  # one is the menu's
    assert len(cell_of(labels(), handed="1", needed="0")) == 1
    assert len(cell_of(labels(), bucket="99", handed="x")) == 10


def test_open_checks_count_for_nothing(cast: Cast) -> None:
    check = judged(ended(cast.owner), cast.agent)
    check.closed_at = None
    check.save()
    assert labels() == []


def test_of_two_the_first_counts_and_both_say_how_far_they_agree(cast: Cast) -> None:
    for needs, others in [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15:
        judged(ended(cast.owner), cast.agent, needs=needs, other=(cast.lead, others, "accurate"))
    found = calibration(labels())
    assert sum(one.needed for one in labels()) == 25
    person, statements = found.agreements
    assert (person.pairs, person.same) == (50, 35)
    assert person.value == pytest.approx(0.4)
    assert statements.value is None
    assert statements.words == "both always said the same"


# Pages


@pytest.mark.parametrize("address", [PAGE, f"{PAGE}turns/"])
def test_who_sees_them(address: str, cast: Cast, client: Client) -> None:
    for role, status in (("agent", 403), ("lead", 200), ("ops", 200), ("admin", 200)):
        client.force_login(getattr(cast, role))
        assert client.get(address).status_code == status


@pytest.mark.parametrize(
    "query", ["span=aeon&surface=moon", "span=quarter&bucket=-1&accuracy=%00", "bucket=1e9&needed=2"]
)
def test_nonsense_in_an_address_is_as_good_as_nothing(query: str, cast: Cast, client: Client) -> None:
    client.force_login(cast.ops)
    assert client.get(f"{PAGE}?{query}").status_code == 200
    assert client.get(f"{PAGE}turns/?{query}").status_code == 200
