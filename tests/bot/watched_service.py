"""A service as a process of its own, for tests that kill it: real store, channel and runs.

Its mind is small and its runs are a module of the test's: what is tried is what survives a kill.
"""

import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from bot.admin_training import Training
from bot.app import build
from bot.fakes import tiny_mind
from core.settings import Settings
from training.jobs import Jobs

#: Seconds between two looks for runs that nobody follows, beside the service's own.
TOLD = 0.5


def main(url: str, telegram: str, runs: str, entry: str) -> None:
    """Poll, answer and tell until killed. `runs` is where runs lie, `entry` what they are."""
    given = {
        "database_url": url,
        "admins": "telegram:1",
        "telegram_bot_token": "987654321:AAwatched-service",
        "telegram_api_base": telegram,
        "releases": str(Path(runs) / "releases"),
        "lease_seconds": 1.0,
        "send_timeout": 2.0,
    }
    app = build(Settings.model_validate(given), mind=tiny_mind(ask_consent=False))
    jobs = Jobs(Path(runs), entry)
    app.desk.training = Training(jobs, "unused")
    app.progress = replace(app.progress, jobs=jobs, every=0.3)
    app.run_told = replace(app.run_told, jobs=jobs)
    app.start_working()
    app.runner.every("told", TOLD, lambda: app.run_told.tick(time.time()))
    app.start_receiving()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
