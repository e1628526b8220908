"""The agent's records: turns and their steps, spend, live processes, background tasks."""

from support_agent.models.limits import Heartbeat, Spend
from support_agent.models.tasks import ApiKey, Task
from support_agent.models.turns import Step, ToolCall, Turn

__all__ = ["ApiKey", "Heartbeat", "Spend", "Step", "Task", "ToolCall", "Turn"]
