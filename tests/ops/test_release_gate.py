"""The release gate: which prompt versions go live, who may override it, what is written down, and what needs none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import close_old_connections, connection, transaction
from django.test import Client
from django.utils import timezone

from support_agent.models import EvalResult, EvalRun, PromptVersion, RunState
from support_agent.runtime.prompting import prompt_activate, prompt_use_file
from tests.cast import Cast, make_cast
from tests.ops.made import signed_in
from tests.ops.made_evals import gate, result, run, version
from tickets.errors import DeskError
from tickets.models import AuditEntry, User

pytestmark = pytest.mark.django_db
PAGE = "/admin/ops/prompts/"
WHY = "Customers read wrong opening hours."


def active(name: str = "assistant") -> int | None:
    return PromptVersion.objects.filter(name=name, is_active=True).values_list("number", flat=True).first()


def noted() -> dict[str, tuple[str, str]]:
    """What the audit holds of the newest activation."""
    entry = AuditEntry.objects.filter(action="prompt.activate").latest("created_at")
    return {value.field: (value.before, value.after) for value in entry.values.all()}


def not_run(of: PromptVersion) -> None: ...


def running(of: PromptVersion) -> None:
    gate(of, state=RunState.RUNNING, is_passed=None, finished_at=None)


def waiting(of: PromptVersion) -> None:
    gate(of, state=RunState.QUEUED, is_passed=None, started_at=None, finished_at=None)


def failed(of: PromptVersion) -> None:
    gate(of, is_passed=False)


def broken_off(of: PromptVersion) -> None:
    gate(of, state=RunState.FAILED, is_passed=None, error="Its process died.")


def with_old_code(of: PromptVersion) -> None:
    made = gate(of)
    commit, _, cases = made.code.split("/")
    EvalRun.objects.filter(pk=made.pk).update(code=f"{commit}/000000000000/{cases}")


def with_old_cases(of: PromptVersion) -> None:
    made = gate(of)
    commit, sources, _ = made.code.split("/")
    EvalRun.objects.filter(pk=made.pk).update(code=f"{commit}/{sources}/000000000000")


def of_a_part(of: PromptVersion) -> None:
    gate(of, suite="orders")


def of_another(of: PromptVersion) -> None:
    gate(version(9, note="not this one"))


STATES: list[tuple[Callable[[PromptVersion], None], str]] = [
    (not_run, "has not been evaluated"),
    (waiting, "waits to be evaluated"),
    (running, "is being evaluated now"),
    (failed, "fails the evaluation"),
    (broken_off, "Its process died."),
    (with_old_code, "the code has changed"),
    (with_old_cases, "the evaluation cases have changed"),
    (of_a_part, "has not been evaluated"),
    (of_another, "has not been evaluated"),
]


@pytest.mark.parametrize(("tried", "why"), STATES, ids=[tried.__name__ for tried, _ in STATES])
def test_without_a_pass_it_does_not_go_live(tried: Callable[[PromptVersion], None], why: str, cast: Cast) -> None:
    mine = version()
    tried(mine)
    with pytest.raises(DeskError, match="may not speak yet") as refused:
        prompt_activate(version=mine, staff=cast.ops, reason=WHY)
    assert why in refused.value.message
    with pytest.raises(DeskError, match="10 characters"):
        prompt_activate(version=mine, staff=cast.lead)
    assert active() is None
    assert not AuditEntry.objects.filter(action="prompt.activate").exists()
    prompt_activate(version=mine, staff=cast.lead, reason=WHY)
    assert active() == 1


@pytest.mark.parametrize("name", ["assistant", "planner", "memory"])
def test_with_a_pass_ops_may_activate(name: str, cast: Cast) -> None:
    mine = version(2, name)
    gate(mine)
    prompt_activate(version=mine, staff=cast.ops)
    assert active(name) == 2
    assert noted() == {"active": ("", "2"), "gate": ("", "passed")}


@pytest.mark.parametrize("role", ["lead", "admin"])
def test_an_override_is_written_down_with_its_reason_and_the_gate(role: str, cast: Cast) -> None:
    mine = version()
    failed(mine)
    staff: User = getattr(cast, role)
    prompt_activate(version=mine, staff=staff, reason=f"  {WHY} ")
    assert noted() == {"active": ("", "1"), "gate": ("", "failed"), "reason": ("", WHY)}
    assert AuditEntry.objects.get(action="prompt.activate").actor == staff


@pytest.mark.parametrize("reason", ["", "urgent", "   urgent    ", "123456789"])
def test_a_reason_says_something(reason: str, cast: Cast) -> None:
    with pytest.raises(DeskError, match="10 characters"):
        prompt_activate(version=version(), staff=cast.lead, reason=reason)


def test_going_back_needs_no_gate(cast: Cast) -> None:
    first, second = version(1), version(2)
    for one in (first, second):
        prompt_activate(version=one, staff=cast.lead, reason=WHY)
    failed(first)
    prompt_activate(version=first, staff=cast.ops)
    assert active() == 1
    assert noted()["gate"] == ("", "not asked: it spoke before")
    prompt_use_file(name="assistant", staff=cast.ops)
    assert active() is None


def test_too_long_a_text_is_refused_whatever_the_reason(cast: Cast) -> None:
    mine = PromptVersion.objects.create(name="assistant", number=1, text="a word too many " * 3000)
    gate(mine)
    with pytest.raises(DeskError, match="more than 2,000 tokens"):
        prompt_activate(version=mine, staff=cast.admin, reason=WHY)


# The page.


def test_the_page_says_where_each_version_stands(client: Client, cast: Cast) -> None:
    stands: dict[int, Callable[[PromptVersion], object]] = {
        1: not_run,
        2: running,
        3: failed,
        4: with_old_code,
        5: gate,
    }
    for number, tried in stands.items():
        tried(version(number))
    version(6, activated_at=timezone.now())
    page = signed_in(client, cast).get(PAGE)
    found = {standing.version.number: standing.state for standing in page.context["standings"]}
    assert found == {1: "none", 2: "running", 3: "failed", 4: "stale", 5: "passed", 6: ""}
    text = page.content.decode()
    assert [f'aria-label="Activate version {number}"' in text for number in range(1, 7)] == [False] * 4 + [True] * 2
    assert [f"Run the gate for version {number}" in text for number in range(1, 7)] == [
        True, False, True, True, False, False
    ]  # fmt: skip
    failing = EvalResult.objects.get(run__prompt__number=3, case="cancel-late")
    assert f'<a href="/admin/evals/results/{failing.pk}/">cancel-late</a>' in text
    assert "the code has changed" in text
    assert 'hx-trigger="every 2s"' in text


@pytest.mark.parametrize(("role", "may"), [("lead", True), ("admin", True), ("ops", False)])
def test_only_who_may_override_is_offered_it(role: str, may: bool, client: Client, cast: Cast) -> None:
    mine = version()
    text = signed_in(client, cast, role).get(PAGE).content.decode()
    assert ("Activate without the gate" in text) is may
    form = {"name": "assistant", "version": str(mine.pk), "reason": WHY}
    said = client.post(f"{PAGE}activate/", form, follow=True).content.decode()
    assert active() == (1 if may else None)
    assert ("speaks from the next turn on" in said) is may
    assert ("A lead may let it speak all the same" in said) is not may


def test_an_override_without_a_reason_is_told_so(client: Client, cast: Cast) -> None:
    form = {"name": "assistant", "version": str(version().pk), "reason": "now"}
    said = signed_in(client, cast, "lead").post(f"{PAGE}activate/", form, follow=True).content.decode()
    assert "An override needs a reason of 10 characters or more." in said
    assert active() is None


@pytest.mark.parametrize(("role", "status"), [("agent", 403), ("lead", 302), ("ops", 302), ("admin", 302)])
def test_who_may_run_the_gate(role: str, status: int, client: Client, cast: Cast) -> None:
    mine = version()
    form = {"name": "assistant", "version": str(mine.pk)}
    assert signed_in(client, cast, role).post(f"{PAGE}gate/", form).status_code == status
    started = EvalRun.objects.filter(kind="gate", prompt=mine, suite="", state=RunState.QUEUED)
    assert started.count() == (1 if status == 302 else 0)
    assert AuditEntry.objects.filter(action="evals.start").count() == started.count()


def test_a_gate_that_runs_is_not_started_twice(client: Client, cast: Cast) -> None:
    form = {"name": "assistant", "version": str(version().pk)}
    signed_in(client, cast)
    for _ in range(2):
        said = client.post(f"{PAGE}gate/", form, follow=True).content.decode()
    assert "being evaluated already" in said
    assert EvalRun.objects.count() == 1


@pytest.mark.parametrize("form", [{"name": "x"}, {"name": "assistant"}, {"name": "assistant", "version": "7"}])
def test_the_gate_of_nothing_is_404(form: dict[str, str], client: Client, cast: Cast) -> None:
    assert signed_in(client, cast).post(f"{PAGE}gate/", form).status_code == 404


def test_progress_of_a_running_gate(client: Client, cast: Cast) -> None:
    mine = version()
    tried = run({}, kind="gate", prompt=mine, state=RunState.RUNNING, is_passed=None, total=8, summary={})
    for number in range(2):
        result(tried, f"case-{number}")
    text = signed_in(client, cast).get(PAGE).content.decode()
    assert "2 of 8" in text


def test_the_page_asks_the_gate_of_a_bounded_number_of_versions(
    client: Client, cast: Cast, django_assert_max_num_queries: Any
) -> None:
    for number in range(1, 31):
        gate(version(number), is_passed=number % 2 == 0)
    signed_in(client, cast).get(PAGE)
    with django_assert_max_num_queries(65):
        page = client.get(PAGE)
    states = {standing.version.number: standing.state for standing in page.context["standings"]}
    assert [states[number] for number in range(30, 20, -1)] == ["passed", "failed"] * 5


# No way round it.


@pytest.mark.parametrize("role", ["lead", "ops", "admin"])
def test_the_admin_cannot_activate(role: str, client: Client, cast: Cast) -> None:
    mine = version()
    signed_in(client, cast, role)
    records = "/admin/support_agent/promptversion/"
    sent = {"name": "assistant", "number": "1", "text": "t", "is_active": "on", "_save": "Save"}
    assert client.post(f"{records}{mine.pk}/change/", sent).status_code == 403
    assert client.post(f"{records}add/", sent | {"number": "2"}).status_code == 403
    assert client.post(records, {"action": "activate", "_selected_action": str(mine.pk)}).status_code in (200, 302, 403)
    assert active() is None
    assert PromptVersion.objects.count() == 1


# Races: what a test's own transaction cannot show.


def at_once(*deeds: Callable[[], object]) -> list[BaseException | None]:
    """Each in a thread of its own, begun together; what each raised."""
    barrier = threading.Barrier(len(deeds))
    raised: list[BaseException | None] = [None for _ in deeds]

    def do(place: int, deed: Callable[[], object]) -> None:
        barrier.wait(10)
        try:
            deed()
        except Exception as error:
            raised[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=one) for one in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    close_old_connections()
    return raised


@pytest.mark.django_db(transaction=True)
def test_two_activations_at_once_leave_one_that_speaks() -> None:
    staff = make_cast().ops
    both = [version(1), version(2)]
    for one in both:
        gate(one)
    first, second = both
    raised = at_once(
        lambda: prompt_activate(version=first, staff=staff), lambda: prompt_activate(version=second, staff=staff)
    )
    refused = [error for error in raised if error]
    assert all(isinstance(error, DeskError) for error in refused)
    assert PromptVersion.objects.filter(is_active=True).count() == 1
    acts = AuditEntry.objects.filter(action="prompt.activate")
    assert acts.count() == 2 - len(refused)


@pytest.mark.django_db(transaction=True)
def test_the_same_version_twice_at_once_is_written_down_once() -> None:
    staff, mine = make_cast().ops, version()
    gate(mine)
    raised = at_once(*[lambda: prompt_activate(version=mine, staff=staff)] * 2)
    assert sorted(str(error) for error in raised if error) == ["Version 1 of assistant speaks already."]
    assert AuditEntry.objects.filter(action="prompt.activate").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_gate_run_cannot_end_in_the_middle_of_an_activation() -> None:
    """Whoever ends the run waits until the activation is decided, and the other way round."""
    staff, mine = make_cast().ops, version()
    tried = gate(mine, state=RunState.RUNNING, is_passed=None, finished_at=None)
    raised: list[BaseException | None] = []
    with transaction.atomic():
        EvalRun.objects.filter(pk=tried.pk).update(state=RunState.DONE, is_passed=True, finished_at=timezone.now())
        thread = threading.Thread(
            target=lambda: raised.extend(at_once(lambda: prompt_activate(version=mine, staff=staff)))
        )
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()  # it waits for what becomes of the run
    thread.join(20)
    assert raised == [None]
    assert active() == 1
