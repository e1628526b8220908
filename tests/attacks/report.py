"""`python -m tests.attacks.report`: the table of docs/attacks.md, made of tests/data/attacks.yaml."""

from __future__ import annotations

import re
from pathlib import Path

from tests.attacks.catalogue import attacks, families

PAGE = Path(__file__).parents[2] / "docs" / "attacks.md"
_BETWEEN = re.compile(r"(?<=<!-- attacks -->\n).*(?=<!-- /attacks -->)", re.DOTALL)


def table() -> str:
    rows = "".join(f"| {one.name} | {len(one.attacks)} | {one.wants} | {one.held_by} |\n" for one in families())
    places = len({attack.where for attack in attacks()})
    return (
        f"{len(attacks())} attacks in {len(families())} families, planted in {places} kinds of places:\n\n"
        f"| family | attacks | what they want | what holds them off |\n|---|---|---|---|\n{rows}\n"
    )


def written(page: str) -> str:
    """The page with the table as it is now."""
    return _BETWEEN.sub(lambda _: table(), page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
