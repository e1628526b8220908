"""Where each version of a prompt stands with the release gate, for the prompts page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from support_agent.models import EvalResult, EvalRun, PromptVersion
from support_agent.ops.selectors.eval_figures import RunFigures, run_figures
from support_agent.ops.selectors.eval_run import failed_of
from support_agent.ops.selectors.evals import done_of
from support_agent.runtime.eval_runs import Gate, gate_of
from support_agent.runtime.prompting import spoke_before

ASKED = 10  # versions whose gate is asked; an older one's is asked when it is activated
NAMED = 8  # failed cases told by name
NOT_RUN = "The release gate has not run for it."
LABELS = {"none": "not run", "running": "running", "passed": "passed", "failed": "failed", "stale": "out of date"}


@dataclass(frozen=True, slots=True)
class Standing:
    """A version and its gate: `state` is a key of LABELS, or '' where none is needed (any more)."""

    version: PromptVersion
    state: str
    why: str
    run: EvalRun | None
    figures: RunFigures | None
    done: int
    failed: list[EvalResult]

    @property
    def label(self) -> str:
        return LABELS.get(self.state, "")

    @property
    def is_free(self) -> bool:
        """Whether it may be activated without an override."""
        return self.state in ("", "passed")

    @property
    def may_run(self) -> bool:
        return self.state in ("none", "failed", "stale")

    @property
    def goes_on(self) -> bool:
        return self.state == "running"

    @property
    def per_cent(self) -> int:
        return min(100, round(self.done / self.run.total * 100)) if self.run and self.run.total else 0

    @property
    def named(self) -> list[EvalResult]:
        return self.failed[:NAMED]

    @property
    def more(self) -> int:
        return max(0, len(self.failed) - NAMED)


def standings(versions: Sequence[PromptVersion]) -> list[Standing]:
    """Each version in its order; three queries, and those of the gate for at most ten that had a run."""
    asked = [version for version in versions if not spoke_before(version)]
    ran = _ran([version.pk for version in asked])
    gates = {version.pk: gate_of(version) for version in [one for one in asked if one.pk in ran][:ASKED]}
    runs = {gate.run.pk: gate.state for gate in gates.values() if gate.run}
    done = done_of([key for key, state in runs.items() if state == "running"])
    failed = failed_of([key for key, state in runs.items() if state != "running"])
    return [_standing(version, gates.get(version.pk), done, failed) for version in versions]


def _standing(
    version: PromptVersion, gate: Gate | None, done: Mapping[UUID, int], failed: Mapping[UUID, list[EvalResult]]
) -> Standing:
    if spoke_before(version):
        return Standing(version, "", "", None, None, 0, [])
    if gate is None or gate.run is None:
        return Standing(version, "none", gate.why if gate else NOT_RUN, None, None, 0, [])
    run = gate.run
    state = "stale" if gate.state == "none" else gate.state  # it had a run, which counts no more
    return Standing(version, state, gate.why, run, run_figures(run), done.get(run.pk, 0), failed.get(run.pk, []))


def _ran(ids: Sequence[UUID]) -> set[UUID]:
    """Those of these versions for which the gate was started; one query."""
    started = EvalRun.objects.filter(kind=EvalRun.Kind.GATE, prompt__in=ids).order_by()
    return {key for key in started.values_list("prompt", flat=True).distinct() if key is not None}
