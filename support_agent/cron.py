"""What happens by the clock: `manage.py rqcron` reads this. Every job is safe to run twice."""

from __future__ import annotations

from rq.cron import register

from support_agent.runtime import jobs

register(jobs.expire_actions, "default", interval=15, result_ttl=60)  # often: the scheduler's sign of life goes by it
register(jobs.run_sweep, "default", interval=60, result_ttl=60)
register(jobs.run_breakers, "default", interval=60, result_ttl=60)
