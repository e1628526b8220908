"""`manage.py blast_radius`: a draft in a file, a silent prompt, a tool; its JSON and its exit codes."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from support_agent.models import BlastRadius
from tests.blast.conftest import RETURNS, WASHING, Desk, shelve
from tickets.db import in_db
from tickets.models import Article


def printed(*arguments: str) -> Any:
    out = io.StringIO()
    call_command("blast_radius", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.mark.timeout(120)
async def test_it_tells_what_a_draft_would_change(desk: Desk, tmp_path: Path) -> None:
    for text in (RETURNS, WASHING):
        await desk.ask(text)
    await desk.closes()
    body = await in_db(lambda: Article.objects.get(slug="return-an-item").body)
    draft = tmp_path / "draft.md"
    draft.write_text(body.replace("30 days", "14 days"), encoding="utf-8")
    report = await in_db(printed, "--article", "return-an-item", "--file", str(draft), "--days", "7", "--most", "5")
    assert (report["state"], report["turns"], report["otherwise"]) == ("done", 1, 1)
    assert report["summary"] == "Of one past turn, 1 would be answered otherwise."
    (one,) = report["changed"]
    assert (one["verdict"], one["reasons"][:2]) == ("otherwise", ["no longer says 30 days", "now says 14 days"])
    assert "30 days" in one["before"]["text"]
    assert "14 days" in one["after"]["text"]
    assert report["cost_usd"] > 0
    out = io.StringIO()
    await in_db(call_command, "blast_radius", "--article", "wash-a-jacket", "--unpublish", stdout=out)
    assert "would be answered otherwise" in out.getvalue()
    draft.write_text("---\ntitle: Return an item\nkeywords: [RMA]\n---\n" + body, encoding="utf-8")
    headed = await in_db(printed, "--article", "return-an-item", "--file", str(draft))
    assert (headed["state"], headed["otherwise"]) == ("done", 0)
    assert (await in_db(lambda: BlastRadius.objects.first().draft))["keywords"] == "RMA"  # type: ignore[union-attr]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tool", "nonsense"], "There is no tool “nonsense”"),
        (["--prompt", "assistant:9"], "there is no saved version “assistant:9”"),
        (["--article", "return-an-item"], "an article needs either --file or --unpublish"),
        (["--article", "nothing", "--unpublish"], "there is no article “nothing”"),
        (["--article", "return-an-item", "--file", "/nowhere.md"], "/nowhere.md cannot be read"),
        (["--article", "return-an-item", "--file", "{same}"], "nothing would change"),
        (["--article", "new-one", "--file", "{same}"], "The draft could not be saved"),
        (["--tool", "lookup_order", "--file", "x"], "--file and --unpublish belong to --article"),
        (["--tool", "lookup_order", "--most", "0"], "turns 1 to 200"),
    ],
)
def test_a_wrong_argument_is_exit_code_2(arguments: list[str], said: str, tmp_path: Path) -> None:
    shelve()
    same = tmp_path / "same.md"
    same.write_text(Article.objects.get(slug="return-an-item").body, encoding="utf-8")
    err = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("blast_radius", *[one.format(same=same) for one in arguments], stderr=err)
    assert ended.value.code == 2
    assert said in err.getvalue()
    assert not BlastRadius.objects.exists()
