"""Request bodies, read strictly: what PostgreSQL or a log could choke on never gets further than here."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser


class StrictParser(Parser):
    """One JSON object of RFC 8259, without NaN and half characters. Ninja answers 400 to whatever is raised here."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        data = json.loads(request.body, parse_constant=_no_number, parse_float=_finite)
        json.dumps(data, ensure_ascii=False).encode()  # half of a surrogate pair is no character
        if not isinstance(data, dict):
            raise ValueError("not an object")
        return data


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text[:20]} is out of range")
    return number


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
