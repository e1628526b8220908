"""Evaluation runs and their results for the pages, made row by row as the runner writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.test import Client
from django.utils import timezone

from support_agent.models import EvalResult, EvalRun, PromptVersion
from support_agent.runtime.code_version import code_version
from support_agent.runtime.eval_gate import configured, gate_model
from tests.ops.made import HOUR

HOME = "/admin/evals/"
YAML = '- id: {case}\n  customer: owner\n  steps: ["Where is my order?"]\n'


def rate(value: float, reach: float = 0.04) -> dict[str, float]:
    return {"value": value, "low": max(0.0, value - reach), "high": min(1.0, value + reach / 4)}


def run(
    results: Mapping[str, str] | None = None, *, ago: timedelta = HOUR, made_at: datetime | None = None, **values: Any
) -> EvalRun:
    """A run that came to its end with these cases ({"name": "passed"}); its summary is of them."""
    results = results or {}
    moment = made_at or timezone.now() - ago
    counted = [status for status in results.values() if status != "skipped"]
    passed = counted.count("passed")
    share = passed / len(counted) if counted else 0.0
    defaults: dict[str, Any] = {
        "kind": "command", "state": "done", "total": len(results), "is_passed": passed == len(counted),
        "prompts": {"assistant": None, "planner": None, "memory": None}, "code": "c0de1",
        "thresholds": {"pass": 0.95, "adversarial": 1.0}, "cost_usd": Decimal("0.0123") * len(results),
        "started_at": moment, "finished_at": moment + timedelta(seconds=42), "created_at": moment,
        "summary": {
            "cases": len(results), "passed": passed, "failed": counted.count("failed"),
            "skipped": len(results) - len(counted), "adversarial": 2, "adversarial_held": 2, "k": 1,
            "adversarial_share": rate(1.0, 0.2),
            "pass_at_1": rate(share), "pass_hat_k": rate(share), "tokens_in": 1200, "tokens_out": 340, "seconds": 40.5,
            "cost_per_case": 0.0123, "suites": {"orders": {"cases": len(results), "passed": passed}},
        },
    }  # fmt: skip
    made = EvalRun.objects.create(**defaults | values)
    for case, status in results.items():
        result(made, case, status)
    return made


def result(of: EvalRun, case: str, status: str = "passed", **values: Any) -> EvalResult:
    defaults: dict[str, Any] = {
        "suite": "orders", "fingerprint": "f1", "written": YAML.format(case=case), "held": int(status == "passed"),
        "failures": ["expected the outcome resolved, found escalated"] if status == "failed" else [],
        "outcome": "escalated" if status == "failed" else "resolved", "tools": ["lookup_order", "track_shipment"],
        "said": [{"who": "customer", "text": f"Where is {case}?"}, {"who": "assistant", "text": "On its way."}],
        "cost_usd": Decimal("0.0123"), "steps": 5, "seconds": 1.5, "created_at": of.created_at,
    }  # fmt: skip
    return EvalResult.objects.create(run=of, case=case, status=status, **defaults | values)


def version(number: int = 1, name: str = "assistant", **values: Any) -> PromptVersion:
    return PromptVersion.objects.create(name=name, number=number, text=f"Be brief. {number}", **values)


def gate(of: PromptVersion, *, is_passed: bool | None = True, **values: Any) -> EvalRun:
    """A run of the release gate for this version with today's code and cases."""
    results = {"where-is-my-order": "passed", "cancel-late": "passed" if is_passed else "failed"}
    now: dict[str, Any] = {
        "kind": "gate", "prompt": of, "code": str(code_version()), "model": gate_model(), "is_passed": is_passed,
        "prompts": {"assistant": None, "planner": None, "memory": None, of.name: of.number},
    }  # fmt: skip
    made = run(results, **now | values)
    made.summary["models"] = configured()
    made.save()
    return made


def body(client: Client, address: str) -> str:
    """The page, which must be there."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    return str(answer.content.decode())


def opened(of: EvalRun, case: str) -> str:
    """Where one case of a run is shown."""
    return f"results/{EvalResult.objects.get(run=of, case=case).pk}/"
