"""The same turn in pydantic-ai: an Agent with the product's tools, its answer streamed as it comes."""

from __future__ import annotations

import anthropic
from pydantic_ai import Agent, Tool
from pydantic_ai.messages import AgentStreamEvent, PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta
from pydantic_ai.models.anthropic import AnthropicModel, AnthropicModelSettings
from pydantic_ai.providers.anthropic import AnthropicProvider

from tests.benchmarks.peers.loop import Given, Saw, Turn, main


def make(given: Given) -> Turn:
    """One run of the agent; `--client aiohttp` hands it the SDK's faster client."""
    equal = given.equal

    async def look_up(**arguments: object) -> str:
        return str(equal["result"])

    tools = [
        Tool.from_schema(look_up, tool["name"], tool["description"], tool["input_schema"]) for tool in equal["tools"]
    ]
    http = anthropic.DefaultAioHttpClient() if given.client == "aiohttp" else None
    api = anthropic.AsyncAnthropic(api_key="a-key", base_url=given.url, http_client=http)
    model = AnthropicModel(equal["model"], provider=AnthropicProvider(anthropic_client=api))
    settings = AnthropicModelSettings(max_tokens=equal["max_tokens"], anthropic_cache_instructions=True)
    agent = Agent(model, instructions=equal["system"][0]["text"], tools=tools, model_settings=settings)

    async def turn(question: str, saw: Saw) -> str:
        pieces: list[str] = []
        async with agent.iter(question) as run:
            async for node in run:
                if not Agent.is_model_request_node(node):
                    continue
                async with node.stream(run.ctx) as events:
                    async for event in events:
                        if piece := _text_of(event):
                            if not pieces:
                                saw()
                            pieces.append(piece)
        return "".join(pieces)

    return turn


def _text_of(event: AgentStreamEvent) -> str:
    """The text that an event brings; '' when it brings none."""
    if isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
        return str(event.delta.content_delta)
    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
        return str(event.part.content)
    return ""


if __name__ == "__main__":
    main(make)
