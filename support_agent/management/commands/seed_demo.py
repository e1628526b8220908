"""`manage.py seed_demo`: fill an empty database with the demo shop, and print who can sign in."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from support_agent.demo.cast import print_cast, the_cast
from support_agent.demo.seed import seed_demo


class Command(BaseCommand):
    help = "Fill the database with the demo shop (once; safe to repeat) and print the demo logins."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the cast as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        made = seed_demo()
        cast = the_cast()
        if options["json"]:
            self.stdout.write(json.dumps(cast, indent=2, ensure_ascii=False))
        else:
            print_cast(cast, self.stdout, made=made)
