"""The payloads of tests/data/xss.txt."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FILE = ROOT / "tests" / "data" / "xss.txt"
_SIGN = re.compile(r"\\u\{([0-9A-F]+)\}")


def families() -> dict[str, list[str]]:
    """The payloads by family, in the order of the file."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in FILE.read_text().split("\n")[2:]:
        if re.fullmatch(r"# [a-z][a-z ]*", line):
            name = line[2:]
        elif line:
            found.setdefault(name, []).append(_SIGN.sub(lambda sign: chr(int(sign[1], 16)), line))
    return found


PAYLOADS = [payload for family in families().values() for payload in family]
