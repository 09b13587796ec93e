"""Who moves the setpoints of a twin: a controller in this process, or NMPC in a process of its own."""

from __future__ import annotations

from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import NamedTuple, Protocol

import numpy as np

from controller.interface import Controller, Panel, Reading
from controller.live.case import Case, sound
from plant_models.core.errors import BadInput, SetpointError
from plant_models.core.scenario import Array
from plant_models.env.scenario import Episodes, Single

SECONDS_TO_END = 2.0


class Answer(NamedTuple):
    """An action (1, actions), and the outputs foreseen from now on, (samples, outputs); no samples where none are."""

    action: Single
    foreseen: Array


class Driver(Protocol):
    """What decides for one plant."""

    name: str

    def act(self, reading: Reading) -> Answer:
        """Decide; raises BadInput where it cannot any more."""

    def close(self) -> None:
        """Let go of what it holds."""


class Inline:
    """A controller that decides at once: the PID layer, or a policy.

    Raises:
        BadInput: for one that moves anything but the setpoints of the PID layer.
    """

    def __init__(self, name: str, controller: Controller, episodes: Episodes) -> None:
        if controller.level != "setpoint":
            raise BadInput(f"{name}: acts at level {controller.level!r}; twins are driven at level 'setpoint'")
        self.name, self._controller = name, controller
        self._none = np.empty((0, len(episodes.plant.Output.names())))
        controller.plan(episodes)

    def act(self, reading: Reading) -> Answer:
        """Ask the controller."""
        return Answer(self._controller.act(reading), self._none)

    def close(self) -> None:
        """There is nothing to let go of."""


class Distant:
    """NMPC in a process of its own, so that neither clock nor browser waits for more than its answer.

    Raises:
        BadInput: where the process cannot build it; the text says why.
    """

    def __init__(self, name: str, case: Case) -> None:
        context = get_context("spawn")
        self.name = name
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, name, case), daemon=True)
        self._process.start()
        theirs.close()
        try:
            self._heard()
        except BadInput:
            self.close()
            raise

    def act(self, reading: Reading) -> Answer:
        """Ask, and wait for the answer; raises BadInput where the process has ended."""
        try:
            self._line.send(reading.panel())
        except OSError as error:
            raise self._lost() from error
        return self._heard()

    def close(self) -> None:
        """End the process."""
        self._line.close()
        self._process.join(SECONDS_TO_END)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _heard(self) -> Answer:
        try:
            answer: Answer | str = self._line.recv()
        except (EOFError, OSError) as error:
            raise self._lost() from error
        if isinstance(answer, str):
            raise BadInput(f"{self.name}: {answer}")
        return answer

    def _lost(self) -> BadInput:
        return BadInput(f"{self.name}: its process has ended; PID goes on, choose a controller again")


def serve(line: Connection, name: str, case: Case) -> None:
    """Build NMPC and answer panels until the line is closed; the first answer says that it is ready."""
    from controller.nmpc import nmpc

    try:
        episodes = sound(case)
        controller = nmpc(episodes.plant, name)
        controller.plan(episodes)
        nothing = np.empty((1, 0), dtype=np.float32)
        line.send(Answer(nothing, np.empty((0, 0))))
        while True:
            panel: Panel = line.recv()
            action = controller.act(Reading(nothing, lambda panel=panel: panel))  # type: ignore[misc]
            line.send(Answer(action, controller.foreseen()))
    except (EOFError, OSError, KeyboardInterrupt):
        return
    except SetpointError as error:
        line.send(str(error))
