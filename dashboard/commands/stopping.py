"""What a user who interrupts a training is told: what is kept, and how to go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from plant_models.core.errors import SetpointError


class Stopped(SetpointError):
    """The user interrupted a training; the text says what is kept and how to go on."""


@contextmanager
def stoppable(resumed: str, seeds: int) -> Iterator[None]:
    """Have a training, or seeds of one, that the user interrupts tell what it leaves; raises Stopped."""
    try:
        yield
    except KeyboardInterrupt as error:
        if not (left := _left(error, resumed, seeds)):
            raise
        raise Stopped(f"interrupted; {left}") from error


def _left(error: KeyboardInterrupt, resumed: str, seeds: int) -> str:
    """Return what is left of trainings; nothing is known of one that has not begun, or has ended."""
    from controller.checkpoint import checkpoints, written
    from controller.historian import Interrupted

    if seeds > 1:
        kept = "what was recorded is kept, and `setpoint runs` lists the runs"
        return f"{kept}; go on with each by the same command with --resume RUN in place of --seed and --seeds"
    if not isinstance(error, Interrupted):
        return ""
    run = str(error)
    start = run if written(checkpoints(run)) else resumed
    how = f"; go on from the last checkpoint by the same command with --resume {start}" if start else "; it left no checkpoint"
    return f"what run {run} recorded is kept{how}"
