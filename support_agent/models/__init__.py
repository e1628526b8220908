"""The agent's records: turns and steps, spend, controls, live processes, tasks, replays, evaluations, sums by
hour and day."""

from support_agent.models.alerts import Alert, AlertDelivery, AlertRoute
from support_agent.models.careful import Draft, SurfaceMode
from support_agent.models.controls import SurfaceLimit, Switch, SystemLimit
from support_agent.models.evals import BlastRadius, EvalResult, EvalRun, RunState, SpotCheck, SpotLabel
from support_agent.models.gaps import Gap, GapQuestion
from support_agent.models.limits import Heartbeat, Spend
from support_agent.models.mcp import McpServer, McpTool
from support_agent.models.policy import PolicyReport
from support_agent.models.prompts import ConversationMemory, PromptVersion
from support_agent.models.replays import Replay, SavedCase
from support_agent.models.rollups import Measure, RollupMark, StepDay, StepHour, TallyDay, TallyHour, TurnDay, TurnHour
from support_agent.models.tasks import ApiKey, Task
from support_agent.models.turns import Step, ToolCall, Turn

__all__ = [
    "Alert",
    "AlertDelivery",
    "AlertRoute",
    "ApiKey",
    "BlastRadius",
    "ConversationMemory",
    "Draft",
    "EvalResult",
    "EvalRun",
    "Gap",
    "GapQuestion",
    "Heartbeat",
    "McpServer",
    "McpTool",
    "Measure",
    "PolicyReport",
    "PromptVersion",
    "Replay",
    "RollupMark",
    "RunState",
    "SavedCase",
    "Spend",
    "SpotCheck",
    "SpotLabel",
    "Step",
    "StepDay",
    "StepHour",
    "SurfaceLimit",
    "SurfaceMode",
    "Switch",
    "SystemLimit",
    "TallyDay",
    "TallyHour",
    "Task",
    "ToolCall",
    "Turn",
    "TurnDay",
    "TurnHour",
]
