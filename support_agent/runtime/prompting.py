"""Prompt versions in the database: saved, never changed, one of a name active; without one the file speaks."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from support_agent.agent.memory import estimate
from support_agent.models import EvalRun, PromptVersion
from support_agent.runtime.controls import forget
from support_agent.runtime.eval_runs import gate_of
from tickets.access import require_role, staff_roles
from tickets.errors import DeskError, NotFound
from tickets.models import AuditEntry, Role, User
from tickets.services.audit import audit

MAX_TOKENS = 2000
MIN_REASON, MAX_REASON = 10, 500  # characters
SPOKE_BEFORE = "not asked: it spoke before"
ACTS = ("prompt.activate", "prompt.use_file")
EDITORS = (Role.LEAD, Role.OPS, Role.ADMIN)
OVERRIDERS = (Role.LEAD, Role.ADMIN)
"""Who may let a version speak that has not passed the release gate."""


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


def activation_allowed(version: PromptVersion, staff: User, reason: str = "") -> str | None:
    """Why this version may not speak, in a sentence, or None: every activation asks here, and nowhere else.

    A text saved before the limit was lowered may be too long by now. The release gate is not asked of what spoke
    before: going back must work at any hour. A lead passes it with a reason.
    """
    named = f"Version {version.number} of {version.name}"
    if version.is_active:
        return f"{named} speaks already."
    if estimate(version.text) > MAX_TOKENS:
        return f"{named} has more than {MAX_TOKENS:,} tokens."
    if spoke_before(version) or (gate := gate_of(version)).state == "passed":
        return None
    if not may_override(staff):
        return f"{named} may not speak yet. {gate.why} A lead may let it speak all the same, with a reason."
    if len(reason.strip()) < MIN_REASON:
        return f"{named} may not speak yet. {gate.why} An override needs a reason of {MIN_REASON} characters or more."
    return None


def may_override(staff: User) -> bool:
    """Whether somebody may let a version speak that has not passed the release gate."""
    return bool(staff_roles(staff) & {role.value for role in OVERRIDERS})


def spoke_before(version: PromptVersion) -> bool:
    """Whether it was active once: going back to it needs no gate."""
    return version.activated_at is not None


@transaction.atomic
def prompt_activate(*, version: PromptVersion, staff: User, reason: str = "") -> None:
    """Make this the version that speaks, from the next turn on; `reason` is for an override of the gate.

    Raises DeskError when it may not. Two at once, and a gate's run that ends meanwhile, wait for each other.
    """
    require_role(staff, *EDITORS)
    version, before = _locked(version)
    if (refusal := activation_allowed(version, staff, reason)) is not None:
        raise DeskError(refusal)
    changes: dict[str, tuple[object, object]] = {"active": (before.number if before else None, version.number)}
    changes["gate"] = (None, SPOKE_BEFORE if spoke_before(version) else gate_of(version).state)
    if reason.strip():
        changes["reason"] = (None, reason.strip()[:MAX_REASON])
    PromptVersion.objects.filter(name=version.name, is_active=True).update(is_active=False)
    PromptVersion.objects.filter(pk=version.pk).update(is_active=True, activated_at=timezone.now())
    audit(actor=staff, action="prompt.activate", obj=version, changes=changes)
    transaction.on_commit(forget)


def _locked(version: PromptVersion) -> tuple[PromptVersion, PromptVersion | None]:
    """(the version as it is now, the one that speaks), all of the name locked, and its gate's runs with it.

    A run refers to its version, so that none can begin meanwhile either.
    """
    rows = {row.pk: row for row in PromptVersion.objects.select_for_update().filter(name=version.name).order_by("pk")}
    if version.pk not in rows:
        raise NotFound("There is no such version.")
    list(EvalRun.objects.select_for_update().filter(prompt=version).order_by("pk").values_list("pk"))
    return rows[version.pk], next((row for row in rows.values() if row.is_active), None)


@transaction.atomic
def prompt_use_file(*, name: str, staff: User) -> None:
    """Let the file's text speak again; the release gate is not asked, as for whatever spoke before."""
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
