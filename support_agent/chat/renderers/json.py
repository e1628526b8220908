"""Events and frames as the contract words them."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]


class JsonRenderer:
    lenient = False
    language = "en"  # its frames hold no words of ours but those they were made with

    def event(self, event: Json) -> str:
        return _dump(event)

    def frame(self, frame: Json) -> str | None:
        return None if frame["type"] == "thanks" else _dump(frame)

    def error(self, frame: Json, about: Json) -> str:
        return _dump(frame)


def _dump(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
