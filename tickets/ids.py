"""Identifiers: UUIDs that sort by time, and the short references people read aloud."""

from __future__ import annotations

import secrets
import time
import uuid

# No 0/O, 1/I/L, 5/S, 8/B, U: what people confuse when they read a reference over the phone.
REFERENCE_LETTERS = "2346 79ACDEFGHJKMNPQRTVWXYZ".replace(" ", "")


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562): rows created together lie together in their index."""
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return uuid.UUID(int=value)


def new_reference() -> str:
    """A conversation's short name, like K7F-42P; the caller retries on the rare collision."""
    letters = [secrets.choice(REFERENCE_LETTERS) for _ in range(6)]
    return "".join(letters[:3]) + "-" + "".join(letters[3:])
