"""What every form of the events can do, and how a socket gets its own."""

from __future__ import annotations

from typing import Any, Protocol
from uuid import UUID

from support_agent.chat.renderers.html import HtmlRenderer
from support_agent.chat.renderers.json import JsonRenderer

Json = dict[str, Any]


class Renderer(Protocol):
    """Turns what a socket has to say into text frames. One per socket: it may remember what it has shown."""

    lenient: bool
    language: str

    def event(self, event: Json) -> str:
        """A persistent event; an action that waits for its owner carries its token already."""

    def frame(self, frame: Json) -> str | None:
        """A passing frame, or None when this form has nothing to show for it."""

    def error(self, frame: Json, about: Json) -> str:
        """An error, with the part of the client's own frame that says where to show it."""


def renderer_for(name: str, conversation_id: UUID) -> Renderer:
    """The renderer of `?format=`; anything but html is JSON. `lenient` says that the client's values are strings."""
    return HtmlRenderer(conversation_id) if name == "html" else JsonRenderer()
