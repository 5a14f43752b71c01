"""The door to the database: engines, transactions, migrations. Names no table but `meta`.

SQLite lets one writer in at a time and makes the others poll; inside one process a lock queues them
instead, which is fair and faster. `write` and `read` are the only two ways to a connection.
"""

import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    Connection,
    CursorResult,
    Delete,
    Engine,
    Update,
    create_engine,
    event,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InvalidatePoolError,
    SQLAlchemyError,
)
from sqlalchemy.pool import ConnectionPoolEntry

from core.errors import StoreError, WrongDataKey
from storage.cipher import UNSEALED, Cipher
from storage.gate import Gate
from storage.models import Meta

BUSY_MS = 15_000
#: A server that vanished is noticed in half a minute, not in two hours (libpq's parameters).
LIVELY = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}
#: After so many seconds unused, a connection to a server is tried before it is relied on.
REST = 5.0
#: So many rows are deleted in one transaction: nobody waits long for the others.
BATCH = 500
MIGRATION_LOCK = 0x1AF1A
#: Keys of `meta`.
DATA_KEY, LINK_SECRET = "data_key", "link_secret"


class Conflict(StoreError):
    """A constraint refused the change: another writer was faster."""


class Store:
    """One database and the cipher that its texts are sealed with."""

    def __init__(self, engine: Engine, cipher: Cipher) -> None:
        self.engine = engine
        self.cipher = cipher
        #: Requests in hand go before what is written with patience.
        self.gate = Gate()
        self._compiled: dict[tuple[Any, ...], Any] = {}
        self._this_thread = threading.local()
        self._writer = threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def write(self, *, patient: bool = False) -> Iterator[Connection]:
        """A transaction that commits at its end and rolls back on any exception.

        `patient`: it begins a moment later while requests are in hand (`storage.gate`).

        Raises StoreError when the database cannot be used, Conflict when a constraint refuses,
        RuntimeError when this thread is writing already: it would wait for itself for ever.
        """
        self._come_forward(patient)
        with self._writer, _named_errors(), self.engine.connect() as connection:
            self._this_thread.writes = True
            try:
                with connection.begin():
                    self._begin(connection, "BEGIN IMMEDIATE")
                    yield connection
            finally:
                self._this_thread.writes = False

    @contextmanager
    def at_once(self, *, patient: bool = False) -> Iterator[Connection]:
        """A connection for one changing statement, which is its own transaction.

        It saves the two round trips of BEGIN and COMMIT. `patient` and errors as in `write`.
        """
        self._come_forward(patient)
        with self._writer, self.glance() as connection:
            yield connection

    def _come_forward(self, patient: bool) -> None:
        """Before a write: give way if there is time. Raises RuntimeError within another write."""
        if getattr(self._this_thread, "writes", False):
            raise RuntimeError("this thread is in a transaction already: pass its connection on")
        if patient:
            self.gate.give_way()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection whose changes are thrown away. Raises StoreError."""
        with _named_errors(), self.engine.connect() as connection:
            self._begin(connection, "BEGIN")
            yield connection

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """A connection for SELECTs that need no transaction around them. Raises StoreError.

        It saves the round trips of BEGIN and ROLLBACK.
        """
        with _named_errors(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="AUTOCOMMIT")
            yield connection

    def _begin(self, connection: Connection, statement: str) -> None:
        """Begin on SQLite, past SQLAlchemy: a listener for this doubled what a statement costs."""
        if self.is_sqlite:
            driver: Any = connection.connection.driver_connection
            driver.execute(statement)

    def in_batches(self, statement: Delete | Update) -> int:
        """Repeat a statement that changes at most BATCH rows until it changes none. How many."""
        changed = 0
        while True:
            with self.write() as connection:
                done = connection.execute(statement).rowcount
            changed += done
            if done < BATCH:
                return changed

    def outside(self, statement: str) -> None:
        """Run a statement that bears no transaction (VACUUM and its like). Raises StoreError."""
        with _named_errors(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql(statement)

    def insert_once(self, table: Any, *returning: Any) -> Any:
        """An insert that does nothing when the row is there already (`on_conflict_do_nothing`)."""
        return _insert_once(sqlite if self.is_sqlite else postgresql, table, returning)

    def add_once(
        self, connection: Connection, table: Any, values: Mapping[str, Any], *returning: Any
    ) -> CursorResult[Any]:
        """Run `insert_once` with these values.

        SQLAlchemy compiles such an insert each time, which costs ten times as much as running it:
        here it is compiled once for a table and the names of its values.
        """
        key = (table, returning, *values)
        if key not in self._compiled:
            query = self.insert_once(table, *returning)
            self._compiled[key] = query.compile(dialect=self.engine.dialect, column_keys=[*values])
        return connection.execute(self._compiled[key], values)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


@cache
def _insert_once(dialect: Any, table: Any, returning: tuple[Any, ...]) -> Any:
    """Built once a table: making a statement costs ten times as much as running it."""
    query = dialect.insert(table).on_conflict_do_nothing()
    return query.returning(*returning) if returning else query


def open_store(url: str, data_key: str = "") -> Store:
    """Open a database, making the folder of an SQLite file. Nothing is migrated or checked yet.

    Raises StoreError when the folder cannot be made.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        engine = create_engine(
            parsed,
            pool_size=16,
            max_overflow=16,
            hide_parameters=True,
            connect_args={name: v for name, v in LIVELY.items() if name not in parsed.query},
        )
        _ping_after_rest(engine)
        return Store(engine, Cipher(data_key))
    if parsed.database and parsed.database != ":memory:":
        try:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{Path(parsed.database).parent}: {error.strerror}") from None
    engine = create_engine(
        parsed, pool_size=32, connect_args={"timeout": BUSY_MS / 1000}, hide_parameters=True
    )
    event.listen(engine, "connect", _prepare_sqlite)
    return Store(engine, Cipher(data_key))


def migrate(store: Store) -> None:
    """Bring the schema to this version's head. Raises StoreError when that fails."""
    with _named_errors(), _only_one(store):
        command.upgrade(_alembic(store), "head")
    check_key(store)
    remember(store, LINK_SECRET, secrets.token_urlsafe(32))


@contextmanager
def _only_one(store: Store) -> Iterator[None]:
    """Processes that start together on PostgreSQL migrate one after the other."""
    if store.is_sqlite:
        yield
        return
    with store.engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})


def is_current(store: Store) -> bool:
    """Whether the schema is at this version's head."""
    head = ScriptDirectory.from_config(_alembic(store)).get_current_head()
    with store.read() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head


def check_key(store: Store) -> None:
    """Refuse a DATA_KEY other than the one this database was written with. Raises WrongDataKey."""
    mine = store.cipher.fingerprint
    known = remember(store, DATA_KEY, mine)
    if known != mine:
        raise WrongDataKey(_explain(known, mine))


def remember(store: Store, key: str, value: str) -> str:
    """A fact about the database itself: what was written first, or else this value.

    Writes only where nothing is known. Raises StoreError.
    """
    query = select(Meta.value).where(Meta.key == key)
    with store.read() as connection:
        known = connection.scalar(query)
    if known is not None:
        return known
    with store.write() as connection:
        # Processes that start together may both find nothing: the constraint picks the first.
        connection.execute(store.insert_once(Meta).values(key=key, value=value))
        return connection.scalars(query).one()


def _explain(known: str, mine: str) -> str:
    if known == UNSEALED:
        return "This database was written without a DATA_KEY. Run `lafiya encrypt` with it set."
    if mine == UNSEALED:
        return "This database was written with a DATA_KEY. Set that one again."
    return "This database was written with another DATA_KEY. Set that one again."


def _alembic(store: Store) -> Config:
    config = Config()
    folder = str(resources.files("storage") / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.attributes["engine"] = store.engine
    return config


def _prepare_sqlite(connection: Any, _: ConnectionPoolEntry) -> None:
    # The driver's own transactions begin too late for BEGIN IMMEDIATE: `Store._begin` begins.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # FULL: an accepted message survives a power cut, not only a killed process.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    # Erased text must not stay readable in free pages.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _ping_after_rest(engine: Engine) -> None:
    """Try a connection that rested for a while before it is used: its server may be gone.

    One that was used just now is not asked: that would be one more round trip a statement.
    """

    def rest(_: Any, record: ConnectionPoolEntry) -> None:
        record.info["rests_since"] = time.monotonic()

    def wake(connection: Any, record: ConnectionPoolEntry, _: Any) -> None:
        if time.monotonic() - record.info.get("rests_since", time.monotonic()) < REST:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error:
            raise InvalidatePoolError from None

    event.listen(engine, "checkin", rest)
    event.listen(engine, "checkout", wake)


@contextmanager
def _named_errors() -> Iterator[None]:
    """Database trouble as StoreError, without what the driver says: it quotes people's words."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict(f"database: {type(error.orig).__name__}") from None
    except DBAPIError as error:
        raise StoreError(f"database: {type(error.orig).__name__}") from None
    except sqlite3.Error as error:
        raise StoreError(f"database: {type(error).__name__}") from None
    except SQLAlchemyError as error:
        raise StoreError(f"database: {type(error).__name__}") from None
