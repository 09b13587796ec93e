"""What a team keeps beside its runs: tags, cells of benchmarks, jobs, events, and which policy is released."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _of_run() -> sa.Column[str]:
    return sa.Column("run", sa.String(64), sa.ForeignKey("run.id"))


def upgrade() -> None:
    """Add the tables, and tell a setpoint from before the steps, which reads only ``store_version``, to keep away."""
    op.add_column("run", sa.Column("archived", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "tag",
        sa.Column("run", sa.String(64), sa.ForeignKey("run.id"), primary_key=True),
        sa.Column("tag", sa.String(64), primary_key=True),
    )
    op.create_index("ix_tag_tag", "tag", ["tag"])
    op.create_table(
        "cell",
        sa.Column("key", sa.String(128), primary_key=True),
        _of_run(),
        sa.Column("plant", sa.String(128), nullable=False),
        sa.Column("result", sa.JSON, nullable=False),
        sa.Column("block", sa.LargeBinary),
        sa.Column("created", sa.Float(53), nullable=False),
    )
    _jobs()
    _events()
    _champions()
    _keep_away()


def _jobs() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("command", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("pid", sa.BigInteger),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("created", sa.Float(53), nullable=False),
        sa.Column("started", sa.Float(53)),
        sa.Column("heartbeat", sa.Float(53), nullable=False),
        sa.Column("finished", sa.Float(53)),
        sa.Column("code", sa.Integer),
        _of_run(),
        sa.Column("log", sa.Text, nullable=False),
    )
    op.create_index("ix_job_created", "job", ["created"])


def _events() -> None:
    op.create_table(
        "event",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        _of_run(),
        sa.Column("time", sa.Float(53), nullable=False),
        sa.Column("tag", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("ix_event_run", "event", ["run", "id"])


def _champions() -> None:
    op.create_table(
        "promotion",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("plant", sa.String(128), nullable=False),
        sa.Column("scenario", sa.String(128), nullable=False),
        _of_run(),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("judged", sa.Float(53), nullable=False),
        sa.Column("accepted", sa.Boolean, nullable=False),
        sa.Column("verdict", sa.JSON, nullable=False),
        sa.Column("previous", _ROW_ID, sa.ForeignKey("promotion.id")),
    )
    op.create_index("ix_promotion_case", "promotion", ["plant", "scenario", "id"])
    op.create_table(
        "champion",
        sa.Column("plant", sa.String(128), primary_key=True),
        sa.Column("scenario", sa.String(128), primary_key=True),
        sa.Column("promotion", _ROW_ID, sa.ForeignKey("promotion.id"), nullable=False),
    )


def _keep_away() -> None:
    if "store_version" not in sa.inspect(op.get_bind()).get_table_names():
        op.create_table("store_version", sa.Column("version", sa.Integer, primary_key=True, autoincrement=False))
    marker = sa.table("store_version", sa.column("version"))
    op.execute(marker.delete())
    op.execute(marker.insert().values(version=2))
