"""Prompt versions in the database: saved, never changed, one of a name active; without one the file speaks."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from support_agent.agent.memory import estimate
from support_agent.models import PromptVersion
from support_agent.runtime.controls import forget
from tickets.access import require_role
from tickets.errors import DeskError
from tickets.models import AuditEntry, Role, User
from tickets.services.audit import audit

MAX_TOKENS = 2000
ACTS = ("prompt.activate", "prompt.use_file")
EDITORS = (Role.LEAD, Role.OPS, Role.ADMIN)


@transaction.atomic
def prompt_save(*, name: str, text: str, note: str, staff: User) -> PromptVersion:
    """A new version, not yet active. Raises DeskError when it is empty or past 2,000 tokens."""
    require_role(staff, *EDITORS)
    text = text.strip()
    if not text:
        raise DeskError("A prompt needs a text.")
    if estimate(text) > MAX_TOKENS:
        raise DeskError(f"A prompt stays under {MAX_TOKENS:,} tokens; this one has about {estimate(text):,}.")
    last = PromptVersion.objects.filter(name=name).aggregate(last=Max("number"))["last"] or 0
    made = PromptVersion.objects.create(name=name, number=last + 1, text=text, note=note[:300], made_by=staff)
    audit(actor=staff, action="prompt.save", obj=made, changes={"number": (last or None, made.number)})
    return made


def activation_allowed(version: PromptVersion, staff: User) -> str | None:
    """Why this version may not speak, in a sentence, or None: every activation asks here, and nowhere else.

    A text saved before the limit was lowered may be too long by now.
    """
    if version.is_active:
        return f"Version {version.number} of {version.name} speaks already."
    if estimate(version.text) > MAX_TOKENS:
        return f"Version {version.number} of {version.name} has more than {MAX_TOKENS:,} tokens."
    return None


@transaction.atomic
def prompt_activate(*, version: PromptVersion, staff: User) -> None:
    """Make this the version that speaks, from the next turn on. Raises DeskError when it may not."""
    require_role(staff, *EDITORS)
    if (refusal := activation_allowed(version, staff)) is not None:
        raise DeskError(refusal)
    before = PromptVersion.objects.select_for_update().filter(name=version.name, is_active=True).first()
    PromptVersion.objects.filter(name=version.name, is_active=True).update(is_active=False)
    PromptVersion.objects.filter(pk=version.pk).update(is_active=True, activated_at=timezone.now())
    changes = {"active": (before.number if before else None, version.number)}
    audit(actor=staff, action="prompt.activate", obj=version, changes=changes)
    transaction.on_commit(forget)


@transaction.atomic
def prompt_use_file(*, name: str, staff: User) -> None:
    """Let the file's text speak again."""
    require_role(staff, *EDITORS)
    for version in PromptVersion.objects.select_for_update().filter(name=name, is_active=True):
        PromptVersion.objects.filter(pk=version.pk).update(is_active=False)
        audit(actor=staff, action="prompt.use_file", obj=version, changes={"active": (version.number, None)})
    transaction.on_commit(forget)


def prompt_before(name: str) -> PromptVersion | None:
    """The version that spoke before the one that speaks now, by the audit; None is the file."""
    versions = {str(version.pk): version for version in PromptVersion.objects.filter(name=name).defer("text")}
    acts = AuditEntry.objects.filter(action__in=ACTS, object_id__in=versions).order_by("-created_at", "-pk")
    last = acts.values_list("action", "object_id")[:2]
    if len(last) < 2 or last[1][0] == "prompt.use_file":
        return None
    return versions[last[1][1]]
