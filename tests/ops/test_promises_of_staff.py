"""What staff write with a time in it is offered as a promise, one click away, and settled from the thread."""

from __future__ import annotations

import re

from django.test import Client

from tests.cast import Cast
from tickets.models import AuditEntry, Promise
from tickets.services.conversations import conversation_claim, conversation_create
from tickets.services.replies import reply_post


def test_from_words_to_a_kept_promise(client: Client, cast: Cast) -> None:
    conversation, _ = conversation_create(channel="chat")
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    words = 'I will send you the "label" within 3 days.'
    reply_post(conversation_id=conversation.pk, staff=cast.agent, text=words)
    client.force_login(cast.agent)
    address = f"/admin/inbox/{conversation.pk}/"
    page = client.get(address).content.decode()
    assert "promise it, in" in page
    due = re.search(r'name="due_at" value="([^"]+)"', page)
    assert due is not None
    client.post(f"{address}promise/", {"text": words, "due_at": due[1]})
    promise = Promise.objects.get()
    assert (promise.text, promise.made_by, promise.state) == (words, cast.agent, "open")
    page = client.get(address).content.decode()
    assert "promise it, in" not in page, "once is enough"
    client.post(f"{address}promise/{promise.pk}/", {"state": "kept"})
    promise.refresh_from_db()
    assert promise.state == "kept"
    assert AuditEntry.objects.filter(action="promise.settle", actor=cast.agent).exists()


def test_who_may_not_answer_is_offered_nothing(client: Client, cast: Cast) -> None:
    conversation, _ = conversation_create(channel="chat")
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    reply_post(conversation_id=conversation.pk, staff=cast.agent, text="I will send you the label within 3 days.")
    client.force_login(cast.ops)
    assert "promise it, in" not in client.get(f"/admin/inbox/{conversation.pk}/").content.decode()
