"""Asking for a code; the customer types it into a form, never to the model."""

from __future__ import annotations

from django.utils.translation import gettext_lazy
from pydantic import Field

from support_agent.agent.toolkit import Arguments, Category, Tool, ToolContext, ToolResult
from support_agent.tools.common import Email, conversation_of, guarded, success
from tickets.services.identity import verification_start

# The same words whatever the address: whether we know it is nobody's business.
REQUESTED = (
    "If this is the address of an account, a code with six digits is on its way to it. The customer types it into the "
    "form in the chat, not into a message; it works for ten minutes."
)


class VerifyIdentity(Arguments):
    email: Email = Field(description="The e-mail address of the customer's account, as they wrote it.")


@guarded
def verify_identity(context: ToolContext, arguments: VerifyIdentity) -> ToolResult:
    if context.customer_id is not None:
        return success(state="verified", message="This conversation is already verified; no code is needed.")
    verification_start(conversation=conversation_of(context), email=arguments.email, by_assistant=True)
    return success(state="requested", message=REQUESTED)


TOOLS = [
    Tool(
        name="verify_identity",
        description=(
            "Send a verification code to the customer's e-mail address. Use when a tool answered needs_verification, "
            "or the customer wants something about their account or orders and is not verified, and they have given "
            "their address. Do not use when they are verified already, when the address is missing (ask for it), or "
            "to check a code: never ask for the code in the chat."
        ),
        arguments=VerifyIdentity,
        run=verify_identity,
        category=Category.LOOKUP,
        label=gettext_lazy("Sending a verification code …"),
    )
]
