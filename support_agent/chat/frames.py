"""What a client may send over the socket, checked before anything happens.

JSON clients send real types; the page's forms send strings ("true", "5"), so only that format is read leniently.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import QueryDict
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator

MAX_BYTES = 64 * 1024
CODES = {"not_allowed": "not_found", "not_eligible": "conflict"}  # to those the contract has
LISTS = {"attachments"}


class FrameError(Exception):
    """A frame that cannot be used; `code` is bad_frame or unknown_type."""

    def __init__(self, code: str, message: str, client_message_id: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.client_message_id = client_message_id


class Frame(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class MessageFrame(Frame):
    type: Literal["message"]
    client_message_id: UUID
    text: str
    attachments: list[UUID] = []


class ConfirmFrame(Frame):
    type: Literal["confirm"]
    action_id: UUID
    token: str
    approve: bool


class UndoFrame(Frame):
    type: Literal["undo"]
    action_id: UUID


class RenewFrame(Frame):
    type: Literal["renew"]
    action_id: UUID


class VerifyFrame(Frame):
    """An address, or a code, or `again`: another code to the address of the last one."""

    type: Literal["verify"]
    email: str = Field("", max_length=254)
    code: str = Field("", max_length=40)
    again: bool = False


class ContactFrame(Frame):
    type: Literal["contact"]
    email: str = Field(max_length=254)


class ReadFrame(Frame):
    type: Literal["read"]
    seq: int = Field(ge=0)


class FeedbackFrame(Frame):
    type: Literal["feedback"]
    message_id: UUID
    helpful: bool
    reason: str = Field("", max_length=500)
    cause: Literal["", "wrong", "off_topic", "unclear", "no_help"] = ""


class SurveyFrame(Frame):
    """A rating, or `dismiss`: not now, and not again."""

    type: Literal["survey"]
    rating: int | None = Field(None, ge=1, le=5)
    comment: str = Field("", max_length=1000)
    dismiss: bool = False

    @field_validator("comment", mode="before")
    @classmethod
    def _no_comment(cls, value: Any) -> Any:
        return "" if value is None else value

    @model_validator(mode="after")
    def _says_something(self) -> SurveyFrame:
        if self.rating is None and not self.dismiss:
            raise ValueError("a rating from 1 to 5 is needed")
        return self


class PlainFrame(Frame):
    type: Literal["stop", "human", "typing", "close", "ping"]


AnyFrame = (
    MessageFrame
    | ConfirmFrame
    | UndoFrame
    | RenewFrame
    | VerifyFrame
    | ContactFrame
    | ReadFrame
    | FeedbackFrame
    | SurveyFrame
    | PlainFrame
)
_adapter: TypeAdapter[AnyFrame] = TypeAdapter(Annotated[AnyFrame, Field(discriminator="type")])


def of_form(form: QueryDict) -> str:
    """A form's fields as the text of a frame, the way htmx puts them on the socket."""
    return json.dumps(
        {name: values if name in LISTS or len(values) > 1 else "".join(values) for name, values in form.lists()}
    )


def error_frame(code: str, message: str, about: dict[str, Any], retry_after: int | None = None) -> dict[str, Any]:
    """The passing frame `error`; `about` is the frame it answers, whose client_message_id it carries."""
    error: dict[str, Any] = {"type": "error", "code": CODES.get(code, code), "message": message}
    if about.get("client_message_id"):
        error["client_message_id"] = about["client_message_id"]
    if retry_after is not None:
        error["retry_after"] = retry_after
    return error


def parse(text: str, *, lenient: bool) -> AnyFrame:
    """The frame in `text`; raises FrameError with a sentence that names what is wrong."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise FrameError("bad_frame", "A frame must be one JSON object.") from None
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        raise FrameError("bad_frame", "A frame must be a JSON object with a type.")
    message_id = data.get("client_message_id")
    echo = message_id[:64] if isinstance(message_id, str) and message_id.isascii() else ""  # no half characters
    try:
        return _adapter.validate_json(text, strict=not lenient)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "union_tag_invalid":
            raise FrameError("unknown_type", "There is no frame of this type.", echo) from None
        field = ".".join(str(part) for part in first["loc"][1:]) or "frame"
        raise FrameError("bad_frame", f"{field}: {first['msg']}.", echo) from None
