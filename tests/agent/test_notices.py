"""System messages inside a turn: appended, never two in a row."""

from __future__ import annotations

from support_agent.agent.notices import append_notice
from support_agent.agent.types import Json


def test_a_notice_follows_the_newest_message() -> None:
    messages: list[Json] = [{"role": "user", "content": "hi"}]
    append_notice(messages, "one")
    assert messages[1] == {"role": "system", "content": "one"}


def test_a_second_one_is_merged_and_nothing_before_is_touched() -> None:
    messages: list[Json] = [{"role": "user", "content": "hi"}]
    append_notice(messages, "one")
    before, kept = messages[0], messages[1]
    append_notice(messages, "two")
    assert [message["role"] for message in messages] == ["user", "system"]
    assert messages[1]["content"] == "one\n\ntwo"
    assert messages[0] is before
    assert kept["content"] == "one"  # what was already sent or recorded stays as it was
