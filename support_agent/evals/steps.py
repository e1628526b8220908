"""The steps of a case: the customer writes, clicks or proves who they are; the record changes; time passes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from support_agent.evals.strict import Strict

Kind = Literal["png", "jpeg", "webp", "gif", "torn", "page"]
_SPAN = re.compile(r"(\d{1,4}) (minute|hour|day)s?")


def _span(written: Any) -> Any:
    if not isinstance(written, str):
        return written
    found = _SPAN.fullmatch(written.strip())
    if found is None:
        raise ValueError(f"“{written}” is no span of time: write “31 minutes”, “5 hours” or “27 days”")
    return timedelta(**{f"{found[2]}s": int(found[1])})


def _image(written: Any) -> Any:
    return {"shows": written} if isinstance(written, str) else written


class Picture(Strict):
    """An image that is drawn for the case: the words on it, and what the file is. `torn` ends early, `page` is HTML."""

    shows: str = Field(max_length=300)
    kind: Kind = "png"
    name: str = "photo.png"


class Step(Strict):
    """One thing that happens. A message may have words (`times` over), an image, or both; `of` says which tool's newest
    offer is clicked; `change` maps a record, `customer` or an article's title to what became of it; `refused` is the
    code with which the desk must refuse the step, and then the case goes on."""

    say: str | None = None
    times: int = Field(1, ge=1)
    image: Annotated[Picture | None, BeforeValidator(_image)] = None
    click: Literal["confirm", "decline", "undo"] | None = None
    of: str = ""
    sign_in: bool = False
    human: bool = False  # presses “Talk to a person”
    change: dict[str, str] = {}
    wait: Annotated[timedelta | None, BeforeValidator(_span)] = None
    refused: str = ""

    @model_validator(mode="after")
    def _is_one_thing(self) -> Step:
        is_message = self.say is not None or self.image is not None
        others = (bool(self.click), self.sign_in, self.human, bool(self.change), self.wait is not None)
        if is_message + sum(others) != 1:
            raise ValueError("a step is one of say (with or without image), click, sign_in, human, change, wait")
        if self.of and not self.click:
            raise ValueError("`of` says which offer is clicked, so it needs `click`")
        if self.refused and not (is_message or self.click):
            raise ValueError("only a message or a click can be `refused`")
        return self
