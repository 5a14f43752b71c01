"""Deliveries, faults and kills: the same with the web and the workers apart.

`ACCEPTANCE_DELIVERIES` sets the size; `python -m tests.acceptance.run` runs it at full size.
"""

import json
import os
from pathlib import Path

import pytest

from tests.acceptance.nursery import Nursery
from tests.acceptance.run import kill, nothing_lost, postgres

DELIVERIES = int(os.environ.get("ACCEPTANCE_DELIVERIES", "150"))


@pytest.mark.slow
@pytest.mark.postgres
def test_web_and_workers_apart_with_a_database_crash(tmp_path: Path, nursery: Nursery) -> None:
    with postgres() as (url, crash):
        found = nothing_lost(
            tmp_path,
            url,
            DELIVERIES,
            commands=("web", "worker", "worker"),
            upset=(kill(1), crash, kill(0), kill(2)),
            nursery=nursery,
        )
    assert found["fine"], json.dumps(found)
