"""Deliveries, faults and kills: everything accepted is answered, in order, once.

`ACCEPTANCE_DELIVERIES` sets the size; `python -m tests.acceptance.run` runs it at full size.
"""

import json
import os
from pathlib import Path

import pytest

from tests.acceptance.nursery import Nursery
from tests.acceptance.run import nothing_lost

DELIVERIES = int(os.environ.get("ACCEPTANCE_DELIVERIES", "300"))


@pytest.mark.slow
def test_one_process_on_sqlite_killed_three_times(tmp_path: Path, nursery: Nursery) -> None:
    url = f"sqlite:///{tmp_path}/lafiya.db"
    found = nothing_lost(tmp_path, url, DELIVERIES, nursery=nursery)
    assert found["fine"], json.dumps(found)
