"""The demo shop's content holds together: articles, products, conversations, and the labels search is measured on."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "tickets" / "demo"
CATEGORIES = {"billing", "technical", "account", "product"}
PLACEHOLDERS = {
    "name", "first_name", "email", "staff", "order_number", "tracking", "carrier", "item", "amount", "date",
    "return_number", "ticket",
}  # fmt: skip
TOOLS = {
    "search_knowledge_base", "lookup_customer", "lookup_order", "track_shipment", "request_return", "request_refund",
    "cancel_order", "report_delivery_problem", "update_customer", "create_ticket", "verify_identity",
    "escalate_to_human",
}  # fmt: skip


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def article(path: Path) -> tuple[dict[str, Any], str]:
    """The front matter and the Markdown body of one article."""
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(front), body


ARTICLES = {path.stem: article(path) for path in sorted((DEMO / "articles").glob("*.md"))}
PUBLISHED = {slug for slug, (front, _) in ARTICLES.items() if front["status"] == "published"}
LABELS = load(ROOT / "tests" / "data" / "search_labels.yaml")
CONVERSATIONS = load(DEMO / "conversations.yaml")
TICKETS = load(DEMO / "tickets.yaml")


@pytest.mark.parametrize("slug", ARTICLES)
def test_article_is_complete(slug: str) -> None:
    front, body = ARTICLES[slug]
    assert set(front) - {"audience"} == {"title", "slug", "category", "summary", "status", "keywords", "updated"}
    assert front["slug"] == slug
    assert front["category"] in CATEGORIES
    assert front["status"] in {"draft", "published"}
    assert front["updated"].year == 2026
    assert len(front["summary"]) <= 300
    assert len(", ".join(front["keywords"])) <= 400
    assert 200 <= len(re.findall(r"\w+", body)) <= 700
    assert body.count("\n## ") >= 3


@pytest.mark.parametrize("slug", ARTICLES)
def test_links_lead_to_published_articles(slug: str) -> None:
    targets = re.findall(r"\]\(([^)]*)\)", ARTICLES[slug][1])
    for target in targets:
        match = re.fullmatch(r"/help/([a-z0-9-]+)/", target)
        assert match, target
        assert match[1] in PUBLISHED - {slug}, target


def test_enough_articles_in_every_category() -> None:
    counts = Counter(ARTICLES[slug][0]["category"] for slug in PUBLISHED)
    assert sum(counts.values()) >= 60
    assert all(counts[category] >= 14 for category in CATEGORIES), counts
    assert len(ARTICLES) - len(PUBLISHED) == 3
    titles = [front["title"] for front, _ in ARTICLES.values()]
    assert len(titles) == len(set(titles))


def test_products_are_well_formed() -> None:
    products = load(DEMO / "catalogue.yaml")
    skus = [product["sku"] for product in products]
    assert len(skus) == len(set(skus)) >= 60
    for product in products:
        assert re.fullmatch(r"[A-Z]{3}(-[A-Z0-9]+)+", product["sku"])
        assert re.fullmatch(r"\d+\.\d{2}", product["price"])
        assert Decimal(product["price"]) > 0


def test_articles_name_only_skus_of_the_catalogue() -> None:
    skus = [product["sku"] for product in load(DEMO / "catalogue.yaml")]
    families = {sku.split("-")[0] for sku in skus}
    for slug, (_, body) in ARTICLES.items():
        for code in re.findall(r"`([A-Z]{3}(?:-[A-Z0-9]+)+)`", body):
            if code.split("-")[0] in families:
                assert any(sku == code or sku.startswith(f"{code}-") for sku in skus), (slug, code)


def test_labels_point_to_published_articles() -> None:
    labels, nothing = LABELS["labels"], LABELS["nothing"]
    assert len(labels) >= 240
    assert len(nothing) >= 40
    queries = [label["query"] for label in labels] + nothing
    assert len(queries) == len(set(queries))
    assert {slug for label in labels for slug in label["slugs"]} <= PUBLISHED
    limited = {slug for slug, (front, _) in ARTICLES.items() if "audience" in front}
    assert {label["slugs"][0] for label in labels} == PUBLISHED - limited, "the labels are a stranger's questions"


@pytest.mark.parametrize("entry", CONVERSATIONS, ids=lambda entry: entry["topic"])
def test_conversation_can_be_played(entry: dict[str, Any]) -> None:
    assert entry["outcome"] in {"resolved", "escalated", "refused", "clarified"}
    assert entry["category"] in CATEGORIES
    assert ("reason" in entry) == (entry["outcome"] == "escalated")
    turns = entry["turns"]
    assert 2 <= len(turns) <= 8
    assert turns[0]["role"] == "customer"
    for turn in turns:
        assert set(turn) <= {"role", "text", "tools", "sources"}
        assert turn["role"] in {"customer", "assistant", "staff"}
        assert set(turn.get("tools", [])) <= TOOLS
        assert set(turn.get("sources", [])) <= PUBLISHED
        used = set(re.findall(r"{(\w+)}", turn["text"]))
        assert used <= PLACEHOLDERS
        assert "order" in entry or not used & {"order_number", "tracking", "item", "return_number"}


def test_tickets_are_well_formed() -> None:
    assert len(TICKETS) >= 40
    for entry in TICKETS:
        assert entry["category"] in CATEGORIES
        assert entry["priority"] in {"low", "medium", "high", "urgent"}
        assert entry["status"] in {"open", "pending", "solved", "closed"}
        texts = " ".join((entry["subject"], entry["body"], entry.get("reply", "")))
        assert set(re.findall(r"{(\w+)}", texts)) <= PLACEHOLDERS


def test_every_journey_is_in_order_of_time() -> None:
    shipping = load(DEMO / "shipping.yaml")
    for kind, events in shipping["journeys"].items():
        hours = [event["after_hours"] for event in events]
        assert hours == sorted(hours), kind
        assert {event["location"] for event in events} <= {"origin", "hub", "depot", "local", "door"}


def test_people_come_from_everywhere_we_ship_to() -> None:
    people = load(DEMO / "people.yaml")
    assert len(people["first_names"]) * len(people["last_names"]) > 5_000
    assert all(isinstance(name, str) for name in people["first_names"] + people["last_names"])
    assert set(people["cities"]) == set(people["streets"]) == set(people["phones"]) == {"US", "CA", "EU"}
