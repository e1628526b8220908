"""The questions and offers the assistant closes with. They are recognised by these words when the customer answers."""

from __future__ import annotations

WHICH_ORDER = "Which order is it about?"
WHICH_ITEM = "Which item is it about?"
WHY_RETURN = "What is the reason for the return?"
WHY_REFUND = "What is the reason for the refund?"
HOW_MUCH = "Is it about the whole order or a certain amount?"
WHAT_WRONG = "What went wrong with the delivery?"
WHICH_WISH = "Would you like a replacement or a refund, or would you rather wait?"
WHICH_FIELD = "What should I change: your name, phone number, delivery address or newsletter choice?"
NEW_VALUE = "What is the new"
EMAIL = "Which e-mail address did you order with?"
TICKET_EMAIL = "Which e-mail address can they answer to?"
TICKET_ABOUT = "What should I write in the ticket?"
CODE = "Please enter it in the form"
SAY_AGAIN = "Could you say it in other words"
CONFIRM = "press Confirm"
OFFER_CANCEL = "Shall I prepare the cancellation?"
OFFER_RETURN = "Shall I prepare the return?"
OFFER_REFUND = "Shall I prepare the refund request?"
OFFER_PROBLEM = "Shall I report it?"
OFFER_UPDATE = "Shall I prepare the change?"
OFFER_PERSON = "Shall I bring in a colleague?"
OFFER_TICKET = "Shall I open a ticket for our team?"

NAMES = {
    "which_order": WHICH_ORDER,
    "which_item": WHICH_ITEM,
    "reason": WHY_RETURN,
    "refund_reason": WHY_REFUND,
    "amount": HOW_MUCH,
    "kind": WHAT_WRONG,
    "wish": WHICH_WISH,
    "field": WHICH_FIELD,
    "value": NEW_VALUE,
    "email": EMAIL,
    "ticket_email": TICKET_EMAIL,
    "ticket_about": TICKET_ABOUT,
    "code": CODE,
    "again": SAY_AGAIN,
    "confirm": CONFIRM,
    "offer_cancel": OFFER_CANCEL,
    "offer_return": OFFER_RETURN,
    "offer_refund": OFFER_REFUND,
    "offer_problem": OFFER_PROBLEM,
    "offer_update": OFFER_UPDATE,
    "offer_human": OFFER_PERSON,
    "offer_ticket": OFFER_TICKET,
}


def pending(said: str) -> str:
    """The name of the last question the assistant's text leaves open, or ''."""
    found = {name: said.rfind(words) for name, words in NAMES.items() if words in said}
    return max(found, key=lambda name: found[name]) if found else ""
