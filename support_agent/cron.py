"""What happens by the clock: `manage.py rqcron` reads this. Every job is safe to run twice."""

from __future__ import annotations

from rq.cron import register

from support_agent.privacy import jobs as privacy
from support_agent.runtime import jobs

register(jobs.expire_actions, "default", interval=15, result_ttl=60)  # often: the scheduler's sign of life goes by it
register(jobs.look_after_effects, "default", interval=10, result_ttl=60)  # somebody looks at the card meanwhile
register(jobs.run_sweep, "default", interval=60, result_ttl=60)
register(jobs.run_breakers, "default", interval=60, result_ttl=60)
register(jobs.mail_replies, "mail", interval=30, result_ttl=60)
register(jobs.chase_promises, "default", interval=30, result_ttl=60)
register(jobs.route, "default", interval=20, result_ttl=60)  # what nobody took within minutes is not to wait for more
register(jobs.chase, "default", interval=30, result_ttl=60)
register(jobs.assume_resolutions, "default", interval=600, result_ttl=60)
register(jobs.send_webhooks, "default", interval=30, result_ttl=60)
register(jobs.run_alerts, "default", interval=60, result_ttl=60)
register(jobs.run_rollups, "long", interval=300, result_ttl=60)
register(jobs.draw_spot_checks, "default", interval=3600, result_ttl=60)  # draws once a day
register(privacy.resume_erasures, "long", interval=300, result_ttl=60, job_timeout=3600)
register(privacy.run_purge, "long", cron="20 3 * * *", result_ttl=60, job_timeout=3600)  # at night, UTC
register(jobs.mine_gaps, "long", cron="10 2 * * *", result_ttl=60, job_timeout=1800)
register(jobs.run_nightly_evals, "default", cron="40 1 * * *", result_ttl=60)  # its runs are jobs of the queue evals
