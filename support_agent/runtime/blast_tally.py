"""What a blast radius came to: how many past turns of each verdict, in figures and in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from support_agent.models import BlastRadius, Replay, RunState
from support_agent.runtime.blast_verdict import DRIFT, OTHERWISE, SAME, WORDED

VERDICTS = (OTHERWISE, WORDED, DRIFT, SAME)


@dataclass(frozen=True, slots=True)
class Tally:
    """Turns by verdict; `drawn` are all that are taken again, `failed` could not be. `usd` counts baselines too."""

    drawn: int
    otherwise: int
    worded: int
    drift: int
    same: int
    failed: int
    usd: Decimal

    @property
    def done(self) -> int:
        return self.otherwise + self.worded + self.drift + self.same + self.failed

    def of(self, verdict: str) -> int:
        return {OTHERWISE: self.otherwise, WORDED: self.worded, DRIFT: self.drift, SAME: self.same}[verdict]


def tallies_of(radii: Iterable[BlastRadius]) -> dict[object, Tally]:
    """By id; one query."""
    ids = [radius.pk for radius in radii]
    rows = Replay.objects.filter(radius__in=ids).order_by()
    found: dict[object, Counter[str]] = {one: Counter() for one in ids}
    spent: dict[object, Decimal] = dict.fromkeys(ids, Decimal(0))
    for radius, verdict, state, is_baseline, usd in rows.values_list(
        "radius_id", "verdict", "state", "is_baseline", "cost_usd"
    ):
        spent[radius] += usd
        if not is_baseline:
            found[radius]["drawn"] += 1
            found[radius]["failed" if state == Replay.State.FAILED else verdict] += 1
    return {one: _tally(found[one], spent[one]) for one in ids}


def sentence(radius: BlastRadius, tally: Tally) -> str:
    """What it came to, so far or in the end."""
    if not tally.drawn:
        if radius.state == RunState.DONE:
            return "No past turn is touched: nobody would have been told anything else."
        is_over = radius.state == RunState.FAILED
        return "It did not get to a turn." if is_over else "The past turns are being looked for."
    told = [
        f"{tally.otherwise} would be answered otherwise" if tally.otherwise else "none would be answered otherwise",
        f"{tally.worded} in other words" if tally.worded else "",
    ]
    whole = "one past turn" if tally.drawn == 1 else f"{tally.drawn} past turns"
    seen = (
        f"Of {whole}" if tally.done == tally.drawn else f"Of the {tally.done} of {tally.drawn} past turns taken so far"
    )
    end = [
        f"{tally.drift} {'goes' if tally.drift == 1 else 'go'} otherwise today anyway" if tally.drift else "",
        f"{tally.failed} could not be taken again" if tally.failed else "",
    ]
    after = "; ".join(filter(None, end))
    return f"{seen}, {', '.join(filter(None, told))}{'; ' + after if after else ''}."


def _tally(counts: Counter[str], usd: Decimal) -> Tally:
    return Tally(
        drawn=counts["drawn"],
        otherwise=counts[OTHERWISE],
        worded=counts[WORDED],
        drift=counts[DRIFT],
        same=counts[SAME],
        failed=counts["failed"],
        usd=usd,
    )
