"""Jobs of the worker: each takes an id, reads again, checks that it still matters, and is safe to run twice."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets import mail
from tickets.backends import backend, who_of
from tickets.backends.records import ReturnRecord
from tickets.languages import money, speaking
from tickets.models import Action, Conversation, Customer, Escalation, Return, Team, User, Verification
from tickets.selectors.workload import FALLBACK_TEAM, leads
from tickets.services.accounts import customer_of_email
from tickets.services.codes import code_of
from tickets.workspace import workspace


def mail_verification_code(verification_id: str) -> None:
    """Mail a code that can still be used to an address we know; for any other there is nothing to do."""
    found = Verification.objects.select_related("customer", "conversation").filter(pk=verification_id).first()
    if found is None or found.state != Verification.State.REQUESTED or found.expires_at <= timezone.now():
        return
    if backend().is_remote:
        found.customer = customer_of_email(found.email)
        found.save(update_fields=["customer"])
    if found.customer is None:
        return
    with speaking(found.conversation.locale):
        words = {"code": code_of(found), "name": found.customer.name}
        body = _(
            "%(code)s is your verification code.\n\n"
            "Hello %(name)s,\n\n"
            "please type it into the form in the chat; it works once, for ten minutes. Our assistant and our staff "
            "never ask you for it.\n\n"
            "You did not ask for a code? Then someone mistyped an address, and you can ignore this mail."
        )
        subject = _("Your %(shop)s verification code") % {"shop": workspace().name}
        mail.send(to=found.customer.email, subject=subject, body=body % words + workspace().signature)


def announce_escalation(escalation_id: str) -> None:
    """Tell the team that a conversation waits, unless somebody has it already."""
    found = Escalation.objects.select_related("conversation", "team").filter(pk=escalation_id).first()
    if found is None or found.status != Escalation.Status.WAITING or found.announced_at is not None:
        return
    _mail_escalation(found)
    Escalation.objects.filter(pk=found.pk).update(announced_at=timezone.now())


def remind_of_escalations(user_id: str, *escalation_ids: str) -> None:
    """One mail to one person about what is nearly due or late and still not answered."""
    person = User.objects.filter(pk=user_id, is_active=True).exclude(email="").first()
    unanswered = Q(status=Escalation.Status.WAITING) | Q(status=Escalation.Status.CLAIMED, first_reply_at=None)
    found = list(
        Escalation.objects.filter(unanswered, pk__in=escalation_ids)
        .select_related("conversation", "team", "claimed_by", "assigned_to")
        .order_by("due_at")
    )
    if person is None or not found:
        return
    first = found[0].conversation.reference
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    late = any(escalation.due_at <= timezone.now() for escalation in found)
    mail.send(
        to=person.email,
        subject=f"{first}{more}: the first reply is {'late' if late else 'nearly due'}",
        body="\n\n".join(_reminder(escalation) for escalation in found) + workspace().signature,
    )


def remind_of_customer(conversation_id: str) -> None:
    """One mail to whoever has this conversation: its customer has waited for an answer longer than they should."""
    found = Conversation.objects.select_related("assignee").get(pk=conversation_id)
    person = found.assignee
    if found.status != Conversation.Status.HUMAN or person is None or not (person.is_active and person.email):
        return
    mail.send(
        to=person.email,
        subject=f"{found.reference}: the customer waits for your answer",
        body=(
            f"The customer of {found.reference} wrote and has no answer yet. Answer, hand it on, or say that you wait "
            f"for them: {settings.SITE_ORIGIN}/admin/inbox/{found.pk}/" + workspace().signature
        ),
    )


def _reminder(found: Escalation) -> str:
    """Who waits for whom, without the customer's words."""
    owner = found.claimed_by or found.assigned_to
    who = (
        f"{'taken over by' if found.claimed_by else 'assigned to'} {owner.get_username()}" if owner else "nobody's yet"
    )
    return (
        f"{found.conversation.reference} ({found.get_reason_display()}, {found.team.name}, {who}): "
        f"the first reply is due on {found.due_at:%d %b %H:%M} UTC.\n"
        f"{settings.SITE_ORIGIN}/admin/inbox/{found.conversation_id}/"
    )


def _announced_to(team: Team) -> list[str]:
    """The team's address, or the general one, or the leads': somebody hears of it."""
    general = Team.objects.filter(slug=FALLBACK_TEAM).exclude(email="").first()
    address = team.email or (general.email if general else "")
    return [address] if address else [person.email for person in leads() if person.email]


def _mail_escalation(found: Escalation) -> None:
    for address in _announced_to(found.team):
        _announce_to(address, found)


def _announce_to(address: str, found: Escalation) -> None:
    mail.send(
        to=address,
        subject=f"{found.conversation.reference} waits for {found.team.name}: {found.get_reason_display()}",
        # No summary: it holds customers' words, and e-mail is the wrong place for them.
        body=(
            f"Conversation {found.conversation.reference} has been waiting since "
            f"{found.created_at:%d %b %H:%M} UTC; the first reply is due on {found.due_at:%d %b %H:%M} UTC.\n"
            f"It is in the inbox: {settings.SITE_ORIGIN}/admin/inbox/{found.conversation_id}/" + workspace().signature
        ),
    )


def mail_return_label(action_id: str) -> None:
    """Mail the label of the return that an action opened, while it is open; the return's own id is taken too, which
    release 7 enqueued."""
    found = Action.objects.select_related("customer", "conversation")
    action = found.filter(Q(pk=action_id) | Q(made_return=action_id)).first()
    number = action.undo_data.get("return_number") if action else None
    if action is None or not number:
        return
    parcel = backend().return_of(who_of(action.customer), number)
    if parcel is None or parcel.status != Return.Status.LABEL_SENT:
        return
    with speaking(action.conversation.locale):
        _mail_label(action.customer, parcel)


def _mail_label(customer: Customer, parcel: ReturnRecord) -> None:
    lines = "\n".join(f"- {item.quantity} × {item.name} ({item.sku})" for item in parcel.items)
    if parcel.fee:
        fee = _("%(fee)s for the label is taken off your refund.") % {"fee": money(parcel.fee, parcel.currency)}
    else:
        fee = _("The label is free for you.")
    body = _(
        "Hello %(name)s,\n\n"
        "this is the label for your return %(number)s of order %(order)s:\n%(lines)s\n\n"
        "Please pack the items unused and in their original packaging, write the return number on the parcel and "
        "hand it in at any drop-off point of the carrier. %(fee)s The money is back with you 5-7 business days "
        "after the parcel reaches us."
    )
    words = {"name": customer.name, "number": parcel.number, "order": parcel.order_number}
    mail.send(
        to=customer.email,
        subject=_("Your return label %(number)s") % words,
        body=body % {**words, "lines": lines, "fee": fee} + workspace().signature,
    )
