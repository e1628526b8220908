"""`manage.py staff_reset_mfa <username>`: for who lost telephone and recovery codes, when no admin can sign in."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from support_agent.management.base import OpsCommand
from support_agent.sign_in.people import factors_reset
from tickets.models import User


class Command(OpsCommand):
    help = "Takes every second factor from a member of staff and ends their sessions; they set up a new one next."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="whose")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username, is_staff=True).first()
        if user is None:
            raise CommandError(f"there is no member of staff called {username!r}", returncode=2)
        number = factors_reset(user=user, actor=None)
        if options["json"]:
            return self.print_json({"username": username, "factors": number})
        self.stdout.write(f"{username}: {number} taken away. They set up a second factor at their next sign-in.")
