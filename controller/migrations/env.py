"""Alembic's entry: it runs the steps on the connection, and in the transaction, of who asked for them."""

from __future__ import annotations

from alembic import context

from controller.schema import METADATA
from controller.store import REVISION_TABLE

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, version_table=REVISION_TABLE)
context.run_migrations()
