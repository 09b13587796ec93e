"""Runs, their metrics and their episodes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the first three tables."""
    op.create_table(
        "run",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("plant", sa.String(128), nullable=False),
        sa.Column("controller", sa.String(128), nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("config", sa.JSON, nullable=False),
        sa.Column("result", sa.JSON, nullable=False),
        sa.Column("versions", sa.JSON, nullable=False),
        sa.Column("started", sa.Float(53), nullable=False),
        sa.Column("finished", sa.Float(53)),
        sa.Column("heartbeat", sa.Float(53), nullable=False),
        sa.Column("pid", sa.BigInteger, nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("step", sa.BigInteger, nullable=False),
        sa.Column("score", sa.Float(53)),
        sa.Column("best", sa.Float(53)),
    )
    op.create_index("ix_run_started", "run", ["started"])
    _metrics()
    _episodes()


def _metrics() -> None:
    op.create_table(
        "metric",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("run", sa.String(64), sa.ForeignKey("run.id"), nullable=False),
        sa.Column("step", sa.BigInteger, nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("value", sa.Float(53)),
    )
    op.create_index("ix_metric_run", "metric", ["run", "id"])


def _episodes() -> None:
    op.create_table(
        "episode",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("run", sa.String(64), sa.ForeignKey("run.id"), nullable=False),
        sa.Column("plant", sa.String(128), nullable=False),
        sa.Column("controller", sa.String(128), nullable=False),
        sa.Column("scenario", sa.String(128), nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("kpis", sa.JSON, nullable=False),
        sa.Column("kpi_units", sa.JSON, nullable=False),
        sa.Column("time_unit", sa.String(16), nullable=False),
        sa.Column("signals", sa.JSON, nullable=False),
        sa.Column("samples", sa.Integer, nullable=False),
        sa.Column("block", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_episode_run", "episode", ["run", "id"])
