"""The saved questions, in the order of their index. Another one: docs/traces.md."""

from __future__ import annotations

from support_agent.ops.questions.base import Question
from support_agent.ops.questions.escalated import ESCALATED
from support_agent.ops.questions.failing_tools import FAILING_TOOLS
from support_agent.ops.questions.long_turns import LONG_TURNS
from support_agent.ops.questions.slow_calls import SLOW_CALLS
from support_agent.ops.questions.tokens import TOKENS

QUESTIONS: dict[str, Question] = {
    question.slug: question for question in (ESCALATED, LONG_TURNS, FAILING_TOOLS, TOKENS, SLOW_CALLS)
}
