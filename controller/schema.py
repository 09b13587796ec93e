"""The run store's tables as the newest migration leaves them; a change here needs a migration of its own beside it."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
)

METADATA = MetaData()
_ROW_ID = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER is SQLite's own row number


def _row_id() -> Column[int]:
    return Column("id", _ROW_ID, primary_key=True, autoincrement=True)


def _of_run() -> Column[str]:
    """The run that a row belongs to, where it belongs to one."""
    return Column("run", String(64), ForeignKey("run.id"))


RUN = Table(
    "run",
    METADATA,
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
    Column("archived", Boolean, nullable=False, server_default=false()),
    Index("ix_run_started", "started"),
)

METRIC = Table(
    "metric",
    METADATA,
    _row_id(),
    Column("run", String(64), ForeignKey("run.id"), nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("key", String(128), nullable=False),
    Column("value", Float(53)),
    Index("ix_metric_run", "run", "id"),
)

EPISODE = Table(
    "episode",
    METADATA,
    _row_id(),
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

TAG = Table(
    "tag",
    METADATA,
    Column("run", String(64), ForeignKey("run.id"), primary_key=True),
    Column("tag", String(64), primary_key=True),
    Index("ix_tag_tag", "tag"),
)

CELL = Table(
    "cell",
    METADATA,
    Column("key", String(128), primary_key=True),
    _of_run(),
    Column("plant", String(128), nullable=False),
    Column("result", JSON, nullable=False),
    Column("block", LargeBinary),
    Column("created", Float(53), nullable=False),
)

JOB = Table(
    "job",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("command", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("pid", BigInteger),
    Column("host", String(255), nullable=False),
    Column("created", Float(53), nullable=False),
    Column("started", Float(53)),
    Column("heartbeat", Float(53), nullable=False),
    Column("finished", Float(53)),
    Column("code", Integer),
    _of_run(),
    Column("log", Text, nullable=False),
    Index("ix_job_created", "created"),
)

EVENT = Table(
    "event",
    METADATA,
    _row_id(),
    _of_run(),
    Column("time", Float(53), nullable=False),
    Column("tag", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("state", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_event_run", "run", "id"),
)

PROMOTION = Table(
    "promotion",
    METADATA,
    _row_id(),
    Column("plant", String(128), nullable=False),
    Column("scenario", String(128), nullable=False),
    _of_run(),
    Column("policy", Text, nullable=False),
    Column("judged", Float(53), nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("verdict", JSON, nullable=False),
    Column("previous", _ROW_ID, ForeignKey("promotion.id")),
    Index("ix_promotion_case", "plant", "scenario", "id"),
)

CHAMPION = Table(
    "champion",
    METADATA,
    Column("plant", String(128), primary_key=True),
    Column("scenario", String(128), primary_key=True),
    Column("promotion", _ROW_ID, ForeignKey("promotion.id"), nullable=False),
)
