"""`manage.py seed_demo`: fill an empty database with the demo shop, and print who can sign in."""

from __future__ import annotations

from typing import Any

from support_agent.demo.cast import print_cast, the_cast
from support_agent.demo.seed import seed_demo
from support_agent.management.base import OpsCommand


class Command(OpsCommand):
    help = "Fills the database with the demo shop (once; safe to repeat) and prints the demo logins."

    def handle(self, *args: Any, **options: Any) -> None:
        made = seed_demo()
        cast = the_cast()
        if options["json"]:
            self.print_json(cast)
        else:
            print_cast(cast, self.stdout.write, made=made)
