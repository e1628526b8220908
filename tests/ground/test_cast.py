"""The cast stands, in the database and behind the sign-in."""

from __future__ import annotations

from django.test import Client

from tests.cast import PASSWORD, Cast


def test_everyone_can_sign_in(cast: Cast) -> None:
    for user in (cast.owner_user, cast.other_user, cast.stranger, cast.agent, cast.lead, cast.ops, cast.admin):
        assert Client().login(username=user.get_username(), password=PASSWORD)
