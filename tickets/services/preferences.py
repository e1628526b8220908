"""How each member of staff likes their inbox."""

from __future__ import annotations

from django.db import transaction

from tickets.errors import NotFound
from tickets.models import StaffProfile, User
from tickets.services.audit import audit


@transaction.atomic
def preferences_set(*, staff: User, sound: bool | None = None, shortcuts: bool | None = None) -> None:
    """Sound and keys of one letter; None leaves one as it is. Raises NotFound without a profile."""
    profile = StaffProfile.objects.select_for_update().filter(user=staff).first()
    if profile is None:
        raise NotFound("You have no staff profile.")
    wanted = {"sound": sound, "shortcuts": shortcuts}
    changes = {
        name: (getattr(profile, name), value)
        for name, value in wanted.items()
        if value is not None and value != getattr(profile, name)
    }
    for name, (_, value) in changes.items():
        setattr(profile, name, value)
    if changes:
        profile.save(update_fields=list(changes))
        audit(actor=staff, action="staff.preferences", obj=profile, changes=changes)
