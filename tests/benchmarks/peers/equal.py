"""What every peer is given so that its calls equal the product's: its system prompt and its tools, as one JSON file.

    python -m tests.benchmarks.peers.equal FILE

`{"model", "max_tokens", "system", "tools"}` as in the product's request for a plain question about an order, and
`result`, what the tool answers: the text of one parcel's way.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import django

MODEL = "claude-haiku-5-5"
RESULT = {
    "status": "success",
    "order_number": "AP-104233",
    "order_status": "shipped",
    "shipments": [
        {
            "tracking_number": "ALD1000000233",
            "carrier": "Cascade Post",
            "status": "in_transit",
            "estimated_delivery": "2026-11-24",
            "delivered_at": None,
            "items": ["Ridge 45 backpack, moss"],
            "events": [
                {"at": "2026-11-20T07:12:00Z", "location": "Tacoma, WA", "description": "Departed sorting centre"},
                {"at": "2026-11-19T16:40:00Z", "location": "Portland, OR", "description": "Picked up from the shop"},
            ],
        }
    ],
}


def equal() -> dict[str, Any]:
    """The file's content; Django must be set up, for the tools are the desk's."""
    from support_agent.agent import identifiers
    from support_agent.agent.config import EngineConfig
    from support_agent.agent.routing import READ
    from support_agent.agent.types import ModelRequest, Tier
    from support_agent.llm.request import build_body
    from support_agent.tools import ALL

    identifiers.use(lambda: identifiers.DEMO)  # as in a workspace that nobody changed, without asking its database
    config = EngineConfig()
    request = ModelRequest(
        tier=Tier.SMALL,
        system=config.system("assistant"),
        messages=[],
        max_tokens=config.answer_max_tokens,
        tools=[ALL[name].schema() for name in READ],
        timeout_s=config.answer_timeout_s,
    )
    body = build_body(request, MODEL)
    kept = {key: body[key] for key in ("model", "max_tokens", "system", "tools")}
    return {**kept, "result": json.dumps(RESULT, separators=(",", ":"))}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    Path(sys.argv[1]).write_text(json.dumps(equal()), "utf-8")
