"""The run store's tables, how it is opened, and what its failures mean to a user."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_data_path
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    select,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.schema import CreateIndex, CreateTable

from plant_models.core.errors import BadInput

SCHEMA_VERSION = 1
BUSY_TIMEOUT = 30.0  # s; a writer waits this long for another

_METADATA = MetaData()
_ROW_ID = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER is SQLite's own row number

VERSION = Table("store_version", _METADATA, Column("version", Integer, primary_key=True, autoincrement=False))

RUN = Table(
    "run",
    _METADATA,
    Column("id", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("plant", String(128), nullable=False),
    Column("controller", String(128), nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("config", JSON, nullable=False),
    Column("result", JSON, nullable=False),
    Column("versions", JSON, nullable=False),
    Column("started", Float(53), nullable=False),
    Column("finished", Float(53)),
    Column("heartbeat", Float(53), nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("host", String(255), nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("score", Float(53)),
    Column("best", Float(53)),
    Index("ix_run_started", "started"),
)

METRIC = Table(
    "metric",
    _METADATA,
    Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("run", String(64), ForeignKey("run.id"), nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("key", String(128), nullable=False),
    Column("value", Float(53)),
    Index("ix_metric_run", "run", "id"),
)

EPISODE = Table(
    "episode",
    _METADATA,
    Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("run", String(64), ForeignKey("run.id"), nullable=False),
    Column("plant", String(128), nullable=False),
    Column("controller", String(128), nullable=False),
    Column("scenario", String(128), nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("kpis", JSON, nullable=False),
    Column("kpi_units", JSON, nullable=False),
    Column("time_unit", String(16), nullable=False),
    Column("signals", JSON, nullable=False),
    Column("samples", Integer, nullable=False),
    Column("block", LargeBinary, nullable=False),
    Index("ix_episode_run", "run", "id"),
)


def default_url() -> str:
    """The user's own store, in the operating system's data folder."""
    return f"sqlite:///{user_data_path('setpoint', appauthor=False) / 'runs.db'}"


def open_store(location: str | None) -> Engine:
    """Open the store at a URL or file path, made if absent; raises BadInput with what to do where that fails."""
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
    return engine


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
    if url.get_backend_name() == "sqlite" and (not url.database or url.database == ":memory:"):
        raise BadInput(f"store {location!r}: names no file; for example sqlite:///runs.db")
    return url


def _make_folder(url: URL) -> None:
    path = Path(str(url.database)).expanduser()
    if path.is_dir():
        raise BadInput(f"store {path}: a folder, expected a file; for example {path / 'runs.db'}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"store {path}: its folder cannot be made ({error.strerror}); name another with --store") from error


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        file = url.set(database=str(Path(str(url.database)).expanduser()))
        engine = create_engine(file, connect_args={"timeout": BUSY_TIMEOUT})
        event.listen(engine, "connect", _tune)
        return engine
    try:
        return create_engine(url, pool_pre_ping=True)
    except (ImportError, NoSuchModuleError) as error:
        raise BadInput(f"store {_shown(url)}: no driver for it ({error}); install one, or use sqlite:///runs.db") from error


def _tune(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


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
    """Whether the store is complete already; raises BadInput for one of a newer version."""
    with engine.connect() as connection:
        version = _version(connection)
    if version is not None and version > SCHEMA_VERSION:
        shown = _shown(engine.url)
        raise BadInput(f"store {shown}: schema {version}, this version knows up to {SCHEMA_VERSION}; update setpoint")
    return version is not None


def _version(connection: Connection) -> int | None:
    if VERSION.name not in inspect(connection).get_table_names():
        return None
    found: int | None = connection.execute(select(VERSION.c.version)).scalar()
    return found


def _prepare(engine: Engine) -> None:
    """Make all tables in one transaction; raises BadInput for a store that is not ours.

    SQLite's driver begins no transaction before it makes a table, so a second process could see half of them: we begin it.
    """
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        names = set(inspect(connection).get_table_names())
        if VERSION.name not in names and names & {RUN.name, METRIC.name, EPISODE.name}:
            raise BadInput(f"store {_shown(engine.url)}: a database of another program; name another with --store")
        if _version(connection) is None:
            _create(connection)


def _create(connection: Connection) -> None:
    """All tables and the version; on a server a second process doing the same at once does no harm."""
    for table in _METADATA.sorted_tables:
        connection.execute(CreateTable(table, if_not_exists=True))
        for index in table.indexes:
            connection.execute(CreateIndex(index, if_not_exists=True))
    try:
        with connection.begin_nested():
            connection.execute(insert(VERSION).values(version=SCHEMA_VERSION))
    except IntegrityError:
        return


def runs_folder() -> Path:
    """Return the folder that holds what runs leave beside the store, one folder a run."""
    return user_data_path("setpoint", appauthor=False) / "runs"
