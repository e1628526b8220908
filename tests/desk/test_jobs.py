"""What workers and Redis lose: a job is a row until it is done, and the sweep asks for it again."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import django_rq
import pytest
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone
from rq.job import JobStatus

from support_agent.runtime.recovery import sweep
from tests.cast import Cast, make_cast
from tickets import mail
from tickets.models import Job
from tickets.queue import MAX_ATTEMPTS, enqueue, jobs_recover, run_job
from tickets.services.conversations import conversation_create
from tickets.services.identity import verification_start

pytestmark = pytest.mark.django_db(transaction=True)


class Redis:
    """A queue that can be emptied, and be away; `ids` are the jobs in it."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.retries: list[Any] = []
        self.is_away = False

    def get_queue(self, name: str, **_: Any) -> Redis:
        if self.is_away:
            raise ConnectionError("Redis is away")
        return self

    def enqueue(self, run: Any, _: str, /, **options: Any) -> None:
        assert run is run_job
        self.ids.append(options["job_id"])
        self.retries.append(options["retry"])

    def get_job_ids(self) -> list[str]:
        return self.ids

    def fetch_job(self, job_id: str) -> Any:
        return SimpleNamespace(get_status=lambda: JobStatus.QUEUED) if job_id in self.ids else None


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Redis:
    made = Redis()
    monkeypatch.setattr("tickets.queue.django_rq.get_queue", made.get_queue)
    return made


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast()


def later(minutes: float = 3) -> None:
    """Time passes for what waits."""
    for job in Job.objects.all():
        Job.objects.filter(pk=job.pk).update(due_at=job.due_at - timedelta(minutes=minutes))


def ask_for_code(cast: Cast) -> None:
    conversation = conversation_create(channel="chat", customer=None, identity="")[0]
    verification_start(conversation=conversation, email=cast.owner.email)


def test_a_mail_whose_job_redis_forgot_goes_out_once(cast: Cast, redis: Redis, mailoutbox: list[EmailMessage]) -> None:
    ask_for_code(cast)
    [lost] = redis.ids
    redis.ids.clear()
    assert sweep().jobs_again == 0  # it may still be on its way
    later()
    assert sweep().jobs_again == 1
    assert redis.ids == [lost]
    run_job(lost)
    run_job(lost)
    assert [one.to for one in mailoutbox] == [[cast.owner.email]]
    assert not Job.objects.exists()


def test_what_is_asked_for_while_redis_is_away_is_done_when_it_is_back(cast: Cast, redis: Redis) -> None:
    redis.is_away = True
    ask_for_code(cast)
    redis.is_away = False
    later()
    assert jobs_recover() == 1
    assert redis.ids == [str(Job.objects.get().pk)]
    later()
    jobs_recover()
    assert len(redis.ids) == 1  # it waits for a worker: nothing is lost


def test_a_job_whose_worker_died_is_done_by_another(
    cast: Cast, redis: Redis, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(**_: Any) -> None:
        raise KeyboardInterrupt  # as kill -9: no handler of ours sees it

    ask_for_code(cast)
    [job_id] = redis.ids
    with monkeypatch.context() as patched:
        patched.setattr(mail, "send", dies)
        with pytest.raises(KeyboardInterrupt):
            run_job(job_id)
    run_job(job_id)  # the dead one may still be alive
    assert mailoutbox == []
    later()
    redis.ids.clear()
    assert jobs_recover() == 1
    run_job(job_id)
    assert len(mailoutbox) == 1


def test_a_mail_sent_again_has_the_same_message_id(
    cast: Cast, redis: Redis, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_for_code(cast)
    [job_id] = redis.ids
    sent = mail.send

    def sends_and_dies(**fields: Any) -> None:
        sent(**fields)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(mail, "send", sends_and_dies)
        with pytest.raises(KeyboardInterrupt):
            run_job(job_id)
    later()
    run_job(job_id)
    assert len(mailoutbox) == 2
    assert len({one.message()["Message-ID"] for one in mailoutbox}) == 1


def fails() -> None:
    raise OSError("the mail server is away")


def test_a_failing_job_is_tried_again_at_growing_intervals_and_given_up_in_the_end(cast: Cast, redis: Redis) -> None:
    enqueue(fails, queue="mail")
    [job_id], [retry] = redis.ids, redis.retries
    assert retry.intervals == [5, 30, 120, 600, 1800]
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(OSError, match="away"):
            run_job(job_id)
    job = Job.objects.get()
    assert (job.attempts, job.error, job.is_running) == (MAX_ATTEMPTS, "OSError", False)
    assert job.due_at > timezone.now() + timedelta(minutes=30)
    later(60)
    assert jobs_recover() == 0


def test_a_job_belongs_to_its_transaction(cast: Cast, redis: Redis) -> None:
    def wants_and_fails() -> None:
        enqueue(fails)
        fails()

    with pytest.raises(OSError, match="away"), transaction.atomic():
        wants_and_fails()
    assert (Job.objects.count(), redis.ids) == (0, [])


def test_one_job_of_a_name_is_enough(cast: Cast, redis: Redis) -> None:
    for _ in range(3):
        enqueue(fails, name="one")
    assert Job.objects.count() == 1


def test_a_job_that_died_in_a_worker_s_hands_is_asked_for_again(cast: Cast) -> None:
    """RQ takes it from the queue before it is marked as begun: killed in between, it is queued in no queue."""
    queue = django_rq.get_queue("mail")
    queue.connection.flushdb()
    ask_for_code(cast)
    row = Job.objects.get()
    later()
    assert (sweep().jobs_again, queue.get_job_ids()) == (1, [str(row.pk)])  # it waits: once is enough
    queue.connection.delete(queue.key)
    held = queue.fetch_job(str(row.pk))
    assert held is not None
    assert held.get_status() == JobStatus.QUEUED
    later()
    sweep()
    assert queue.get_job_ids() == [str(row.pk)]
    queue.connection.flushdb()
