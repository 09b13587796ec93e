"""The tables of schema 1, word for word as the version that had no migrations made them."""

from __future__ import annotations

from sqlalchemy import Engine

_DDL = """
CREATE TABLE run (
    id VARCHAR(64) NOT NULL, kind VARCHAR(16) NOT NULL, plant VARCHAR(128) NOT NULL, controller VARCHAR(128) NOT NULL,
    seed BIGINT NOT NULL, status VARCHAR(16) NOT NULL, config JSON NOT NULL, result JSON NOT NULL, versions JSON NOT NULL,
    started {number} NOT NULL, finished {number}, heartbeat {number} NOT NULL, pid BIGINT NOT NULL, host VARCHAR(255) NOT NULL,
    step BIGINT NOT NULL, score {number}, best {number}, PRIMARY KEY (id));
CREATE INDEX ix_run_started ON run (started);
CREATE TABLE store_version (version INTEGER NOT NULL, PRIMARY KEY (version));
CREATE TABLE episode (
    id {row} NOT NULL, run VARCHAR(64) NOT NULL, plant VARCHAR(128) NOT NULL, controller VARCHAR(128) NOT NULL,
    scenario VARCHAR(128) NOT NULL, seed BIGINT NOT NULL, outcome VARCHAR(32) NOT NULL, kpis JSON NOT NULL,
    kpi_units JSON NOT NULL, time_unit VARCHAR(16) NOT NULL, signals JSON NOT NULL, samples INTEGER NOT NULL,
    block {block} NOT NULL, PRIMARY KEY (id), FOREIGN KEY(run) REFERENCES run (id));
CREATE INDEX ix_episode_run ON episode (run, id);
CREATE TABLE metric (
    id {row} NOT NULL, run VARCHAR(64) NOT NULL, step BIGINT NOT NULL, "key" VARCHAR(128) NOT NULL, value {number},
    PRIMARY KEY (id), FOREIGN KEY(run) REFERENCES run (id));
CREATE INDEX ix_metric_run ON metric (run, id);
INSERT INTO store_version VALUES (1);
INSERT INTO run VALUES ('exothermic-cstr-ppo-7f3a9c', 'train', 'exothermic_cstr', 'ppo', 3, 'completed', '{{"total": 9}}', '{{}}',
    '{{}}', 1.0, 2.0, 2.0, 1, 'elsewhere', 9, -2.0, -1.5);
INSERT INTO metric (run, step, "key", value) VALUES ('exothermic-cstr-ppo-7f3a9c', 9, 'score/ppo', -2.0);
"""
_TYPES = {
    "sqlite": {"number": "FLOAT", "row": "INTEGER", "block": "BLOB"},
    "postgresql": {"number": "FLOAT(53)", "row": "BIGSERIAL", "block": "BYTEA"},
}
RUN = "exothermic-cstr-ppo-7f3a9c"


def make(engine: Engine) -> None:
    """Make a store of schema 1 that holds one run, with one metric."""
    with engine.begin() as connection:
        for statement in _DDL.format(**_TYPES[engine.dialect.name]).split(";"):
            if statement.strip():
                connection.exec_driver_sql(statement)
