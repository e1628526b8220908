"""The gate between the model's stream and the customer's eyes: text passes sentence by sentence, each one checked.

Once a sentence fails, nothing more passes; the rest of the call is still read, so that all its issues are known.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from support_agent.agent.critic import Issue, check_sentence
from support_agent.agent.evidence import Evidence

# A sentence ends with its mark and a blank, or with a line break. "e.g. 5" and "No. 5" do not end one.
_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<!\bNo)(?<!\bvs)(?<=[.!?…])[\"')\]]*(?:\s?\[\d{1,2}\])*\s+(?=\S)|\n+")

Show = Callable[[str], Awaitable[None]]


class Gate:
    """One model call's text. `shown` is what passed; `issues` why the rest did not."""

    def __init__(self, evidence: Evidence, show: Show, *, lead: str = "") -> None:
        self._evidence, self._show = evidence, show
        self._lead = lead  # what must precede the first shown text: the blank line after an earlier call's
        self._held = ""
        self.text = ""
        self.shown = ""
        self.issues: list[Issue] = []

    async def feed(self, text: str) -> None:
        """Take streamed text; whole sentences that pass are shown."""
        self.text += text
        self._held += text
        position = 0
        for match in _END.finditer(self._held):
            await self._pass(self._held[position : match.end()])
            position = match.end()
        self._held = self._held[position:]

    async def close(self) -> None:
        """The stream ended: check and show what is left, without trailing blanks."""
        await self._pass(self._held)
        self._held = ""

    async def _pass(self, sentence: str) -> None:
        self.issues += check_sentence(sentence, self._evidence)
        if self.issues:
            return
        # Blanks wait for the text after them, so that what was shown is a prefix of the stripped final text.
        ready = self._lead + sentence if self._lead or self.shown else sentence.lstrip()
        kept = ready.rstrip()
        if kept.strip():
            await self._show(kept)
            self.shown += kept
            self._lead = ready[len(kept) :]
        else:
            self._lead = ready if self.shown or self._lead else ""
