"""How a run store of an older version becomes one of this version: one file a step, run by Alembic."""
