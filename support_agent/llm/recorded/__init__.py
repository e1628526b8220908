"""Recorded traffic with the Messages API: kept once in a cassette, with nobody in it, and replayed strictly.

    with recording(path, live_transport(), hiding=…) as tape: …      # passes everything on, and listens
    with replaying(path, hiding=…) as tape: …                        # no network; any difference is an error

`tape` is the transport of a model client. Conversations that run side by side each say who they are:

    with conversation("where-is-my-order") as begun: …               # begun.at: when it began, also when it is replayed
"""

from support_agent.llm.recorded.cassette import CassetteError, load
from support_agent.llm.recorded.difference import Difference, ReplayError
from support_agent.llm.recorded.recorder import recording
from support_agent.llm.recorded.replayer import Replaying, replaying
from support_agent.llm.recorded.tape import Begun, conversation, know, running
from support_agent.llm.recorded.values import Hiding, Rule

__all__ = [
    "Begun",
    "CassetteError",
    "Difference",
    "Hiding",
    "ReplayError",
    "Replaying",
    "Rule",
    "conversation",
    "know",
    "load",
    "recording",
    "replaying",
    "running",
]
