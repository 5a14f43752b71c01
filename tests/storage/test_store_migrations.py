"""The schema: from nothing to what the models say, back again, and by several processes at once."""

import os
import subprocess
import sys

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from core.errors import StoreError, WrongDataKey
from storage import models
from storage.store import _alembic, is_current, migrate, open_store
from tests.storage.given import accept, message, one, rows


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def blank_url(request, tmp_path):
    """The URL of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new folder %41' / 'blank.db'}"
    return request.getfixturevalue("blank_pg_url")


@pytest.fixture
def blank(blank_url):
    store = open_store(blank_url)
    yield store
    store.close()


#: Alembic cannot compare a descending column on SQLite; `test_indexes_are_the_models_own` does.
DESCENDING = ("ix_jobs_open", "ix_outbox_open")


def comparable(_thing, name, kind, *_others):
    return not (kind == "index" and name in DESCENDING)


def test_blank_to_head_is_what_the_models_say(blank):
    assert not is_current(blank)
    migrate(blank)
    assert is_current(blank)
    options = {"compare_type": True, "compare_server_default": True}
    if blank.is_sqlite:
        options["include_object"] = comparable
    with blank.read() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, models.METADATA) == []
    migrate(blank)
    assert accept(blank, message()) is not None


INDEXES = {
    True: "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    False: "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
}


def test_indexes_are_the_models_own(blank):
    """With their conditions and directions, which Alembic does not compare everywhere."""
    models.METADATA.create_all(blank.engine)
    expected = dict(rows(blank, INDEXES[blank.is_sqlite]))
    models.METADATA.drop_all(blank.engine)
    migrate(blank)
    found = dict(rows(blank, INDEXES[blank.is_sqlite]))
    found.pop("alembic_version_pkc", None)
    assert found == expected
    assert "urgent DESC" in found["ix_jobs_open"]


def test_down_to_nothing_and_up_again(blank):
    migrate(blank)
    command.downgrade(_alembic(blank), "base")
    assert not is_current(blank)
    left = set(inspect(blank.engine).get_table_names())
    assert left <= {"alembic_version"}
    migrate(blank)
    assert is_current(blank)


MIGRATE = """
import sys
from storage.store import migrate, open_store
store = open_store(sys.argv[1], sys.argv[2])
sys.stdin.readline()
migrate(store)
"""


def migrating(url, key=""):
    """A process that is about to migrate."""
    return subprocess.Popen(
        [sys.executable, "-c", MIGRATE, url, key],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def finished(processes):
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[1] for process in processes]
    return [process.returncode for process in processes], "\n".join(said)


def test_processes_that_start_together(blank_url, blank):
    codes, said = finished([migrating(blank_url) for _ in range(2)])
    assert codes == [0, 0], said
    assert is_current(blank)
    assert one(blank, "SELECT count(*) FROM meta") == 2


def test_the_first_of_two_keys_counts(blank_url, blank):
    codes, said = finished([migrating(blank_url, key) for key in ("one", "two")])
    assert sorted(codes) == [0, 1], said
    assert WrongDataKey.__name__ in said


@pytest.mark.parametrize(
    ("label", "url"),
    [
        ("nobody listens", "postgresql+psycopg://u:secret@127.0.0.1:1/x?connect_timeout=2"),
        ("a folder that cannot be made", "sqlite:////proc/none/lafiya.db"),
        ("no such folder's file", "sqlite:////proc/lafiya.db"),
    ],
)
def test_a_database_that_cannot_be_used(label, url):
    with pytest.raises(StoreError) as refused:
        migrate(open_store(url))
    assert "secret" not in str(refused.value)
