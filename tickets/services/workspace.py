"""Changes of the workspace: by admins, each audited field by field."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction

from tickets.access import require_role
from tickets.errors import DeskError
from tickets.models import Role, Team, User, Workspace
from tickets.services.attachments import reencoded
from tickets.services.audit import audit
from tickets.workspace import forget

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MAX_LOGO_BYTES = 1024 * 1024
LOGO_HEIGHT, WIDEST = 96, 6.0  # four times the height it is shown at; a wider one would push the menu away
ICON_SIDE = 180
SHOWN_HEIGHT = 24


@transaction.atomic
def workspace_change(*, staff: User, values: Mapping[str, Any]) -> list[str]:
    """Keep these values, checked already (`ops.workspace_form`); the names of those that are other than before."""
    require_role(staff, Role.ADMIN.value)
    row, _ = Workspace.objects.select_for_update().get_or_create(pk=1)
    changes = {
        name: (getattr(row, name), value)
        for name, value in values.items()
        if _bytes_of(getattr(row, name)) != _bytes_of(value)
    }
    if not changes:
        return []
    for name, (_before, value) in changes.items():
        setattr(row, name, value)
    row.save()
    told = {name: pair for name, pair in changes.items() if name not in ("logo", "icon")}  # their digest tells
    audit(actor=staff, action="workspace.change", obj=row, changes=told)
    transaction.on_commit(forget)
    return list(told)


@transaction.atomic
def team_change(*, staff: User, team: Team, name: str, email: str) -> bool:
    """What a team is called, and where its escalations are announced; whether that is other than before."""
    require_role(staff, Role.ADMIN.value)
    team = Team.objects.select_for_update().get(pk=team.pk)
    wanted = {"name": name, "email": email}
    changes = {key: (getattr(team, key), value) for key, value in wanted.items() if getattr(team, key) != value}
    for key, (_, value) in changes.items():
        setattr(team, key, value)
    if changes:
        team.save(update_fields=list(changes))
        audit(actor=staff, action="team.change", obj=team, changes=changes)
    return bool(changes)


def logo_values(content: bytes) -> dict[str, Any]:
    """The columns of a logo from an uploaded image; nothing of the file itself is kept. Raises DeskError.

    An SVG can hold scripts, so pictures alone are taken (PNG, JPEG, WebP), decoded and written anew as PNG.
    """
    from PIL import Image  # loaded with the first picture

    if len(content) > MAX_LOGO_BYTES:
        raise DeskError(f"A logo may have {MAX_LOGO_BYTES // 1024 // 1024} MB at most.")
    clean, _kind = reencoded(content)
    image = Image.open(io.BytesIO(clean)).convert("RGBA")
    if box := image.getchannel("A").getbbox():
        image = image.crop(box)  # an empty margin would make the mark look small
    if image.width > WIDEST * image.height or image.height > 2 * image.width:
        raise DeskError("A logo is at most six times as wide as high, and at most twice as high as wide.")
    if image.height < SHOWN_HEIGHT:
        raise DeskError(f"That logo is only {image.height} pixels high; it needs {SHOWN_HEIGHT}, better {LOGO_HEIGHT}.")
    height = min(image.height, LOGO_HEIGHT)
    logo = _png(image.resize((max(1, round(image.width * height / image.height)), height)))
    icon = _png(_square(image))
    return {
        "logo": logo,
        "icon": icon,
        "logo_digest": hashlib.sha256(logo).hexdigest()[:16],
        "logo_width": max(1, round(image.width * SHOWN_HEIGHT / image.height)),
    }


NO_LOGO: dict[str, Any] = {"logo": b"", "icon": b"", "logo_digest": "", "logo_width": SHOWN_HEIGHT}


def _square(image: Picture) -> Picture:
    from PIL import Image

    side = ICON_SIDE
    image = image.copy()
    image.thumbnail((side, side))
    ground = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    ground.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return ground


def _png(image: Picture) -> bytes:
    out = io.BytesIO()
    image.save(out, format="PNG", optimize=True)
    return out.getvalue()


def _bytes_of(value: Any) -> Any:
    """A binary column comes as memoryview."""
    return bytes(value) if isinstance(value, memoryview) else value
