"""`python -m support_agent.launch.prepare`: migrations, static files and demo data, in one process.

Remembers, for the next start, that it is done.
"""

from __future__ import annotations

import os
import sys

import django

from support_agent.env import env
from support_agent.launch.stamp import remember


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "support_agent.settings")
    django.setup()
    from django.conf import settings

    _migrate()
    if not settings.DEBUG:
        _collect_static()
    remember(env, settings.DATABASE_URL, _seed() if settings.DEMO else {})


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _migrate() -> None:
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        _say("Preparing the database …")
        call_command("migrate", interactive=False, verbosity=0)


def _collect_static() -> None:
    from django.core.management import call_command

    _say("Collecting static files …")
    call_command("collectstatic", interactive=False, verbosity=0)


def _seed() -> dict[str, str]:
    """Write the demo's shop once; who can sign in, as far as fits a screen."""
    from django.core.management import call_command

    from support_agent.demo.cast import the_cast
    from tickets.models import Customer

    if not Customer.objects.exists():
        _say("Writing the demo's shop …")
        with open(os.devnull, "w") as nowhere:
            call_command("seed_demo", stdout=nowhere)
    cast = the_cast()
    logins = {f"Customer {n}": f"{c['email']} / {c['password']}" for n, c in enumerate(cast["customers"][:2], 1)}
    for person in cast["staff"]:  # the first of each role
        logins.setdefault(f"Staff {person['role']}", f"{person['username']} / {person['password']}")
    return logins


if __name__ == "__main__":
    main()
