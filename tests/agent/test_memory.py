"""A conversation of any length stays inside its window and keeps its facts."""

from __future__ import annotations

from dataclasses import replace

from support_agent.agent.memory import (
    COMPRESS_AT,
    COMPRESS_TO,
    NOTES,
    VERBATIM,
    WINDOW,
    cut,
    estimate,
    facts_in,
    history,
    own_texts,
    reminder,
    size,
)
from support_agent.agent.remembered import LookedUp, Memory, Said
from support_agent.agent.types import Json
from tests.agent.ports import asks, plans, reply, says, world


def long_memory(turns: int, *, words: int = 120) -> Memory:
    said = []
    for n in range(turns):
        said.append(Said(2 * n + 1, "user", f"What about order AP-{100000 + n}? " + "please " * words))
        said.append(Said(2 * n + 2, "assistant", f"It is order number {n}. " + "indeed " * words))
    calls = [LookedUp(2 * n + 1, "lookup_order", {"order_number": f"AP-{100000 + n}"}, {"n": n}) for n in range(turns)]
    return Memory(said=said, looked_up=calls)


def tokens_of(messages: list[Json]) -> int:
    return sum(estimate(block["text"]) for message in messages for block in message["content"])


def test_history_alternates_and_begins_with_the_customer() -> None:
    memory = Memory(
        said=[Said(1, "assistant", "Hi"), Said(2, "user", "a"), Said(3, "user", "b"), Said(4, "assistant", "c")]
    )
    messages = history(memory)
    assert [message["role"] for message in messages] == ["user", "assistant"]
    assert own_texts(messages[0]) == ["a", "b"]


def test_a_look_up_stands_after_its_message_as_data_and_is_not_the_customers_word() -> None:
    call = LookedUp(1, "lookup_order", {"order_number": "AP-100001"}, {"status": "success", "total": "9.00"})
    messages = history(Memory(said=[Said(1, "user", "my order?"), Said(2, "assistant", "here")], looked_up=[call]))
    assert messages[0]["content"][1]["text"].startswith(NOTES)
    assert '"tool":"lookup_order"' in messages[0]["content"][1]["text"]
    assert own_texts(messages[0]) == ["my order?"]


def test_what_grows_grows_at_its_end() -> None:
    shorter, longer = history(long_memory(5)), history(long_memory(6))
    assert longer[: len(shorter)] == shorter


async def test_below_the_mark_nothing_is_asked() -> None:
    at = world(says("Hello."))
    outcome = await at.run(asks("hi", memory=long_memory(3)))
    assert outcome.state == "answered"
    assert [record.kind for record in at.records if record.kind == "compress"] == []


async def test_past_the_mark_the_older_part_is_written_down_once() -> None:
    memory = long_memory(100)
    assert size(memory) > COMPRESS_AT
    at = world(reply({"type": "text", "text": "They asked about many orders."}), says("Hello."))
    await at.run(asks("hi", memory=memory))
    [step] = [record for record in at.records if record.kind == "compress"]
    assert step.output["summary"] == "They asked about many orders."
    assert step.output["tokens"] <= COMPRESS_TO
    sent = at.asked[-1].messages
    assert tokens_of([m for m in sent if isinstance(m["content"], list)]) < WINDOW
    told = str(sent[0]["content"][0]["text"])
    assert "They asked about many orders." in told
    assert "AP-100050" in told  # left out of the words, kept by code
    verbatim = [text for message in sent for text in own_texts(message) if "AP-1000" in text]
    assert any("AP-100099" in text for text in verbatim)


async def test_what_is_read_again_for_the_next_turn_is_no_longer_than_what_was_kept() -> None:
    """Calls are read back by the place up to which all is written down: none may come back that was dropped to fit."""
    memory = long_memory(60, words=40)
    big = [replace(item, result={"lines": ["a tent and two lanterns"] * 60}) for item in memory.looked_up]
    memory = replace(memory, looked_up=big)
    at = world(reply({"type": "text", "text": "They asked about many orders."}), says("Hello."))
    await at.run(asks("hi", memory=memory))
    [step] = [record for record in at.records if record.kind == "compress"]
    upto = step.output["upto"]
    again = Memory(
        summary=step.output["summary"],
        upto=upto,
        facts=tuple(step.output["facts"]),
        said=[said for said in memory.said if said.seq > upto],
        looked_up=[item for item in big if item.seq > upto],
    )
    assert size(again) <= COMPRESS_TO
    assert len(again.said) >= VERBATIM


def test_without_a_model_the_older_part_is_left_out_and_its_facts_kept() -> None:
    kept = cut(long_memory(140))
    assert size(kept) <= WINDOW
    assert len(kept.said) >= VERBATIM
    assert "AP-100120" in kept.facts


def test_reminders_come_every_eight_messages() -> None:
    assert [n for n in range(0, 26, 2) if reminder(n)] == [8, 16, 24]


async def test_short_of_money_only_the_newest_messages_are_sent_to_the_small_model() -> None:
    at = world(plans(complexity="complex"), says("Hello."), tight=True)
    await at.run(asks(memory=long_memory(30)))
    assert [request.tier for request in at.asked] == ["small", "small"]
    words = [text for message in at.asked[-1].messages if message["role"] == "user" for text in own_texts(message)]
    assert sum("What about order" in text for text in words) == VERBATIM // 2
    assert "AP-100010" in str(at.asked[-1].messages[0])


def test_names_and_promises_are_kept_word_for_word() -> None:
    hello = Said(1, "user", "Hello, my name is Amina Diallo and I wait for AP-100000.")
    answer = Said(2, "assistant", "We will send a new one within 3 days. Anything else?")
    assert facts_in(hello) + facts_in(answer) == [
        "AP-100000", "the customer's name: Amina Diallo", "promised: We will send a new one within 3 days."
    ]  # fmt: skip
