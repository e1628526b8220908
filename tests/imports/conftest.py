"""Running the import commands as ops do, without the embedder unless a test asks for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

Json = dict[str, Any]
Run = Callable[..., Json]


@pytest.fixture
def run(db: None, settings: Settings, tmp_path: Path) -> Run:
    """`run("import_articles", source, "--publish")`: the report, with the exit code as `exit`."""
    settings.EMBEDDER, settings.ERASURE_RECEIPTS = "none", tmp_path / "erasures.jsonl"

    def run(command: str, *arguments: str | Path) -> Json:
        out, code = StringIO(), 0
        try:
            call_command(command, *map(str, arguments), "--json", stdout=out)
        except SystemExit as end:
            code = int(end.code or 0)
        return {**json.loads(out.getvalue()), "exit": code}

    return run


def deeds(report: Json) -> dict[str, str]:
    """What became of each record, by where it stood."""
    return {line["where"]: line["deed"] for line in report["lines"]}


def whys(report: Json) -> str:
    return "\n".join(f"{line['where']}: {line['why']}" for line in report["lines"] if line["why"])
