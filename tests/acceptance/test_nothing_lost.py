"""Deliveries, faults and kills: everything accepted is answered, in order, once.

`ACCEPTANCE_DELIVERIES` sets the size; `python -m tests.acceptance.run` runs it at full size.
"""

import json
import os
from pathlib import Path

import pytest

from tests.acceptance.run import kill, nothing_lost, postgres

DELIVERIES = int(os.environ.get("ACCEPTANCE_DELIVERIES", "300"))


@pytest.mark.slow
def test_one_process_on_sqlite_killed_three_times(tmp_path: Path) -> None:
    found = nothing_lost(tmp_path, f"sqlite:///{tmp_path}/lafiya.db", DELIVERIES)
    assert found["fine"], json.dumps(found)


@pytest.mark.slow
@pytest.mark.postgres
def test_web_and_workers_apart_with_a_database_crash(tmp_path: Path) -> None:
    with postgres() as (url, crash):
        found = nothing_lost(
            tmp_path,
            url,
            DELIVERIES // 2,
            commands=("web", "worker", "worker"),
            upset=(kill(1), crash, kill(0), kill(2)),
        )
    assert found["fine"], json.dumps(found)
