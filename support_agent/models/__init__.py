"""The agent's records: turns and their steps, spend, controls, live processes, background tasks."""

from support_agent.models.controls import Alert, SurfaceLimit, Switch
from support_agent.models.limits import Heartbeat, Spend
from support_agent.models.prompts import ConversationMemory, PromptVersion
from support_agent.models.tasks import ApiKey, Task
from support_agent.models.turns import Step, ToolCall, Turn

__all__ = [
    "Alert",
    "ApiKey",
    "ConversationMemory",
    "Heartbeat",
    "PromptVersion",
    "Spend",
    "Step",
    "SurfaceLimit",
    "Switch",
    "Task",
    "ToolCall",
    "Turn",
]
