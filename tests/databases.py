"""Empty databases for the store: an SQLite file, or one of a PostgreSQL server that lasts as long as the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

REQUIRED = "SETPOINT_REQUIRE_POSTGRES"
"""Environment variable under which the absence of a server is a failure."""
PATIENCE = 60.0
KINDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.slow))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A private server on a Unix socket; returns the folder of the socket."""
    programs = _programs()
    if programs is None:
        if os.environ.get(REQUIRED):
            pytest.fail("no PostgreSQL server: apt install postgresql", pytrace=False)
        pytest.skip("no PostgreSQL server: apt install postgresql")
    folder, owner = Path(tempfile.mkdtemp(prefix="setpoint-pg-")), _owner()
    shutil.chown(folder, **owner)
    server = None
    try:
        as_owner: Any = {**owner, "extra_groups": []} if os.getuid() == 0 else {}
        options = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **as_owner}
        data = str(folder / "data")
        initialise = [programs / "initdb", "-D", data, "-A", "trust", "-U", "setpoint", "-N", "--locale=C", "--encoding=UTF8"]
        subprocess.run(initialise, check=True, **options)
        settings = ("listen_addresses=", "fsync=off", "max_connections=60", f"unix_socket_directories={folder}")
        server = subprocess.Popen([programs / "postgres", "-D", data, *(f"-c{setting}" for setting in settings)], **options)
        _await(folder)
        yield str(folder)
    finally:
        if server is not None:
            server.send_signal(signal.SIGQUIT)  # without a last checkpoint
            server.wait(PATIENCE)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of each kind that the store works on."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'runs.db'}"
    folder = request.getfixturevalue("postgres")
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres' AND pid <> pg_backend_pid()"
    for statement in (others, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public"):
        _execute(folder, statement)
    return f"postgresql://setpoint@/postgres?host={folder}"


def _programs() -> Path | None:
    """The folder of the newest server's programs."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return debian[-1].parent if debian else None


def _owner() -> dict[str, Any]:
    """Whose the server is, which must not be root."""
    user = pwd.getpwnam("postgres") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    return {"user": user.pw_uid, "group": user.pw_gid}


def _await(folder: Path) -> None:
    from psycopg import OperationalError

    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            _execute(str(folder), "SELECT 1")
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _execute(folder: str, statement: str) -> None:
    from psycopg import connect

    with connect(f"host={folder} user=setpoint dbname=postgres", autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]
