"""The controls as every process sees them: switches, limits and who answers where, read once every two seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from support_agent.agent.config import LIMITS, SYSTEM_HOUR_USD, Limits
from support_agent.agent.prompts import Prompt, named
from support_agent.agent.types import Surface
from support_agent.models import PromptVersion, SurfaceLimit, SurfaceMode, Switch, SystemLimit
from support_agent.runtime.catalogue import catalogue
from support_agent.runtime.modes import CUSTOMERS, Answering, read_modes
from support_agent.runtime.ratelimit import allow
from tickets.access import require_role
from tickets.errors import DeskError, Paused
from tickets.models import Role, User
from tickets.services.audit import audit

FRESH_S = 2.0
PAUSED_TEXT = _(
    "We can't start new chats right now. The help centre is open as always, or leave us a message at /message/ "
    "and we will answer by e-mail."
)
FIELDS = ("step", "turn", "turn_tokens", "conversation", "day", "steps", "surface_day")


@dataclass(frozen=True, slots=True)
class Controls:
    """Which switches are on, the limits of every surface, and who answers there."""

    on: frozenset[str]
    disabled_tools: frozenset[str]
    limits: Mapping[Surface, Limits]
    prompts: Mapping[str, Prompt]  # active overrides of the files
    system_hour: Decimal = SYSTEM_HOUR_USD
    modes: Mapping[Surface, Answering] = field(default_factory=dict)

    @property
    def is_careful(self) -> bool:
        """Whether somewhere the assistant does not answer everybody."""
        return any(one.mode != SurfaceMode.Mode.LIVE or one.percent < 100 for one in self.modes.values())

    def has(self, name: Switch.Name) -> bool:
        return name.value in self.on


_cached: tuple[float, Controls] | None = None


def controls() -> Controls:
    """The controls of at most two seconds ago; synchronous, five queries when stale."""
    global _cached
    if _cached is None or time.monotonic() - _cached[0] > FRESH_S:
        _cached = (time.monotonic(), _read())
    return _cached[1]


def forget() -> None:
    """Read again at the next look: after a change in this process."""
    global _cached
    _cached = None


def check_open() -> None:
    """Raises Paused while no new conversation may begin, RateLimited while a breaker lets only few through."""
    if controls().has(Switch.Name.PAUSE_NEW):
        raise Paused(PAUSED_TEXT)
    if controls().has(Switch.Name.THROTTLE_NEW):
        allow("throttled", "all")


def tool_categories() -> dict[str, str]:
    """Every tool there is, by name: what ops may disable."""
    return {name: tool.category.value for name, tool in catalogue().items()}


@transaction.atomic
def switch_on(*, name: str, staff: User | None, reason: str, tool: str = "") -> Switch:
    """Turn a switch on; `staff` None is a system breaker. Raises DeskError without a reason."""
    source = Switch.Source.BREAKER if staff is None else Switch.Source.STAFF
    if staff is not None:
        require_role(staff, Role.LEAD, Role.OPS, Role.ADMIN)
    if not reason.strip():
        raise DeskError("A switch needs a reason.")
    known = Switch.objects.select_for_update().filter(name=Switch.Name(name), tool=tool).first()
    switch, _ = Switch.objects.update_or_create(
        name=Switch.Name(name),
        tool=tool,
        defaults={"source": source, "reason": reason[:300], "changed_by": staff, "overridden_until": None},
    )
    audit(actor=staff, action="switch.on", obj=switch, changes=_changes(known, "on", reason))
    transaction.on_commit(forget)
    return switch


@transaction.atomic
def switch_off(*, name: str, staff: User | None, reason: str, tool: str = "") -> None:
    """Turn a switch off; nothing happens when it is off already. Raises DeskError without a reason."""
    if staff is not None:
        require_role(staff, Role.LEAD, Role.OPS, Role.ADMIN)
    if not reason.strip():
        raise DeskError("Turning a switch off needs a reason.")
    for switch in Switch.objects.select_for_update().filter(name=Switch.Name(name), tool=tool):
        audit(actor=staff, action="switch.off", obj=switch, changes=_changes(switch, "off", reason))
        switch.delete()
    transaction.on_commit(forget)


@transaction.atomic
def switch_override(*, switch: Switch, staff: User, reason: str, hours: int = 4) -> None:
    """Let traffic through although a breaker tripped. Raises DeskError without a reason."""
    require_role(staff, Role.LEAD, Role.OPS, Role.ADMIN)
    if not reason.strip():
        raise DeskError("An override needs a reason.")
    until = timezone.now() + timedelta(hours=hours)
    before = Switch.objects.select_for_update().get(pk=switch.pk).overridden_until
    Switch.objects.filter(pk=switch.pk).update(overridden_until=until, changed_by=staff)
    changes = {"overridden_until": (before, until), "reason": (switch.reason, reason)}
    audit(actor=staff, action="switch.override", obj=switch, changes=changes)
    transaction.on_commit(forget)


@transaction.atomic
def mode_set(*, surface: str, mode: str, percent: int, rest: str, staff: User, reason: str) -> SurfaceMode:
    """Say who answers on a surface: new conversations at once, running ones with their next message when turned down.

    Raises DeskError without a reason, or for what there is not.
    """
    require_role(staff, Role.OPS, Role.ADMIN)
    if surface not in CUSTOMERS or mode not in SurfaceMode.Mode.values or rest not in SurfaceMode.Rest.values:
        raise DeskError("There is no such mode.")
    if not 0 <= percent <= 100:
        raise DeskError("The share is a whole number from 0 to 100.")
    if not reason.strip():
        raise DeskError("A change of who answers needs a reason.")
    new = {"mode": mode, "percent": percent, "rest": rest, "reason": reason.strip()[:300]}
    row, is_new = SurfaceMode.objects.select_for_update().get_or_create(surface=surface)
    changes = {
        name: (None if is_new and name == "reason" else getattr(row, name), value) for name, value in new.items()
    }
    for name, value in new.items():
        setattr(row, name, value)
    row.changed_by = staff
    row.save()
    audit(actor=staff, action="surface.mode", obj=row, changes=changes)
    transaction.on_commit(forget)
    return row


def _changes(known: Switch | None, state: str, reason: str) -> dict[str, tuple[str, str]]:
    """What turning a switch does, for the audit."""
    return {"state": ("on" if known else "off", state), "reason": (known.reason if known else "", reason)}


def _read() -> Controls:
    now = timezone.now()
    switches = [s for s in Switch.objects.all() if s.overridden_until is None or s.overridden_until <= now]
    changed = {Surface(row.surface): row for row in SurfaceLimit.objects.all()}
    hour = SystemLimit.objects.filter(period=SystemLimit.Period.HOUR).values_list("usd", flat=True).first()
    system_hour = SYSTEM_HOUR_USD if hour is None else hour
    limits = {
        surface: replace(
            default,
            system_hour=system_hour,
            **{field: value for field in FIELDS if (value := getattr(changed.get(surface), field, None)) is not None},
        )
        for surface, default in LIMITS.items()
    }
    return Controls(
        on=frozenset(s.name for s in switches if s.name != Switch.Name.DISABLE_TOOL),
        disabled_tools=frozenset(s.tool for s in switches if s.name == Switch.Name.DISABLE_TOOL),
        limits=limits,
        prompts={p.name: named(p.name, f"db{p.number}", p.text) for p in PromptVersion.objects.filter(is_active=True)},
        system_hour=system_hour,
        modes=read_modes(),
    )
