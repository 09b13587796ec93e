"""Which controller a run with several of them is about: the one that its page opens on and its row in the grid shows."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, case, literal, or_

from controller.methods import ALGORITHMS
from controller.records import EpisodeRow, RunRecord
from controller.schema import EPISODE, RUN

_SOUGHT = (*ALGORITHMS, "nmpc", "pid")
"""What a reader came for; a run is about the first of them that it has."""


def subject(run: RunRecord) -> str:
    """The name of the controller that a run is about: what was learned, else NMPC, else the PID layer."""
    names = run.controller.split(",")
    return next((name for name in _SOUGHT if name in names), run.controller)


def own_episodes(run: RunRecord, rows: Sequence[EpisodeRow]) -> list[EpisodeRow]:
    """The episodes of the controller that the run is about; all where none of them is its."""
    name = subject(run)
    return [row for row in rows if row.controller == name] or list(rows)


def is_subjects() -> ColumnElement[bool]:
    """Whether an episode joined to its run is one of those, on the run's own plant."""
    names = literal(",") + RUN.c.controller + ","
    sought = case(*((names.contains(f",{name},"), name) for name in _SOUGHT))
    one_of_several = and_(RUN.c.controller.contains(","), EPISODE.c.controller == sought)
    return and_(EPISODE.c.plant == RUN.c.plant, or_(EPISODE.c.controller == RUN.c.controller, one_of_several))
