#!/usr/bin/env python
"""Django's command line. Without DATABASE_URL or REDIS_URL it uses the embedded servers of DATA_DIR."""

import os
import signal
import sys

WITHOUT_SERVERS = {"help", "version", "check", "collectstatic", "findstatic", "makemessages", "compilemessages"}

# They change tables, dump them, or work in databases of their own, which a pooler in transaction mode does not bear.
WHOLE_SESSIONS = {"migrate", "dbshell", "backup", "restore", "run_evals", "bench_ops"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "support_agent.settings")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    from support_agent.embedded import servers
    from support_agent.env import env

    needed = len(sys.argv) > 1 and sys.argv[1] not in WITHOUT_SERVERS and "--help" not in sys.argv
    if needed and sys.argv[1] in WHOLE_SESSIONS:
        from support_agent.launch.direct import past_the_pooler

        past_the_pooler()
    postgres, valkey = needed and not env.database_url, needed and not env.redis_url
    if postgres or valkey:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that leaving stops what was started
    with servers(env.data_dir, postgres=postgres, valkey=valkey):
        try:
            execute_from_command_line(sys.argv)
        except OperationalError:
            from support_agent.launch.checks import database_trouble

            if env.database_url and (trouble := database_trouble(env.database_url)):
                sys.exit(trouble)  # the pool only says that it waited
            raise


if __name__ == "__main__":
    main()
