"""Which model answers: Claude with a key, the demo model without one, under the same client."""

from __future__ import annotations

from support_agent.env import env
from support_agent.llm.client import ModelClient, build_client
from support_agent.llm.demo import DemoTransport


def make_client() -> ModelClient:
    """One client for this process and event loop; `aclose` it."""
    demo = env.demo_model
    return build_client(
        api_key=env.anthropic_api_key.get_secret_value() or "demo",
        base_url="" if demo else env.anthropic_base_url,
        small=env.agent_model_small,
        medium=env.agent_model_medium,
        large=env.agent_model_large,
        transport=DemoTransport() if demo else None,
    )
