from __future__ import annotations

import pytest

from support_agent.agent.types import ModelFailure
from tests.fakes.replies import fails, hangs, overloaded, rate_limited, says, server_error
from tests.llm.conftest import MakeRig, MakeWiredRig, ask

HELLO = says("Hello, and welcome to the shop of Alder and Pine.")


async def test_a_passing_trouble_is_not_seen(wired: MakeWiredRig) -> None:
    at = await wired(overloaded(), server_error(), HELLO)
    assert (await at.client.call(ask(), at.show)).text == "".join(at.shown)
    assert len(at.model.asked) == 3


async def test_pauses_grow_with_jitter(rig: MakeRig) -> None:
    at = rig(overloaded(), overloaded(), HELLO)
    await at.client.call(ask())
    first, second = at.pauses
    assert 0.25 <= first <= 0.5 <= second <= 1.0


@pytest.mark.parametrize(("asked", "waited"), [("2", 2.0), ("2.5", 2.5), ("600", 3.0)])
async def test_retry_after_is_obeyed_up_to_the_cap(rig: MakeRig, asked: str, waited: float) -> None:
    at = rig(rate_limited(retry_after=asked), HELLO, retry_cap_s=3.0)
    await at.client.call(ask())
    assert at.pauses == [waited]


@pytest.mark.parametrize("nonsense", ["soon", "-1", "nan", "inf", "Sat, 21 Nov 2026 10:00:00 GMT"])
async def test_a_retry_after_that_is_no_number_of_seconds_is_ignored(rig: MakeRig, nonsense: str) -> None:
    at = rig(rate_limited(retry_after=nonsense), HELLO)
    await at.client.call(ask())
    assert at.pauses[0] <= 0.5


async def test_the_last_failure_tells_what_was_asked_for(rig: MakeRig) -> None:
    at = rig(*[rate_limited(retry_after="600")] * 3)
    with pytest.raises(ModelFailure) as failed:
        await at.client.call(ask(timeout_s=40))
    assert failed.value.retry_after_s == 600.0
    assert failed.value.attempts == 3


@pytest.mark.parametrize("end", ["cut", "closed", "error", "hang"])
async def test_nothing_is_tried_again_once_text_was_shown(rig: MakeRig, end: str) -> None:
    at = rig(HELLO.ends(end, after=5), HELLO)  # type: ignore[arg-type]
    with pytest.raises(ModelFailure) as failed:
        await at.client.call(ask(timeout_s=0.3), at.show)
    assert failed.value.attempts == len(at.model.asked) == 1


@pytest.mark.parametrize("end", ["cut", "closed", "error"])
async def test_a_stream_that_broke_unseen_is_tried_again(rig: MakeRig, end: str) -> None:
    at = rig(HELLO.ends(end, after=2), HELLO)  # type: ignore[arg-type]
    assert (await at.client.call(ask(), at.show)).text == "".join(at.shown)
    at = rig(HELLO.ends(end, after=6), HELLO)  # type: ignore[arg-type]
    assert (await at.client.call(ask())).text, "nobody listened, so nobody saw the half"


async def test_no_retry_when_the_server_says_so(rig: MakeRig) -> None:
    at = rig(fails(500, "api_error", x_should_retry="false"), HELLO)
    with pytest.raises(ModelFailure):
        await at.client.call(ask())
    assert len(at.model.asked) == 1


async def test_the_deadline_spans_all_attempts(rig: MakeRig) -> None:
    at = rig(overloaded(), HELLO)
    with pytest.raises(ModelFailure) as failed:
        await at.client.call(ask(timeout_s=0.5))
    assert failed.value.kind == "overloaded"
    assert at.pauses == []


async def test_a_hanging_attempt_leaves_time_for_the_next(wired: MakeWiredRig) -> None:
    at = await wired(hangs(), HELLO, first_token_s=0.05)
    assert (await at.client.call(ask(), at.show)).text
