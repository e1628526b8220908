"""The demo model: a transport that answers the Messages API without a network, for everyone without a key.

transport      httpx2 transport: HTTP in, streamed events or JSON out
brain          one request body to one finished message
situation      what a request says: the conversation, the notices, the tools, their results
dialogue       the conversation folded into what is asked now
understand     one message: intents (classifier and rules), slots, tone
desk, handlers what to call and what to say for each intent
wording        tool results in plain words; extract: answers out of articles
planner        the structured plan
"""

from support_agent.llm.demo.transport import DemoTransport

__all__ = ["DemoTransport"]
