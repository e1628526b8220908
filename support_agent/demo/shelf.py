"""The help-centre articles as past answers cite them: title, address, category and first paragraph."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

import tickets.demo
from support_agent.demo.story import Json

ARTICLES = Path(tickets.demo.__file__).parent / "articles"


@dataclass(frozen=True)
class Reading:
    slug: str
    title: str
    category: str
    first: str  # the first paragraph, without emphasis: a direct answer by the house style of the help centre

    def hit(self, number: int) -> Json:
        return {
            "n": number,
            "title": self.title,
            "url": f"/help/{self.slug}/",
            "category": self.category,
            "section": "",
            "snippet": self.first,
            "score": round(0.93 - number * 0.07, 2),
        }

    def source(self, number: int) -> Json:
        return {"n": number, "title": self.title, "url": f"/help/{self.slug}/"}


def readings() -> dict[str, Reading]:
    """Every published article by slug."""
    found = {}
    for path in sorted(ARTICLES.glob("*.md")):
        _, head, body = path.read_text(encoding="utf-8").split("---\n", 2)
        fields = yaml.safe_load(head)
        if fields["status"] == "published":
            first = re.sub(r"\*\*|`|\[([^\]]+)\]\([^)]*\)", r"\1", body.strip().split("\n\n", 1)[0])
            found[fields["slug"]] = Reading(
                fields["slug"], fields["title"], fields["category"], " ".join(first.split())
            )
    return found
