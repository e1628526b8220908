"""Writes tests/data/gate_cases.jsonl: answers over canned tool results, and the same with one fact changed.

    python -m tests.agent.make_gate_cases

Deterministic. It knows nothing of the gate's own patterns: figures are found and changed by the plain rules below, in
sentences of the demo shop's articles and in answers about made-up orders.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).parents[2]
ARTICLES = ROOT / "tickets" / "demo" / "articles"
TARGET = ROOT / "tests" / "data" / "gate_cases.jsonl"
NOTICE = 'today: 2026-11-21 (Saturday), 10:00 UTC\ncustomer: verified, signed in as "maya.lindholm@example.com"'
UNITS = r"(?:business days?|days?|hours?|minutes?|weeks?|months?|years?)"
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
Json = dict[str, Any]


# --- a fact in a sentence, and another one in its place
def changed(sentence: str, chance: Random) -> tuple[str, str] | None:
    """The sentence with one fact changed, and what was changed; None when there is none to change."""
    places = [
        *re.finditer(r"(?P<money>\d[\d,]*\.\d{2})", sentence),
        *re.finditer(rf"(?P<day>\b\d{{1,2}}) (?:{MONTHS})\b", sentence),
        *re.finditer(rf"\b(?:{MONTHS}) (?P<day>\d{{1,2}})\b", sentence),
        *re.finditer(r"\d{4}-\d{2}-(?P<day>\d{2})", sentence),
        *re.finditer(rf"(?P<count>\b\d+)(?= {UNITS}\b)", sentence),
        *re.finditer(r"(?P<percent>\b\d+)(?= ?(?:%|percent))", sentence),
        *re.finditer(r"\b(?:AP-|ALD|INV-|R-|T-)(?P<code>\d+)", sentence),
        *re.finditer(r"/help/(?P<slug>[\w-]+)/", sentence),
    ]
    if not places:
        return None
    match = chance.choice(places)
    kind, old = next((kind, value) for kind, value in match.groupdict().items() if value)
    while (new := _another(kind, old, chance)) == old:
        pass
    start, end = match.span(kind)
    return f"{sentence[:start]}{new}{sentence[end:]}", f"{kind}: {old} -> {new}"


def _another(kind: str, old: str, chance: Random) -> str:
    if kind == "money":
        value = float(old.replace(",", ""))
        return f"{value + chance.choice([-1, 1, 2, 5, 10, 0.1, -0.35, 0.5 * value]):,.2f}".replace("-", "")
    if kind == "day":
        return str((int(old) + chance.randint(1, 26)) % 28 + 1).zfill(len(old))
    if kind == "count":
        return str(int(old) + chance.choice([1, 2, 3, 5, 6, 10, 20]))
    if kind == "percent":
        return str(int(old) + chance.choice([1, 5, 8, 13]))
    if kind == "code":
        place = chance.randrange(len(old))
        return old[:place] + str((int(old[place]) + chance.randint(1, 9)) % 10) + old[place + 1 :]
    return chance.choice(["secret-deals", "refund-now", "vip-returns", f"{old}-2026"])


# --- answers out of articles
def sections() -> list[Json]:
    """Every section of the help centre as a search hit without its number."""
    found: list[Json] = []
    for path in sorted(ARTICLES.glob("*.md")):
        _, head, body = path.read_text(encoding="utf-8").split("---\n", 2)
        title = next(line.split('"')[1] for line in head.splitlines() if line.startswith("title:"))
        for part in re.split(r"^## ", body, flags=re.MULTILINE):
            heading, _, words = part.partition("\n") if found and not part.startswith("\n") else ("", "", part)
            found.append(
                {
                    "title": title,
                    "url": f"/help/{path.stem}/",
                    "section": heading.strip(),
                    "snippet": words.strip()[:900],
                }
            )
    return found


def respelled(sentence: str, chance: Random) -> str:
    """The same facts as a model might write them."""
    if chance.random() < 0.4:
        sentence = re.sub(r"(?<![$\d.])(\d+\.\d{2})(?![\d.])", r"$\1", sentence)
    elif chance.random() < 0.3:
        sentence = re.sub(r"(?<![$\d.])(\d+\.\d{2})(?![\d.])(?! USD)", r"\1 USD", sentence)
    if chance.random() < 0.3:
        sentence = re.sub(rf"(\d+)[-–](\d+)(?= {UNITS})", r"\1 to \2", sentence)
    if chance.random() < 0.3:
        sentence = re.sub(r"(\d) ?%", r"\1 percent", sentence)
    if chance.random() < 0.3:
        sentence = re.sub(rf"(\d+) ({MONTHS})\b", r"\2 \1", sentence)
    if chance.random() < 0.2:
        sentence = re.sub(r"\b2 (?=weeks|years|days|hours)", "two ", sentence)
    return sentence


def article_answers(chance: Random) -> list[Json]:
    everything = sections()
    answers = []
    for section in everything:
        plain = re.sub(r"\[([^\]]+)\]\(([^)]+)\)", r"\1 (\2)", section["snippet"]).replace("**", "").replace("`", "")
        lines = [line for line in plain.splitlines() if line and not line.startswith(("|", "#", "!"))]
        sentences = [part for line in lines for part in re.split(r"(?<=[.!?]) +(?=[A-Z])", line)]
        telling = [s for s in sentences if re.search(r"\d|/help/", s) and s.endswith(".") and 20 < len(s) < 240]
        if not telling:
            continue
        hits = [section, *chance.sample(everything, 3)]
        facts = json.dumps({"status": "success", "results": [{"n": n, **hit} for n, hit in enumerate(hits, 1)]})
        answers += [
            {"facts": [NOTICE, facts], "answer": respelled(f"{sentence.strip('- ')} [1]", chance)}
            for sentence in chance.sample(telling, min(2, len(telling)))
        ]
    return chance.sample(answers, 160)


# --- answers about orders
def day(moment: datetime | date, chance: Random) -> str:
    month, weekday = moment.strftime("%B"), moment.strftime("%A")
    return chance.choice(
        [
            f"{moment.day} {month} {moment.year}", f"{month} {moment.day}, {moment.year}", f"{month} {moment.day}",
            f"{weekday}, {moment.day} {month}", f"{moment:%Y-%m-%d}", f"{moment.day} {month[:3]} {moment.year}",
            f"the {moment.day}{'st' if moment.day in {1, 21, 31} else 'th'} of {month}",
        ]
    )  # fmt: skip


def money(cents: int, chance: Random) -> str:
    plain = f"{cents / 100:,.2f}"
    return chance.choice([f"${plain}", f"{plain} USD", plain, f"US${plain}", f"USD {plain}", f"{plain} dollars"])


def order_answer(chance: Random) -> Json:
    placed = datetime(2026, 10, 1, 9, 12, tzinfo=UTC) + timedelta(hours=chance.randint(1, 1100))
    delivered = placed + timedelta(days=chance.randint(2, 8))
    until = (delivered + timedelta(days=30)).date()
    unit, count = chance.randint(900, 60_000), chance.randint(1, 3)
    total, back = unit * count + 495, unit - 490
    number, tracking = f"AP-{chance.randint(100000, 999999)}", f"ALD{chance.randint(10**9, 10**10 - 1)}"
    shipment = {"tracking_number": tracking, "carrier": "Cascade Post", "status": "delivered",
                "estimated_delivery": f"{delivered:%Y-%m-%d}",
                "delivered_at": f"{delivered:%Y-%m-%dT%H:%M:%SZ}"}  # fmt: skip
    line = {"sku": "TNT-2P-GRN", "name": "Ridgeline 2P Tent", "quantity": count, "unit_price": f"{unit / 100:.2f}"}
    order = {"order_number": number, "status": "delivered", "placed_at": f"{placed:%Y-%m-%dT%H:%M:%SZ}",
             "delivered_at": shipment["delivered_at"], "total": f"{total / 100:.2f}", "paid": f"{total / 100:.2f}",
             "refunded": "0.00", "currency": "USD", "lines": [line], "shipments": [shipment],
             "return_until": until.isoformat()}  # fmt: skip
    proposal = {"status": "pending_confirmation", "action_id": "5b0c1c9e-5f5e-4a36-8d5b-7f3f6f0f6a11",
                "summary": f"Return 1 item of {number}", "expires_in_minutes": 30,
                "preview": {"refund": f"{back / 100:.2f}", "fee": "4.90", "currency": "USD", "days": 7}}  # fmt: skip
    invoice = f"INV-{chance.randint(100000, 999999)}"
    customer = {"status": "success", "customer": {"name": "Maya Lindholm", "email": "maya.lindholm@example.com"},
                "billing": [{"invoice": invoice, "date": f"{placed:%Y-%m-%d}", "amount": f"{total / 100:.2f}",
                             "currency": "USD", "status": "paid", "order_number": number}]}  # fmt: skip
    words = chance.choice(
        [
            f"Your order {number} arrived on {day(delivered, chance)}.",
            f"Parcel {tracking} was delivered on {day(delivered, chance)} by Cascade Post.",
            f"You placed {number} on {day(placed, chance)} and paid {money(total, chance)}.",
            f"You can return it until {day(until, chance)}.",
            f"Each tent was {money(unit, chance)}, so the order came to {money(total, chance)}.",
            f"After the fee of {money(490, chance)} you get {money(back, chance)} back. The card waits 30 minutes.",
            f"Invoice {invoice} over {money(total, chance)} is dated {day(placed, chance)} and paid.",
            f"{number} was due on {day(delivered, chance)}; its number is {tracking}.",
        ]
    )
    facts = [NOTICE, *(json.dumps(f) for f in ({"status": "success", "order": order}, proposal, customer))]
    return {"facts": facts, "answer": words}


def cases() -> list[Json]:
    """Each answer with its facts and, where there is one to change, the same answer with one fact changed."""
    chance = Random(20261121)
    found = [*article_answers(chance), *(order_answer(chance) for _ in range(160))]
    for case in found:
        if (other := changed(case["answer"], chance)) is not None:
            case["changed_answer"], case["change"] = other
    return found


if __name__ == "__main__":
    TARGET.write_text("".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases()), encoding="utf-8")
