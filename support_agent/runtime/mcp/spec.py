"""How a server is reached, as plain values that another thread may hold; and the checks on what staff enter."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from support_agent.models import McpServer
from tickets.sealing import seal, unseal

PURPOSE = "mcp servers"
MAX_BYTES = 1_000_000
"""What a server may send between two requests of ours (stdio), or as one response (http)."""


class Trouble(Exception):
    """A server could not be asked or gave no answer, in a sentence of ours; `sent` when a request may have arrived."""

    def __init__(self, sentence: str, *, sent: bool = False) -> None:
        super().__init__(sentence)
        self.sent = sent


@dataclass(frozen=True)
class Spec:
    """Equal specs share a session; whatever staff change makes another."""

    name: str
    transport: str
    argv: tuple[str, ...]
    url: str
    secrets: tuple[tuple[str, str], ...]  # environment, or headers
    cwd: Path


def spec_of(server: McpServer) -> Spec:
    """Raises Unreadable, or Trouble for a command that may not be run."""
    is_stdio = server.transport == McpServer.Transport.STDIO
    return Spec(
        name=server.name,
        transport=server.transport,
        argv=(command_of(server.command), *server.arguments) if is_stdio else (),
        url="" if is_stdio else server.url,
        secrets=tuple(sorted(_secrets(server.sealed).items())),
        cwd=Path(settings.DATA_DIR) / "mcp" / server.name,
    )


def sealed_secrets(values: Mapping[str, str]) -> str:
    """Variables or headers as McpServer keeps them; '' for none."""
    return seal(json.dumps(dict(values)) if values else "", purpose=PURPOSE)


def _secrets(sealed: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(unseal(sealed, purpose=PURPOSE) or "{}")
    return found


def command_of(command: str) -> str:
    """The program's absolute path. Raises Trouble when it may not, or cannot, be run."""
    allowed: Sequence[str] = settings.MCP_COMMANDS
    if allowed and command not in allowed:
        raise Trouble(f"“{command[:80]}” is not in MCP_COMMANDS, which lists the programs that may be started.")
    if not allowed and not os.path.isabs(command):
        raise Trouble("A program is an absolute path, such as /usr/local/bin/stock, or a name that MCP_COMMANDS lists.")
    found = shutil.which(command)
    if found is None:
        raise Trouble(f"“{command[:80]}” is no program that can be run on this machine.")
    return found


def is_address(url: str) -> bool:
    """Whether it is an http(s) address without a name and password in it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
