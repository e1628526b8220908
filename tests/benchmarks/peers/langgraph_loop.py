"""The same turn in langgraph: LangChain's create_agent over ChatAnthropic, its messages streamed as they come."""

from __future__ import annotations

from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessageChunk, SystemMessage
from langchain_core.tools import StructuredTool

from tests.benchmarks.peers.loop import Given, Saw, Turn, main


def make(given: Given) -> Turn:
    """One run of the graph, without a checkpointer."""
    equal = given.equal

    async def look_up(**arguments: object) -> str:
        return str(equal["result"])

    tools = [
        StructuredTool.from_function(
            coroutine=look_up, name=tool["name"], description=tool["description"], args_schema=tool["input_schema"]
        )
        for tool in equal["tools"]
    ]
    model = ChatAnthropic(
        model=equal["model"], max_tokens=equal["max_tokens"], api_key="a-key", base_url=given.url, streaming=True
    )
    agent = create_agent(model, tools, system_prompt=SystemMessage(content=equal["system"]))

    async def turn(question: str, saw: Saw) -> str:
        pieces: list[str] = []
        asked = {"messages": [{"role": "user", "content": question}]}
        async for chunk, _ in agent.astream(asked, stream_mode="messages"):
            if isinstance(chunk, AIMessageChunk) and (piece := chunk.text):
                if not pieces:
                    saw()
                pieces.append(piece)
        return "".join(pieces)

    return turn


if __name__ == "__main__":
    main(make)
