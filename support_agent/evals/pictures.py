"""The images of cases, drawn when they are sent: small, and of every kind that customers send by mistake."""

from __future__ import annotations

import io

from support_agent.evals.steps import Picture

WIDTH, LINE, MARGIN = 480, 18, 12


def drawn(picture: Picture, shows: str) -> bytes:
    """The file's bytes; `shows` are the words on it with their placeholders filled."""
    if picture.kind == "page":
        return f"<!doctype html><script>alert(1)</script><p>{shows}</p>".encode()
    whole = _encoded(shows, "png" if picture.kind == "torn" else picture.kind)
    return whole[: len(whole) // 2] if picture.kind == "torn" else whole


def _encoded(shows: str, kind: str) -> bytes:
    from PIL import Image, ImageDraw  # loaded with the first picture

    lines = [shows[at : at + 60] for at in range(0, len(shows), 60)] or [""]
    image = Image.new("RGB", (WIDTH, 2 * MARGIN + LINE * len(lines)), "white")
    pen = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        pen.text((MARGIN, MARGIN + LINE * number), line.encode("ascii", "replace").decode(), fill="black")
    out = io.BytesIO()
    image.save(out, format=kind.upper())
    return out.getvalue()
