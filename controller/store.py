"""The run store's tables, how it is opened, and what its failures mean to a user."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_data_path
from sqlalchemy import Connection, Engine, Integer, Row, Select, Table, column, create_engine, event, inspect, select, table, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from controller.schema import EPISODE, METRIC, RUN
from plant_models.core.errors import BadInput, UnknownName

SCHEMA_VERSION = 2
REVISION_TABLE = "store_revision"  # Alembic's own name for it is taken where a study shares the database
BUSY_TIMEOUT = 30.0  # s; a writer waits this long for another
CONNECT_TIMEOUT = 10  # s; a server that does not answer is given up after this

_REVISION = table(REVISION_TABLE, column("version_num"))
_BEFORE_REVISIONS = table("store_version", column("version", Integer))  # the version of a store made before there were steps
_LOCK = 7_736_862_345  # any number that no other program takes for its advisory lock


@dataclass(frozen=True, eq=False)
class Store:
    """An open database; every call is one transaction, and a failure of the database is a BadInput of one line."""

    engine: Engine

    @property
    def url(self) -> str:
        """Where the store is, with a password hidden."""
        return self.engine.url.render_as_string()

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    @contextmanager
    def transaction(self, run: str = "") -> Iterator[Connection]:
        """A transaction, which begins with its first write; raises UnknownName where what it refers to, ``run``, is not there."""
        with explained(self.engine.url):
            try:
                with self.engine.begin() as connection:
                    yield connection
            except IntegrityError as error:
                raise UnknownName(f"run {run!r}: not in the store; start one first") from error

    def rows(self, query: Select[Any]) -> list[Row[Any]]:
        """Every row that a query finds."""
        with explained(self.engine.url), self.engine.connect() as connection:
            return list(connection.execute(query).all())


def one_at_a_time(connection: Connection) -> None:
    """Make a transaction that reads before it writes wait for others that do so; to be called first in it.

    SQLite's driver begins no transaction before it writes, so two could read the same: we begin it.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def check(store: Store) -> None:
    """Raise BadInput for a store that is gone, that another version of the software has changed, or that cannot be read."""
    url = store.engine.url
    with explained(url):
        if url.get_backend_name() == "sqlite":
            _check_there(store.engine)
        if not _is_ready(store.engine):
            raise BadInput(
                f"store {_shown(url)}: emptied meanwhile, or replaced by an older one; start again, which makes it ready"
            )


def insert_once(connection: Connection, into: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row unless its key is taken; return whether it was inserted."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    once = dialect.insert(into).values(**row).on_conflict_do_nothing().returning(*into.primary_key)
    return connection.execute(once).first() is not None


def default_url() -> str:
    """The user's own store, in the operating system's data folder."""
    return f"sqlite:///{user_data_path('setpoint', appauthor=False) / 'runs.db'}"


def open_store(location: str | None) -> Store:
    """Open the store at a URL or file path, made if absent, brought to this version's tables if older.

    Raises:
        BadInput: with what to do, where that fails.
    """
    url = _parse(location or default_url())
    if url.get_backend_name() == "sqlite":
        _make_folder(url)
    engine = _engine(url)
    try:
        with explained(url):
            if engine.dialect.name == "sqlite":
                _write_ahead(engine)
            if not _is_ready(engine):
                _prepare(engine)
    except BaseException:
        engine.dispose()
        raise
    return Store(engine)


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Turn a database's failure into one line: which store, what is wrong, what to do."""
    try:
        yield
    except DBAPIError as error:
        raise BadInput(f"store {_shown(url)}: {_remedy(str(error.orig))}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"store {_shown(url)}: {_remedy('malformed')}") from error


def _shown(url: URL) -> str:
    """The file's path, or the URL with its password hidden."""
    return url.database or "" if url.get_backend_name() == "sqlite" else url.render_as_string()


def _remedy(problem: str) -> str:
    reason = problem.strip().splitlines()[0] if problem.strip() else "no reason given"
    remedies = {
        "not a database": "not an SQLite database; name another file with --store, or move this one away",
        "malformed": "damaged; move it away to begin a new one (sqlite3 FILE .recover saves what it holds)",
        "unable to open": "cannot be opened; its folder must exist and be writable, or name another with --store",
        "readonly": "read-only; make the file and its folder writable, or name another with --store",
        "locked": f"locked by another program for {BUSY_TIMEOUT:.0f} s; end that program, or name another with --store",
        "too long": "a name is too long for it; shorten the plant's, the controller's or the scenario's",
        "full": "the disk is full; free some space and start again",
        "no such table": "not a complete run store; move it away, or name another with --store",
        "no such column": "not a run store of this version; move it away, or name another with --store",
    }
    return next((remedy for sign, remedy in remedies.items() if sign in reason), f"cannot be used ({reason}); check --store")


def _parse(location: str) -> URL:
    try:
        url = make_url(location) if "://" in location else URL.create("sqlite", database=location)
    except (ArgumentError, ValueError) as error:
        raise BadInput(f"store {location!r}: not a database URL; for example sqlite:///runs.db") from error
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and (not url.database or url.database == ":memory:"):
        raise BadInput(f"store {location!r}: names no file; for example sqlite:///runs.db")
    return url


def _make_folder(url: URL) -> None:
    path = Path(str(url.database)).expanduser()
    try:
        if path.is_dir():
            raise BadInput(f"store {path}: a folder, expected a file; for example {path / 'runs.db'}")
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"store {path}: its folder cannot be made ({error.strerror}); name another with --store") from error


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        file = url.set(database=str(Path(str(url.database)).expanduser()))
        engine = create_engine(file, connect_args={"timeout": BUSY_TIMEOUT})
        event.listen(engine, "connect", _tune)
        return engine
    if url.get_backend_name() != "postgresql":
        raise BadInput(f"store {_shown(url)}: neither SQLite nor PostgreSQL; for example sqlite:///runs.db")
    try:
        return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_TIMEOUT})
    except (ImportError, NoSuchModuleError) as error:
        raise BadInput(f"store {_shown(url)}: no driver for it ({error}); run: pip install 'setpoint[postgres]'") from error


def _tune(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _check_there(engine: Engine) -> None:
    """Raise BadInput for a file that is gone: connections that stay open would read on, and new ones make an empty one."""
    if not Path(str(engine.url.database)).exists():
        engine.dispose()
        gone = "gone, moved or deleted meanwhile; put it back, or start again with a new one"
        raise BadInput(f"store {_shown(engine.url)}: {gone}")


def _write_ahead(engine: Engine) -> None:
    """Switch to write-ahead logging once; SQLite does not wait its turn for this switch, so we do."""
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
                return
        except OperationalError as error:
            if "locked" not in str(error.orig) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _is_ready(engine: Engine) -> bool:
    """Whether the store has this version's tables; raises BadInput for one of a newer version."""
    with engine.connect() as connection:
        version = _version(connection)
    if version is not None and version > SCHEMA_VERSION:
        shown = _shown(engine.url)
        remedy = "update setpoint, or name another with --store"
        raise BadInput(f"store {shown}: schema {version}, this version knows up to {SCHEMA_VERSION}; {remedy}")
    return version == SCHEMA_VERSION


def _version(connection: Connection) -> int | None:
    names = inspect(connection).get_table_names()
    found: str | int | None = None
    if REVISION_TABLE in names:
        found = connection.execute(select(_REVISION.c.version_num)).scalar()
    elif _BEFORE_REVISIONS.name in names:
        found = connection.execute(select(_BEFORE_REVISIONS.c.version)).scalar()
    return None if found is None else int(found)


def _prepare(engine: Engine) -> None:
    """Bring all tables to this version in one transaction; raises BadInput for a store that is not ours.

    Whoever comes at the same time waits, and finds it done.
    """
    with engine.begin() as connection:
        one_at_a_time(connection)
        version = _version(connection)
        if version is None and set(inspect(connection).get_table_names()) & {RUN.name, METRIC.name, EPISODE.name}:
            raise BadInput(f"store {_shown(engine.url)}: a database of another program; name another with --store")
        if version is None or version < SCHEMA_VERSION:
            _migrate(connection)


def _migrate(connection: Connection) -> None:
    """Run the steps that the store lacks; one made before there were steps has had the first."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "controller:migrations")
    config.attributes["connection"] = connection
    if _version(connection) is not None and REVISION_TABLE not in inspect(connection).get_table_names():
        command.stamp(config, "0001")
    command.upgrade(config, "head")


def runs_folder() -> Path:
    """Return the folder that holds what runs leave beside the store, one folder a run."""
    return user_data_path("setpoint", appauthor=False) / "runs"
