"""The inbox's list: its tabs, breach order, marks, filters in the address, unread per person, and its cost."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from support_agent.ops.selectors import inbox as selectors
from tests.cast import Cast, make_staff
from tickets.models import Conversation, Customer, Escalation, Promise, ReadMark, Role, StaffProfile, Team
from tickets.services.conversations import conversation_claim, conversation_close, conversation_create
from tickets.services.escalations import escalation_open
from tickets.services.messages import message_post, message_staff
from tickets.services.promises import promise_make, promise_settle

pytestmark = pytest.mark.django_db
LIST = "/admin/inbox/list/"


def talk(customer: Customer | None = None, text: str = "Where is my tent?") -> Conversation:
    conversation, _ = conversation_create(channel="chat", customer=customer, identity="session" if customer else "")
    message_post(conversation=conversation, client_message_id=uuid4(), text=text)
    return conversation


def waiting(
    customer: Customer | None = None, *, team: str = "billing", reason: str = "asked", minutes: int = 15
) -> Conversation:
    """One that waits, its first answer due in so many minutes."""
    conversation = talk(customer)
    escalation_open(conversation=conversation, reason=reason, summary="Wants a person.", team=team)
    due = timezone.now() + timedelta(minutes=minutes)
    Escalation.objects.filter(conversation=conversation).update(due_at=due, assigned_to=None)
    conversation.refresh_from_db()
    return conversation


def shown(client: Client, query: str = "") -> list[Conversation]:
    return [row.conversation for row in client.get(f"/admin/inbox/?{query}").context["pane"].shown.rows]


def counts(client: Client) -> dict[str, str]:
    return {tab.key: tab.count for tab in client.get("/admin/inbox/").context["pane"].tabs}


@pytest.fixture
def desk(client: Client, cast: Cast) -> Client:
    client.force_login(cast.agent)
    return client


def test_the_most_overdue_comes_first_and_says_so_in_words(desk: Client, cast: Cast) -> None:
    soon, late, later = waiting(cast.owner, minutes=4), waiting(cast.other, minutes=-6), waiting(minutes=30)
    assert shown(desk) == [late, soon, later]
    page = desk.get("/admin/inbox/").content.decode()
    assert "late by 6 min" in page
    assert "due in 3 min" in page
    for words in (cast.other.name, "Plus", "Asked for a person", "Billing", "Where is my tent?", "Nobody yet"):
        assert words in page


def test_tabs_hold_what_they_say_with_counts(desk: Client, cast: Cast) -> None:
    Team.objects.create(slug="engineering", name="Engineering")
    queued, elsewhere = waiting(cast.owner), waiting(cast.other, team="engineering")
    mine, theirs, closed, with_assistant = waiting(), waiting(), waiting(), talk(cast.owner)
    conversation_claim(conversation_id=mine.pk, staff=cast.agent)
    conversation_claim(conversation_id=theirs.pk, staff=cast.lead)
    conversation_close(conversation=closed, actor=cast.lead)
    Escalation.objects.filter(conversation=elsewhere).update(assigned_to=cast.agent)
    conversation_create(channel="task", customer=None)
    assert set(shown(desk)) == set(shown(desk, "tab=waiting")) == {queued, elsewhere}
    assert set(shown(desk, "tab=mine")) == {mine, elsewhere}  # given to me counts, before I take it
    assert set(shown(desk, "tab=team")) == {queued, mine, theirs}
    assert set(shown(desk, "tab=all")) == {queued, elsewhere, mine, theirs, with_assistant}
    assert shown(desk, "tab=closed") == [closed]
    assert counts(desk) == {"waiting": "2", "mine": "2", "team": "3", "all": "5", "closed": "1"}
    assert shown(desk, "tab=nonsense&page=minus&assignee=x&reason=y") == shown(desk)


def test_what_is_answered_comes_after_what_is_not_and_what_is_put_off_last(desk: Client, cast: Cast) -> None:
    now = timezone.now()
    asleep, answered, unanswered, awaiting = (waiting(minutes=5) for _ in range(4))
    for conversation in (answered, unanswered, awaiting):
        conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    Escalation.objects.filter(conversation=answered).update(first_reply_at=now, due_at=now - timedelta(hours=1))
    Conversation.objects.filter(pk=asleep.pk).update(snoozed_until=now + timedelta(hours=1))
    Conversation.objects.filter(pk=awaiting.pk).update(awaits_customer=True)
    rows = shown(desk, "tab=all")
    assert rows[:2] == [unanswered, answered]
    assert set(rows[2:]) == {asleep, awaiting}
    page = desk.get("/admin/inbox/?tab=all").content.decode()
    assert "Snoozed to" in page
    assert "Waits for customer" in page
    assert shown(desk) == []  # a snoozed one waits for nobody
    assert shown(desk, "tab=all&state=snoozed") == [asleep]
    assert shown(desk, "tab=all&state=awaits") == [awaiting]


def test_a_promise_counts_like_a_deadline(desk: Client, cast: Cast) -> None:
    soon, promised, other = waiting(minutes=20), waiting(cast.owner, minutes=1), talk(cast.other)
    conversation_claim(conversation_id=promised.pk, staff=cast.agent)
    Escalation.objects.filter(conversation=promised).update(first_reply_at=timezone.now())
    due = timezone.now() + timedelta(minutes=12, seconds=30)
    for conversation in (promised, other):
        promise_make(conversation=conversation, text="We look into the parcel.", due_at=due, made_by=cast.agent)
    assert shown(desk, "tab=all") == [promised, soon, other]  # nobody has to look after what the assistant has
    assert "promise due in 12 min" in desk.get(f"{LIST}?tab=mine").content.decode()
    promise_settle(promise=Promise.objects.get(conversation=promised, kind="other"), state="kept", actor=cast.agent)
    assert shown(desk, "tab=all") == [soon, promised, other]


def test_unread_is_each_persons_own_and_ends_by_opening(desk: Client, cast: Cast) -> None:
    conversation = waiting(cast.owner)
    message_post(conversation=conversation, client_message_id=uuid4(), text="Hello?")
    assert [row.unread for row in desk.get(LIST).context["pane"].shown.rows] == [2]
    desk.get(f"/admin/inbox/{conversation.pk}/")
    assert [row.unread for row in desk.get(LIST).context["pane"].shown.rows] == [0]
    assert shown(desk, "unread=1") == []
    other = Client()
    other.force_login(cast.lead)
    assert shown(other, "unread=1") == [conversation]
    message_staff(conversation=conversation, staff=cast.lead, text="One moment")
    assert shown(desk, "unread=1") == []  # colleagues' words are no news to answer
    message_post(conversation=conversation, client_message_id=uuid4(), text="And?")
    assert [row.unread for row in desk.get(LIST).context["pane"].shown.rows] == [1]


def test_reading_never_goes_back(desk: Client, cast: Cast) -> None:
    conversation = waiting(cast.owner)
    ReadMark.objects.create(user=cast.agent, conversation=conversation, seq=conversation.last_seq + 5)
    desk.get(f"/admin/inbox/{conversation.pk}/")
    assert ReadMark.objects.get(user=cast.agent).seq == conversation.last_seq + 5


def test_filters_join(desk: Client, cast: Cast) -> None:
    money, legal = waiting(cast.other, reason="money"), waiting(cast.business, reason="legal")
    support = waiting(cast.owner, team="support")
    Conversation.objects.filter(pk=legal.pk).update(customer_seen_at=timezone.now() - timedelta(seconds=20))
    Conversation.objects.filter(pk=money.pk).update(customer_seen_at=timezone.now() - timedelta(seconds=60))
    Escalation.objects.filter(conversation=money).update(assigned_to=cast.lead)
    assert shown(desk, "reason=money") == [money]
    assert shown(desk, "plan=enterprise") == [legal]
    assert shown(desk, "connected=1") == [legal]
    assert shown(desk, "team=support") == [support]
    assert shown(desk, f"assignee={cast.lead.pk}") == [money]
    assert set(shown(desk, "assignee=nobody")) == {legal, support}
    assert shown(desk, "assignee=me") == []
    assert shown(desk, "reason=legal&plan=plus") == []
    assert shown(desk, f"tab=all&q={money.reference.lower()}") == [money]
    assert shown(desk, "q=olivia.owner@example.com") == [support]
    page = desk.get("/admin/inbox/?reason=legal").content.decode()
    assert "connected" in page
    assert "for Lead" in desk.get("/admin/inbox/?reason=money").content.decode()


def test_a_filter_stays_while_conversations_are_opened_and_answered(desk: Client, cast: Cast) -> None:
    conversation = waiting(cast.other, reason="money")
    waiting(cast.owner)
    page = desk.get("/admin/inbox/?tab=team&reason=money")
    link = f"/admin/inbox/{conversation.pk}/?tab=team&amp;reason=money"
    assert link in page.content.decode()
    address = "http://testserver" + link.replace("&amp;", "&")
    answer = desk.post(f"/admin/inbox/{conversation.pk}/claim/", headers={"referer": address})
    beside = desk.get(answer.headers["Location"], headers={"referer": address}).context["pane"]
    assert [row.conversation for row in beside.shown.rows] == [conversation]
    assert (beside.by.tab, beside.by.reason, beside.open_id) == ("team", "money", conversation.pk)
    foreign = desk.get(answer.headers["Location"], headers={"referer": address.replace("testserver", "elsewhere")})
    assert foreign.context["pane"].by.reason == ""


def test_many_are_paged(desk: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "PAGE", 2)
    every = [waiting(minutes=minutes) for minutes in (1, 2, 3, 4, 5)]
    assert [shown(desk, f"page={page}") for page in (1, 2, 3, 4)] == [every[:2], every[2:4], every[4:], []]
    first, last = (desk.get(f"/admin/inbox/?page={page}").content.decode() for page in (1, 3))
    assert 'rel="next"' in first
    assert 'rel="prev"' not in first
    assert 'rel="next"' not in last
    assert 'rel="prev"' in last


def test_it_takes_as_many_queries_for_many_rows_as_for_one(desk: Client, cast: Cast) -> None:
    taken = []
    for more in (1, 12):
        for number in range(more):
            conversation = waiting((cast.owner, cast.other, None)[number % 3])
            if number % 2:
                conversation_claim(conversation_id=conversation.pk, staff=cast.lead)
            elif number % 4:
                Escalation.objects.filter(conversation=conversation).update(assigned_to=cast.lead)
        for query in ("tab=all", "tab=all&unread=1&connected=1&assignee=me&plan=plus&reason=money&team=billing&q=tent"):
            with CaptureQueriesContext(connection) as queries:
                desk.get(f"{LIST}?{query}")
            taken.append(len(queries))
    assert taken[0] == taken[2]
    assert taken[1] <= taken[3] <= taken[2]
    assert max(taken) <= 16


def test_a_member_of_staff_without_team_or_profile_sees_a_list(cast: Cast) -> None:
    waiting(cast.owner)
    client = Client()
    client.force_login(make_staff("solo", Role.AGENT, None))
    assert "You are in no team." in client.get("/admin/inbox/?tab=team").content.decode()
    StaffProfile.objects.filter(user=cast.admin).delete()
    client.force_login(cast.admin)
    assert client.get("/admin/inbox/").status_code == 200


def test_only_staff_look(client: Client, cast: Cast) -> None:
    client.force_login(cast.owner_user)
    for path in ("/admin/inbox/", LIST):
        assert client.get(path).status_code == 302
    client.force_login(make_staff("nobody", Role.AGENT, None))
    nobody = StaffProfile.objects.get(user__username="nobody").user
    nobody.groups.clear()
    for path in ("/admin/inbox/", LIST):
        assert client.get(path).status_code == 403


def test_what_customers_write_is_shown_as_they_wrote_it(desk: Client, cast: Cast) -> None:
    conversation = talk(cast.owner, "<script>alert(1)</script>")
    escalation_open(conversation=conversation, reason="asked", summary="<b>x</b>")
    page = desk.get("/admin/inbox/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_what_we_wrote_is_shown_without_its_marks(desk: Client, cast: Cast) -> None:
    conversation = conversation_claim(conversation_id=talk(cast.owner, "a *b*").pk, staff=cast.agent)
    assert "a *b*" in desk.get("/admin/inbox/?tab=mine").content.decode(), "a customer's stars are their own"
    text = "**Hello**, 1 < 2:\n\n- [Returns](/help/returns/)"
    message_staff(conversation=conversation, staff=cast.agent, text=text)
    page = desk.get("/admin/inbox/?tab=mine").content.decode()
    assert "Hello, 1 &lt; 2: Returns" in page
    assert "**" not in page.partition("<main")[2]


def test_the_bell_is_for_what_begins_to_wait_for_me(desk: Client, cast: Cast) -> None:
    def newest() -> str:
        return str(desk.get(LIST).context["pane"].newest_wait)

    assert newest() == ""
    waiting(team="support")  # of another team
    assert newest() == ""
    waiting(cast.owner)
    first = newest()
    assert first
    elsewhere = waiting(team="support")
    assert newest() == first
    later = timezone.now() + timedelta(minutes=1)
    Escalation.objects.filter(conversation=elsewhere).update(assigned_to=cast.agent, assigned_at=later)
    assert newest() == later.isoformat()
    people = [one.user.username for one in desk.get(LIST).context["pane"].people]
    assert people[0] == "agent"
    assert set(people) == {"agent", "lead", "admin"}  # ops do not answer
