"""How often the gate stops what is true, and catches what is not, over cases made apart from it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from support_agent.agent.evidence import evidence_of
from support_agent.agent.gate import Gate

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "gate_cases.jsonl").read_text("utf-8").splitlines()
]


async def stopped(case: dict[str, Any], answer: str) -> list[str]:
    """What the gate holds against an answer."""

    async def show(text: str) -> None: ...

    gate = Gate(evidence_of(case["facts"], []), show)
    await gate.feed(answer)
    gate.finish()
    return [issue.detail for issue in gate.issues]


async def test_false_blocks_and_catches(capsys: pytest.CaptureFixture[str]) -> None:
    changed = [case for case in CASES if "change" in case]
    blocked = [f"{c['answer']}  {why}" for c in CASES if (why := await stopped(c, c["answer"]))]
    missed = [f"{c['changed_answer']}  ({c['change']})" for c in changed if not await stopped(c, c["changed_answer"])]
    blocks, catches = len(blocked) / len(CASES), 1 - len(missed) / len(changed)
    told = [
        f"\ngate: {blocks:.1%} of {len(CASES)} true answers blocked, {catches:.1%} of {len(changed)} changed caught"
    ]
    told += [f"  blocked: {case}" for case in blocked] + [f"  missed: {case}" for case in missed]
    with capsys.disabled():
        sys.stdout.write("\n".join(told) + "\n")
    assert len(CASES) >= 200
    assert len(changed) >= 200
    assert blocks <= 0.02
    assert catches >= 0.97
