"""`erase_customer`: canaries in every personal column, in files and in Redis, and none afterwards."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import django_rq
import pytest
from django.core.management import CommandError, call_command
from django.test import Client, TestCase
from rq.job import Job

from support_agent.models import EvalResult, EvalRun, SavedCase, Step, Turn
from support_agent.ops.selectors.export import conversation_export
from tests.cast import PASSWORD, Cast
from tests.privacy.planting import EMAIL, WORD, canaries, plant
from tickets import jobs
from tickets.models import AuditValue, Conversation, Customer, ErasureRequest, Event, Message, Note, Order
from tickets.services.conversations import conversation_create
from tickets.services.messages import message_system
from tickets.services.notes import note_add

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> Any:
    """What the command prints; what waits for its commits happens."""
    out = StringIO()
    with TestCase.captureOnCommitCallbacks(execute=True):
        call_command(*arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def planted(cast: Cast) -> Conversation:
    conversation = plant(cast)
    assert len(canaries()) > 60, "the canaries must be there to be found"
    return conversation


def test_nothing_of_a_person_is_left_anywhere(planted: Conversation, cast: Cast, own_folders: Path) -> None:
    redis = django_rq.get_connection("default")
    redis.set(f"rate/transcript_address/{EMAIL}/1", 1)
    failed = Job.create(jobs.announce_escalation, [str(planted.pk)], connection=redis)
    failed.save()
    redis.hset(f"rq:job:{failed.id}", "exc_info", f"SMTPRecipientsRefused: {EMAIL}")
    assert list(own_folders.glob("media/attachments/**/*"))

    receipt = run("erase_customer", EMAIL.upper())

    assert canaries() == []
    assert not [file for file in own_folders.rglob("*") if file.is_file() and WORD.encode() in file.read_bytes()]
    assert not list(redis.scan_iter(f"*{EMAIL}*"))
    assert not redis.exists(f"rq:job:{failed.id}")
    assert receipt["counts"]["tickets_message"] == 2
    assert receipt["counts"]["redis"] == 2
    assert EMAIL not in json.dumps(receipt)
    assert WORD not in json.dumps(receipt)
    assert json.loads((own_folders / "erasures.jsonl").read_text())["id"] == receipt["id"]
    with pytest.raises(CommandError, match="nothing is held"):
        run("erase_customer", EMAIL)


def test_what_the_tax_office_asks_for_stays_under_a_pseudonym(planted: Conversation, cast: Cast) -> None:
    receipt = run("erase_customer", EMAIL)
    order = Order.objects.select_related("customer").get(pk=cast.delivered.pk)
    assert (order.order_number, order.total, order.lines.count()) == ("AP-100001", cast.delivered.total, 2)
    assert order.customer.name == f"Erased customer {receipt['pseudonym']}"
    assert order.customer.email == f"erased-{receipt['pseudonym']}@erased.invalid"
    assert order.customer.status == Customer.Status.CLOSED
    assert not Client().login(username="olivia.owner@example.com", password=PASSWORD)
    other = Order.objects.select_related("customer").get(pk=cast.foreign.pk)
    assert (other.customer.email, other.customer.name) == ("oscar.other@example.com", "Oscar Other")
    assert "12 Fir Street" in other.shipping_address


def test_the_events_keep_their_places_and_figures_stay(planted: Conversation, cast: Cast) -> None:
    Step.objects.update(cost_usd="0.02", input_tokens=7)
    run("erase_customer", EMAIL)
    conversation = Conversation.objects.get(pk=planted.pk)
    seqs = list(Event.objects.filter(conversation=planted).order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, conversation.last_seq + 1))
    assert set(Message.objects.filter(conversation=planted).values_list("text", flat=True)) == {"[erased]"}
    assert conversation.status == Conversation.Status.CLOSED
    assert Turn.objects.get(conversation=planted).state == Turn.State.ESCALATED
    exported = conversation_export(conversation)
    assert exported["turns"][0]["steps"][0]["cost_usd"] == 0.02
    client = Client()
    client.force_login(cast.admin)
    for page in (f"/admin/inbox/{planted.pk}/", f"/admin/traces/{planted.pk}/", "/admin/inbox/"):
        assert client.get(page).status_code == 200


def test_runs_forget_a_saved_case_and_keep_their_verdicts(planted: Conversation, cast: Cast) -> None:
    first = EvalResult.objects.get()
    EvalResult.objects.update(cost_usd="0.02", seconds=3)
    again = EvalRun.objects.create(state="done", suite="saved")
    EvalResult.objects.create(run=again, case=first.case, suite="saved", status="passed", written=WORD, said=[WORD])
    of_ours = {"case": first.case, "suite": "orders", "status": "failed", "written": "- id: ours", "failures": ["x"]}
    EvalResult.objects.create(run=EvalRun.objects.create(state="done", suite="orders"), **of_ours)
    other = SavedCase.objects.create(name="of-another", yaml="- id: of-another")
    EvalResult.objects.create(run=again, case=other.name, suite="saved", status="passed", written=other.yaml)
    assert run("erase_customer", EMAIL)["counts"]["support_agent_evalresult"] == 2
    first.refresh_from_db()
    assert (first.status, float(first.cost_usd), first.seconds) == ("failed", 0.02, 3)
    assert (first.case, first.written, first.said, first.failures) == (f"erased-{first.pk}", "", [], [])
    assert first.run.suite == "saved"
    assert EvalResult.objects.get(case="of-another").written == other.yaml
    assert EvalResult.objects.filter(**of_ours).exists()
    client = Client()
    client.force_login(cast.admin)
    for page in ("", f"{again.pk}/", f"results/{first.pk}/", f"cases/{first.case}/"):
        assert client.get(f"/admin/evals/{page}").status_code == 200, page


def test_a_rehearsal_counts_the_same_and_changes_nothing(planted: Conversation, own_folders: Path) -> None:
    before = canaries()
    rehearsed = run("erase_customer", EMAIL, "--dry-run")
    assert canaries() == before
    assert not (own_folders / "erasures.jsonl").exists()
    assert not ErasureRequest.objects.exists()
    assert list(own_folders.glob("media/attachments/*/*"))
    assert run("erase_customer", EMAIL)["counts"] == rehearsed["counts"]


def test_an_erasure_that_died_half_way_is_finished_by_the_sweep(
    planted: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("support_agent.privacy.erase._mails", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run("erase_customer", EMAIL)
    assert Message.objects.filter(text="[erased]").exists()
    assert canaries()
    assert run("sweep")["erasures"] == 1
    assert canaries() == []
    assert ErasureRequest.objects.get().state == ErasureRequest.State.DONE
    assert run("sweep")["erasures"] == 0


def test_a_restored_backup_is_erased_again(planted: Conversation, cast: Cast, own_folders: Path) -> None:
    receipt = run("erase_customer", EMAIL)
    # What a backup from before brings back: the person, and a table that knows of no erasure.
    ErasureRequest.objects.all().delete()
    Customer.objects.filter(pk=cast.owner.pk).update(email=EMAIL, name=WORD)
    Message.objects.filter(conversation=planted).update(text=WORD)
    assert run("erase_customer", "--reapply", str(own_folders / "erasures.jsonl")) == {"receipts": 1}
    assert canaries() == []
    assert str(ErasureRequest.objects.get().pk) == receipt["id"]
    # Found by itself too, from the file; whoever came back since is somebody new.
    ErasureRequest.objects.all().delete()
    Customer.objects.filter(pk=cast.owner.pk).update(email=EMAIL)
    Customer.objects.filter(pk=cast.other.pk).update(name=WORD)
    assert run("sweep")["erasures"] == 1
    assert canaries() == ["tickets_customer.name (1)"]


def test_who_comes_back_after_an_erasure_is_somebody_new(planted: Conversation, own_folders: Path) -> None:
    run("erase_customer", EMAIL)
    Customer.objects.create(email=EMAIL, name="New Again")
    run("erase_customer", "--reapply", str(own_folders / "erasures.jsonl"))
    assert Customer.objects.get(email=EMAIL).name == "New Again"


def test_what_a_runner_writes_down_too_late_loses_its_words(planted: Conversation) -> None:
    run("erase_customer", EMAIL)
    turn = Turn.objects.get(conversation=planted)
    Step.objects.create(turn=turn, index=7, kind="model_call", input={"said": WORD}, cost_usd="0.03")
    run("sweep")
    assert canaries() == []
    assert float(Step.objects.get(index=7).cost_usd) == 0.03


def test_an_address_goes_wherever_else_it_was_written(planted: Conversation, cast: Cast) -> None:
    foreign, _ = conversation_create(channel="chat", customer=cast.other, identity="session")
    note_add(conversation_id=foreign.pk, author=cast.agent, text=f"Same as {EMAIL}? Not x.{EMAIL}!")
    message_system(conversation=foreign, text="Untouched.")
    type(foreign).objects.filter(pk=foreign.pk).update(contact_email=EMAIL)
    run("erase_customer", EMAIL)
    assert Note.objects.get(conversation=foreign).text == f"Same as [erased]? Not x.{EMAIL}!"
    assert AuditValue.objects.filter(after__contains=EMAIL).count() == 0
    foreign.refresh_from_db()
    assert (foreign.contact_email, foreign.customer, foreign.status) == ("", cast.other, "ai")
    assert Message.objects.get(conversation=foreign).text == "Untouched."


@pytest.mark.parametrize(
    "arguments", [(), ("no-address",), ("nobody@example.com",), ("--reapply", "/nowhere"), (EMAIL, "--reapply", "x")]
)
def test_a_wrong_argument_is_one_line(arguments: tuple[str, ...], db: None) -> None:
    with pytest.raises(CommandError) as error:
        call_command("erase_customer", *arguments)
    assert error.value.returncode == 2
    assert "\n" not in str(error.value)
