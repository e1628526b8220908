"""The agent's records: turns and steps, spend, controls, live processes, tasks, replays, evaluations, sums by
hour and day."""

from support_agent.models.alerts import Alert, AlertDelivery, AlertRoute
from support_agent.models.controls import SurfaceLimit, Switch, SystemLimit
from support_agent.models.evals import BlastRadius, EvalResult, EvalRun, RunState, SpotCheck, SpotLabel
from support_agent.models.limits import Heartbeat, Spend
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
    "EvalResult",
    "EvalRun",
    "Heartbeat",
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
