"""One call by hand from the admin, with the same checks as in a conversation but for state and limits."""

from __future__ import annotations

from pydantic import ValidationError

from support_agent.agent.toolkit import Json
from support_agent.models import McpTool
from support_agent.runtime.mcp.schemas import Unusable, input_schema
from support_agent.runtime.mcp.spec import Trouble
from support_agent.runtime.tool_results import wrong_fields
from tickets.access import require_role
from tickets.ids import new_id
from tickets.models import Customer, Role, User
from tickets.services.audit import audit


def tool_try(*, tool: McpTool, arguments: Json, email: str, staff: User) -> Json:
    """What the model would read. Called with no transaction open; what is listed now is asked, allowed or not."""
    require_role(staff, Role.ADMIN)
    from support_agent.runtime.mcp.tools import Refusal, ask, tool_of  # heavy

    tool.pinned, tool.pinned_digest = tool.definition, tool.digest  # not saved
    try:
        input_schema(tool.pinned)
    except Unusable as error:
        return _told(str(error))
    made = tool_of(tool)
    assert made is not None, "its schema is usable"
    customer = Customer.objects.filter(email__iexact=email).first() if email else None
    if email and customer is None:
        return _told("There is no customer with this e-mail address.")
    audit(actor=staff, action="mcptool.try", obj=tool, changes={"arguments": (None, sorted(arguments))})
    try:
        given = made.arguments.model_validate(arguments).model_dump(mode="json")
        return ask(tool, given, customer, key=f"try:{new_id()}").as_json()
    except ValidationError as problem:
        return {"status": "invalid_arguments", "fields": wrong_fields(problem)}
    except (Refusal, Trouble) as error:
        return _told(str(error))


def _told(message: str) -> Json:
    return {"status": "error", "message": message}
