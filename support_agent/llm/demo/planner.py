"""The structured plan: goal, topic, subject, confidence and steps, from the same understanding that answers."""

from __future__ import annotations

from typing import Any

from support_agent.llm.demo.dialogue import SMALL_TALK
from support_agent.llm.demo.situation import Situation
from support_agent.llm.demo.tasks import ABOUT_ORDER, Dialogue, Task

Json = dict[str, Any]
CHANGES = {  # the subject whose toolset holds the change
    "cancel": "orders",
    "return": "orders",
    "exchange": "orders",
    "problem": "orders",
    "refund": "billing",
    "update": "account",
}
LABELS = {
    "track": ("tracking", "Find out where the order is"),
    "order_info": ("order status", "Tell the state of the order"),
    "orders_list": ("order status", "List the customer's orders"),
    "return_status": ("refund status", "Tell how far the return or refund is"),
    "why": ("order status", "Explain the state of the order"),
    "cancel": ("cancellation", "Cancel the order"),
    "return": ("return", "Start a return"),
    "exchange": ("return", "Exchange an item"),
    "refund": ("refund", "Get money back"),
    "problem": ("delivery problem", "Report a problem with the delivery"),
    "update": ("profile change", "Change the customer's details"),
    "invoice": ("invoice", "Look into the billing history"),
    "account_info": ("account", "Tell what the account says"),
    "ticket_status": ("ticket", "Tell the state of a ticket"),
    "ticket": ("ticket", "Open a ticket"),
    "verify": ("identity", "Verify the customer"),
    "human": ("person", "Hand over to a person"),
    "legal": ("legal", "Hand over to a person"),
    "safety": ("safety", "Hand over to a person"),
    "knowledge": ("policy", "Answer from the help centre"),
    "unsure": ("unclear", "Find out what the customer means"),
    "offtopic": ("off topic", "Say what we can help with"),
    "injection": ("off topic", "Say what we can help with"),
}
TOPICS = (  # narrower topics of questions for the help centre
    ("sign-in", "account", ("password", "log in", "login", "sign in", "locked", "two factor", "2fa")),
    ("plan", "billing", ("plus", "business plan", "membership", "subscription", "upgrade")),
    ("payment", "billing", ("pay", "card", "invoice", "gift card", "discount", "price", "tax", "refund")),
    ("privacy", "account", ("privacy", "delete my", "personal data", "gdpr", "newsletter")),
    ("watch sync", "technical", ("sync", "bluetooth", "firmware", "trailmate", "watch", "app", "gps")),
    ("beacon", "technical", ("beacon", "sos", "satellite")),
    ("shipping policy", "orders", ("ship", "deliver", "express", "customs", "carrier", "po box")),
    ("return policy", "orders", ("return", "send back", "exchange", "cancel")),
    (
        "product",
        "technical",
        ("tent", "jacket", "boots", "stove", "lantern", "bag", "solar", "power bank", "warranty", "size"),
    ),
)


def structured(situation: Situation, dialogue: Dialogue) -> Json:
    """A value for the schema asked for: our plan, or for another schema its least valid value."""
    schema = situation.schema or {}
    return (
        plan(situation, dialogue)
        if {"goal", "steps"} <= set(schema.get("properties") or {})
        else _least(schema, schema)
    )


def plan(situation: Situation, dialogue: Dialogue) -> Json:
    """The planner's answer (agent.types.Plan)."""
    tasks = dialogue.tasks or (Task("unsure", situation.text, score=0.1),)
    main = next((task for task in tasks if _acts(task)), tasks[0])
    topic, goal = LABELS.get(main.intent, (main.intent.replace("_", " "), "Answer politely"))
    subject = CHANGES.get(main.intent, "account" if main.intent in ("account_info", "verify", "update") else "orders")
    if main.intent == "invoice":
        subject = "billing"
    if main.intent == "knowledge":
        topic, subject = next(
            ((name, of) for name, of, hints in TOPICS if any(hint in main.text.lower() for hint in hints)),
            (topic, "technical"),
        )
    upset = dialogue.upset_now and dialogue.angry >= 2
    steps = (
        [_step("escalate", "Hand over, the customer is upset again")]
        if upset
        else [step for task in tasks for step in _steps(task)]
    )
    return {
        "goal": f"{goal}: {situation.text[:200]}" if situation.text else goal,
        "topic": topic,
        "subject": subject,
        "in_scope": not all(task.intent in ("offtopic", "injection") for task in tasks),
        "complexity": "complex" if len(tasks) > 2 else "medium" if len(tasks) == 2 or _acts(main) else "simple",
        "confidence": _confidence(tasks),
        "steps": [*steps[:8], _step("answer", "Answer the customer")] if not upset else steps,
        "is_complete": all(task.intent in SMALL_TALK for task in tasks) and not upset,
    }


def _acts(task: Task) -> bool:
    """Whether the change itself can be prepared now; without an order number it must be found first."""
    return task.intent in CHANGES and (task.intent in ("refund", "update") or bool(task.slots.orders))


def _steps(task: Task) -> list[Json]:
    if task.intent in ("human", "legal", "safety"):
        return [_step("escalate", "Hand over to a person at once")]
    if task.intent in SMALL_TALK:
        return []
    goal = LABELS[task.intent][1]
    order = f" {task.slots.orders[0]}" if task.slots.orders and task.intent in ABOUT_ORDER else ""
    gather = _step("gather_info", f"Look up{order or ' what is needed'}: {goal.lower()}")
    return [gather, _step("take_action", f"{goal}{order}")] if _acts(task) else [gather]


def _step(kind: str, description: str) -> Json:
    return {"type": kind, "priority": "required", "description": description[:300]}


def _confidence(tasks: tuple[Task, ...]) -> float:
    if any(task.intent == "unsure" for task in tasks):
        return 0.2
    return round(min(0.97, max(0.3, 0.45 + 0.7 * min(task.score for task in tasks))), 2)


def _least(schema: Json, root: Json) -> Any:
    """The least value a JSON schema allows: empty texts, first choices, required fields only."""
    if "$ref" in schema:
        node: Any = root
        for part in str(schema["$ref"]).lstrip("#/").split("/"):
            node = node[part]
        return _least(node, root)
    if "enum" in schema:
        return schema["enum"][0]
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return _least(options[0], root)
    match schema.get("type"):
        case "object":
            fields = schema.get("properties") or {}
            return {name: _least(fields[name], root) for name in schema.get("required") or [] if name in fields}
        case "array":
            return []
        case "number" | "integer":
            return schema.get("minimum", 0)
        case "boolean":
            return False
        case _:
            return ""
