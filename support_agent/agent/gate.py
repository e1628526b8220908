"""The gate between the model's stream and the customer's eyes: text passes sentence by sentence, each one checked.

Once a sentence fails, nothing more passes; the rest of the call is still read, so that all its issues are known.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from support_agent.agent.critic import Issue, check_sentence
from support_agent.agent.evidence import Evidence

# A sentence ends with its mark, a blank and what does not look like its rest ("e.g. 5", "Nov. 2026", "3. März"), or
# with a line.
_END = re.compile(
    r"(?<=[.!?…؟])(?<![\s(]\d\.)(?<![\s(]\d\d\.)(?<!\A\d\.)(?<!\A\d\d\.)[\"')\]*_]*(?:\s?\[\d{1,2}\])*\s+(?=[^\s\da-z\[])|(?<=[。！？])|\n+"
)
_MARKS = re.compile(r"[.!?…؟。！？\n]")  # without one of these in it, no sentence has ended
OVERLAP = 200  # characters before a sentence in which a quotation may have begun

Show = Callable[[str], Awaitable[None]]


class Gate:
    """One model call's text. `issues` say why no more of it passes."""

    def __init__(self, evidence: Evidence, show: Show, *, lead: str = "", inside: frozenset[str] = frozenset()) -> None:
        """`lead` is shown before the first text: the blank line after an earlier call's; `inside` is never quoted."""
        self._evidence, self._show, self._lead, self._inside = evidence, show, lead, inside
        self._held = ""
        self._may_end = False
        self._passed = ""
        self._shown = 0
        self.issues: list[Issue] = []

    async def feed(self, text: str) -> None:
        """Take streamed text; whole sentences that pass are shown."""
        self._held += text
        self._may_end = self._may_end or bool(_MARKS.search(text))
        if not self._may_end:
            return
        position = 0
        for match in _END.finditer(self._held):
            self._check(self._held[position : match.end()])
            position = match.end()
        if position:
            self._held = self._held[position:]
            self._may_end = bool(_MARKS.search(self._held))
            await self.show()

    def finish(self) -> None:
        """The stream ended: check what is left. `show` shows it."""
        self._check(self._held)
        self._held = ""

    async def show(self) -> None:
        """Show what passed and is not shown yet. Outer blanks are left out: the final text has none."""
        visible = self._passed.strip()
        fresh, lead = visible[self._shown :], "" if self._shown else self._lead
        if fresh:
            self._shown = len(visible)
            await self._show(lead + fresh)

    def _check(self, sentence: str) -> None:
        before = self._passed[-OVERLAP:]
        self.issues += check_sentence(sentence, self._evidence, before=before, inside=self._inside)
        if not self.issues:
            self._passed += sentence
