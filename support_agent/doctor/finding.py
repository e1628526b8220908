"""What a check finds, and running checks so that none stops or holds up the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "missing"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`note` is fine but worth knowing; `missing` needs its mend."""

    name: str
    state: State
    detail: str
    mend: str = ""


Check = Callable[[], Iterable[Finding]]


def findings(check: Check, name: str = "") -> list[Finding]:
    """What a check finds; that it failed is a finding too."""
    try:
        return list(check())
    except Exception as error:
        name = name or check.__name__.strip("_")
        return [Finding(name, "missing", f"{type(error).__name__}: {error}", "see the log")]


def findings_within(seconds: float, name: str, check: Check) -> list[Finding]:
    """The same for a check of the network that may never come back; it must not touch the database."""
    found: list[Finding] = []
    thread = threading.Thread(target=lambda: found.extend(findings(check, name)), daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        mend = "see what holds it up: DNS, a firewall, a proxy"
        return [Finding(name, "missing", f"no answer within {seconds:g} s", mend)]
    return found
