"""Prompts are small, and no edit of one goes unnoticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from support_agent.agent import prompts
from support_agent.agent.prompts import prompt


@pytest.mark.parametrize("name", ["assistant", "planner"])
def test_size(name: str) -> None:
    assert 100 < len(prompt(name).text) / 3.5 < 2000


def test_the_planner_knows_every_field_of_the_plan() -> None:
    from support_agent.agent.types import Plan

    assert all(f"- {name}: " in prompt("planner").text for name in Plan.model_fields)


def test_the_version_follows_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "__file__", str(tmp_path / "__init__.py"))

    def version(raw: str) -> str:
        (tmp_path / "some.md").write_text(raw, encoding="utf-8")
        return prompt.__wrapped__("some").version

    first = version('---\nversion: "1"\n---\nBe kind.\n')
    assert first.startswith("some-1-")
    assert version('---\nversion: "1"\n---\nBe kind.\n\n') == first
    assert version('---\nversion: "1"\n---\nBe kinder.\n') != first
    assert version('---\nversion: "2"\n---\nBe kind.\n') != first
    with pytest.raises(ValueError, match="front matter"):
        version("Be kind.")
