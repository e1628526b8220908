"""A run as one page that stands alone: no scripts, nothing loaded, light and dark, to be kept or mailed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.template import engines

from support_agent.evals.run import Result
from support_agent.evals.statistics import Share
from support_agent.evals.summary import FAILED, PASSED, SKIPPED, Report
from support_agent.runtime.eval_runs import DEMO, MODELS

HERE = Path(__file__).parent
NAMES = {DEMO: "the demo model", MODELS: "the configured models"}
MANY = 4000  # tokens: past it in thousands


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the summary; a share is drawn with its interval, and `least` is what it had to reach."""

    label: str
    value: str
    note: str = ""
    share: Share | None = None
    least: float | None = None

    @property
    def is_missed(self) -> bool:
        return bool(self.share and self.least is not None and self.share.value < self.least)

    @property
    def drawn(self) -> dict[str, str]:
        """Where the interval and its middle are on a line of 100."""
        if self.share is None:
            return {}
        low, high, value = (100 * part for part in (self.share.low, self.share.high, self.share.value))
        found = {"low": f"{low:.2f}", "wide": f"{max(high - low, 0.6):.2f}", "at": f"{min(value, 99.0):.2f}"}
        return found | ({"least": f"{min(100 * self.least, 99.4):.2f}"} if self.least is not None else {})


def as_html(report: Report) -> str:
    """The text of the file."""
    page = engines["django"].from_string(_read("report.html").replace("/* styles */", _read("report.css")))
    thread = engines["django"].from_string(_read("report_thread.html"))
    return str(page.render({"thread": thread, **_context(report)}))


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _context(report: Report) -> dict[str, Any]:
    return {
        "report": report,
        "model": NAMES.get(report.model, report.model),
        "prompts": [f"{name} {number or 'file'}" for name, number in (report.prompts or {}).items()],
        "figures": _figures(report),
        "failed": report.by_status(FAILED),
        "skipped": report.by_status(SKIPPED),
        "suites": _suites(report),
        "kinds": [_kind(report, name, share) for name, share in report.kinds().items()],
        "curve": list(report.curve().items()) if report.repeat > 1 else [],
    }


def _figures(report: Report) -> list[Figure]:
    summary, least = report.summary(), report.thresholds or {}
    judged, passed = len(report.judged), summary["passed"]
    found = [
        Figure(
            "Cases passed" if report.repeat == 1 else f"pass^{report.repeat}, all {report.repeat} runs passed",
            f"{report.pass_hat_k.value:.1%}",
            f"{passed} of {judged}",
            report.pass_hat_k,
            least.get("pass"),
        )
    ]
    if report.repeat > 1:
        found.append(Figure("pass@1, mean of all runs", f"{report.pass_at_1.value:.1%}", "", report.pass_at_1))
    if report.adversarial:
        held = f"{summary['adversarial_held']} of {summary['adversarial']}"
        share = report.adversarial_share
        found.append(Figure("Adversarial cases held", f"{share.value:.1%}", held, share, least.get("adversarial")))
    note = f"{summary['cost_per_case']:.4f} a run of a case"
    note += "; priced as the configured models, the demo model is free" if report.model == DEMO else ""
    tokens = f"{_short(summary['tokens_in'])} tokens in, {_short(summary['tokens_out'])} out"
    return [
        *found,
        Figure("Cost", f"{report.cost_usd:.2f} USD", note),
        Figure("Time", _time(report.seconds), tokens),
    ]


def _kind(report: Report, name: str, share: Share) -> dict[str, Any]:
    held, count = report.count_of_kind(name)
    return {"name": name, "held": held, "count": count, "figure": Figure(name, f"{share.value:.0%}", "", share, 1.0)}


def _suites(report: Report) -> list[dict[str, Any]]:
    return [
        {"name": name, **counts, "results": _of(report.results, name), "judged": counts[PASSED] + counts[FAILED]}
        for name, counts in report.suites().items()
    ]


def _of(results: Sequence[Result], name: str) -> list[Result]:
    """A theme's results, what failed first."""
    order = {FAILED: 0, SKIPPED: 1, PASSED: 2}
    return sorted((result for result in results if result.case.suite == name), key=lambda one: order[one.status])


def _short(tokens: int) -> str:
    return f"{tokens:,}" if tokens < MANY else f"{tokens / 1000:,.0f}k"


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
