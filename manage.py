#!/usr/bin/env python
"""Django's command line, with the embedded PostgreSQL of DATA_DIR at hand when DATABASE_URL names none."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "support_agent.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
