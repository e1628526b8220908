"""The model client: one call of the Messages API with our own deadlines, retries and accounts.

A call ends in a ModelReply, in a ModelFailure, or in whatever `on_text` or a cancellation raised. Every exception that
leaves `call` carries `.spend`, the whole cost up to then (agent.types.spend_before reads it): no stop loses money.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal

import anthropic
import httpx2
import structlog

from support_agent.agent.types import Json, ModelFailure, ModelReply, ModelRequest, OnText, Tier, Usage
from support_agent.llm.call import Call
from support_agent.llm.failures import Broken, Fault, classify
from support_agent.llm.pricing import cost_usd
from support_agent.llm.request import build_body, prompt_tokens_bound
from support_agent.llm.sse import EventReader

log = structlog.get_logger(__name__)

API_URL = "https://api.anthropic.com"


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """What a client needs to know; all times in seconds."""

    models: Mapping[Tier, str]
    api_key: str
    base_url: str = API_URL
    connect_s: float = 5.0
    first_token_s: float = 20.0
    whole_share: float = 0.6  # of the time left, for an attempt that is not streamed: a hang leaves time for another
    idle_s: float = 20.0  # without a byte on the wire, pings included
    max_retries: int = 2
    retry_cap_s: float = 6.0  # the longest pause before a retry, whatever retry-after asks


class ModelClient:
    """A ModelPort on the SDK. Make one per process and event loop, and `aclose` it."""

    def __init__(
        self,
        config: ModelConfig,
        transport: httpx2.AsyncBaseTransport | None = None,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`transport` stands in for the network (the demo model, tests); without one, the SDK's aiohttp client."""
        self._config = config
        self._sleep = sleep
        http = anthropic.DefaultAsyncHttpxClient(transport=transport) if transport else anthropic.DefaultAioHttpClient()
        self._api = anthropic.AsyncAnthropic(
            api_key=config.api_key, base_url=config.base_url, max_retries=0, http_client=http
        )

    async def aclose(self) -> None:
        await self._api.close()

    def model_id(self, tier: Tier) -> str:
        return self._config.models[tier]

    def worst_case_usd(self, request: ModelRequest) -> Decimal:
        """Upper bound of one attempt's cost: the prompt all written to the cache, every output token used."""
        usage = Usage(cache_write_tokens=prompt_tokens_bound(request), output_tokens=request.max_tokens)
        return cost_usd(self.model_id(request.tier), usage)

    async def call(self, request: ModelRequest, on_text: OnText | None = None) -> ModelReply:
        """One call, retried until the first text reached `on_text`; `request.timeout_s` spans all attempts.

        A refusal's reply has no content. Raises ModelFailure, and whatever `on_text` raises.
        """
        call = Call(self._body(request), request, on_text)
        while True:
            call.begin_attempt()
            try:
                fault = await (self._stream(call) if request.output_schema is None else self._whole(call))
                if fault is None:
                    return call.reply()
                pause = self._pause(call, fault)
                log.warning(
                    "model_attempt_failed",
                    model=call.message.model,
                    kind=fault.kind,
                    detail=fault.detail,
                    attempt=call.attempts,
                    retry_in_s=pause,
                )
                if pause is None:
                    raise call.failure(fault)
                await self._sleep(pause)
            except ModelFailure:
                raise
            except BaseException as error:  # a stop from `on_text`, a cancellation: what was spent goes with it
                error.spend = call.spend()  # type: ignore[attr-defined]
                raise

    def _body(self, request: ModelRequest) -> Json:
        body = build_body(request, self.model_id(request.tier))
        if output := body.get("output_config"):  # ranges and lengths are beyond the API: they become descriptions
            output["format"]["schema"] = anthropic.transform_schema(output["format"]["schema"])
        return body

    def _pause(self, call: Call, fault: Fault) -> float | None:
        """Seconds to wait before the next attempt, or None when there is none."""
        if not fault.retryable or call.text_shown or call.attempts > self._config.max_retries:
            return None
        pause = fault.wait_s(call.attempts, cap_s=self._config.retry_cap_s, jitter=random.random())  # noqa: S311
        return pause if call.remaining_s() > pause + 1.0 else None

    async def _stream(self, call: Call) -> Fault | None:
        """One streamed attempt; the clock runs to the first token, then to the call's end."""
        first = min(call.deadline, call.now() + self._config.first_token_s)
        message = call.message
        try:
            async with asyncio.timeout_at(first) as clock, aclosing(self._events(call.body)) as arrivals:
                async for events in arrivals:
                    text, broken = message.take(events)
                    if call.ttft_ms is None and message.content:
                        call.ttft_ms = call.elapsed_ms()
                        clock.reschedule(call.deadline)
                    if text:
                        await call.show(text)
                    if broken:
                        raise broken
        except Broken as broken:
            if message.stop_reason:
                return None  # whole already: the rest was only the goodbye
            if broken.fault.lost:
                _assume_read(call)
            return broken.fault
        except TimeoutError:
            if not clock.expired():
                raise
            return Fault("timeout", "no end in time" if message.content else "no first token in time")
        except asyncio.CancelledError:
            _assume_read(call)
            raise
        message.finish()
        return None if message.stop_reason else Fault("broken_stream", "the stream ended before the message did")

    async def _events(self, body: Json) -> AsyncGenerator[Iterator[Json]]:
        """The stream's events, together what came together; every way in which a stream can fail becomes Broken.

        The SDK asks, and we read: its own reader makes a typed object of every event, at several times the cost.
        """
        try:
            stream = await self._api.messages.create(**body, stream=True, timeout=self._timeout(self._config.idle_s))
        except anthropic.AnthropicError as error:
            raise Broken(classify(error, streaming=False)) from error
        reader = EventReader()
        try:
            async with aclosing(stream.response.aiter_bytes()) as pieces:
                async for piece in pieces:
                    yield _checked(reader.feed(piece), stream.response)
        except Exception as error:
            raise Broken(classify(error, streaming=True)) from error
        finally:
            await stream.close()

    async def _whole(self, call: Call) -> Fault | None:
        """One attempt that is not streamed."""
        try:
            async with asyncio.timeout(call.remaining_s() * self._config.whole_share):
                timeout = self._timeout(call.request.timeout_s)
                answer = await self._api.messages.with_raw_response.create(**call.body, timeout=timeout)
                call.message.take_whole(answer.http_response.json())
        except Broken as broken:
            return broken.fault
        except (anthropic.AnthropicError, TimeoutError, ValueError) as error:
            fault = classify(error, streaming=False)
            if fault.kind == "timeout" or fault.lost:
                _assume_read(call)
            return fault
        except asyncio.CancelledError:
            _assume_read(call)
            raise
        return None

    def _timeout(self, read_s: float) -> httpx2.Timeout:
        return httpx2.Timeout(read_s, connect=self._config.connect_s, pool=self._config.connect_s)


def _checked(events: Iterator[Json], response: httpx2.Response) -> Iterator[Json]:
    """The same events; an `error` among them, and what is no event at all, become Broken."""
    try:
        for event in events:
            if event.get("type") == "error":
                raise anthropic.APIStatusError(str(event), response=response, body=event)
            yield event
    except (anthropic.APIStatusError, ValueError, RecursionError) as error:
        raise Broken(classify(error, streaming=True)) from error


def _assume_read(call: Call) -> None:
    """The request went out, and nobody waits for its answer any more: its prompt was read, as far as we know."""
    if not call.message.begun:
        call.message.assume_prompt(prompt_tokens_bound(call.request))


class _Live(httpx2.AsyncBaseTransport):
    """The network as the client uses it, in the shape of a transport."""

    def __init__(self) -> None:
        self._http = anthropic.DefaultAioHttpClient()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await self._http.send(request, stream=True)

    async def aclose(self) -> None:
        await self._http.aclose()


def live_transport() -> httpx2.AsyncBaseTransport:
    """The SDK's aiohttp client for who wants to stand in between."""
    return _Live()


def build_client(
    *,
    api_key: str,
    small: str,
    medium: str,
    large: str,
    base_url: str = "",
    transport: httpx2.AsyncBaseTransport | None = None,
    first_token_s: float = 20.0,
    max_retries: int = 2,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> ModelClient:
    """A client from plain settings; an empty `base_url` means Anthropic's own API."""
    config = ModelConfig(
        models={Tier.SMALL: small, Tier.MEDIUM: medium, Tier.LARGE: large},
        api_key=api_key,
        base_url=base_url or API_URL,
        first_token_s=first_token_s,
        max_retries=max_retries,
    )
    return ModelClient(config, transport, sleep=sleep)
