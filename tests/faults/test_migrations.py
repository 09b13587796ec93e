"""A store of an older version becomes one of this version in place, whoever comes first and however often it is cut off."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from controller import store as module
from controller.historian import Historian
from controller.schema import METADATA
from controller.store import REVISION_TABLE, SCHEMA_VERSION, open_store
from plant_models.core.errors import BadInput
from tests.stores import schema_1

ROOT = Path(__file__).parents[2]


def _old(url: str) -> None:
    engine = create_engine(url)
    schema_1.make(engine)
    engine.dispose()


def _tables(url: str) -> set[str]:
    engine = create_engine(url)
    names = set(inspect(engine).get_table_names())
    engine.dispose()
    return names


@pytest.fixture
def url(database: str) -> str:
    return database.replace("postgresql:", "postgresql+psycopg:")


@pytest.mark.parametrize("old", [False, True])
def test_the_steps_lead_to_the_tables_that_the_code_uses(url: str, old: bool) -> None:
    if old:
        _old(url)
    store = open_store(url)
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": REVISION_TABLE})
        differences = compare_metadata(context, METADATA)
        assert context.get_current_revision() == f"{SCHEMA_VERSION:04d}"
    store.close()
    assert [found for found in differences if found[0] != "remove_table"] == []
    assert {found[1].name for found in differences} == {"store_version"}


def test_a_store_of_the_first_schema_keeps_what_it_held(url: str) -> None:
    _old(url)
    with Historian(url) as historian:
        run = historian.find(schema_1.RUN)
        assert (run.seed, run.config, run.best, run.archived) == (3, {"total": 9}, -1.5, False)
        assert [row.value for row in historian.metrics_after(schema_1.RUN)] == [-2.0]
        historian.metrics(schema_1.RUN, 10, {"score/ppo": -1.0})
        assert [run.id for run in historian.runs()] == [schema_1.RUN]


@pytest.mark.slow
def test_processes_that_meet_an_old_store_at_once_all_succeed(url: str) -> None:
    _old(url)
    command = [sys.executable, "-c", "import sys; from controller.historian import Historian; Historian(sys.argv[1]).runs()", url]
    processes = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) for _ in range(4)]
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, errors
    with Historian(url) as historian:
        assert [run.id for run in historian.runs()] == [schema_1.RUN]


def test_an_upgrade_that_is_cut_off_leaves_the_old_store_whole(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _old(url)
    before = _tables(url)
    migrate = module._migrate

    def cut_off(connection: object) -> None:
        migrate(connection)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "_migrate", cut_off)
        with pytest.raises(KeyboardInterrupt):
            open_store(url)
    assert _tables(url) == before
    with Historian(url) as historian:
        assert historian.find(schema_1.RUN).best == -1.5


@pytest.mark.parametrize("table", [f"UPDATE {REVISION_TABLE} SET version_num = '0099'", "UPDATE store_version SET version = 99"])
def test_a_newer_schema_is_refused_in_one_line(url: str, table: str) -> None:
    if REVISION_TABLE in table:
        open_store(url).close()
    else:
        _old(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(table)
    engine.dispose()
    with pytest.raises(BadInput, match=f"schema 99, this version knows up to {SCHEMA_VERSION}; update setpoint, or name another"):
        open_store(url)


def test_a_setpoint_from_before_the_steps_is_told_to_keep_away(url: str) -> None:
    store = open_store(url)
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version FROM store_version").scalar() == 2
    store.close()


def test_a_study_in_the_same_database_keeps_its_own_revision(url: str) -> None:
    optuna = pytest.importorskip("optuna")
    for _ in range(2):
        study = optuna.storages.RDBStorage(url)
        study.engine.dispose()
        open_store(url).close()
    assert {"alembic_version", REVISION_TABLE, "studies", "run"} <= _tables(url)
