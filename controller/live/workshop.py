"""Where a session's controllers and shields are built, ahead of the order that asks for them, since both may take long."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping
from multiprocessing import get_context

from controller.baselines import Pid
from controller.interface import Controller
from controller.live.case import Case, sound
from controller.live.driver import Distant, Driver, Inline
from controller.nmpc import NAMES
from controller.safety.governor import Calibration, Governor
from controller.safety.known import calibrated, check, found
from plant_models.catalogue import get
from plant_models.core.errors import BadInput, UnknownName, unknown
from plant_models.core.plant import Plant

PID = "pid"
Load = Callable[[Plant], Controller]


class Kept:
    """Builds controllers by name: ``pid``, those of NMPC, and ``policies``, each loaded when it is first asked for."""

    def __init__(self, case: Case, policies: Mapping[str, Load]) -> None:
        self.case, self._policies = case, policies
        self._episodes = sound(case)
        self._plant = self._episodes.plant
        self._drivers: list[Driver] = []
        self._governors: list[Governor] = []
        self._known: Calibration | None = None
        self._closed, self._lock = False, threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """The controllers that there are."""
        return (PID, *self._policies, *NAMES[:1])

    def preparation(self, name: str, count: int) -> tuple[str, Callable[[], None]] | None:
        """Return what a controller's building is called and does; None where it takes no time."""
        if name in NAMES:
            return f"{name.upper()} is being built", lambda: self._build(name, count)
        return None

    def shielding(self, count: int) -> tuple[str, Callable[[], None]]:
        """Return what a shield's building is called and does: the first one of a plant and scenario takes minutes."""
        return "the shield is being calibrated, which takes minutes the first time", lambda: self._calibrate(count)

    def driver(self, name: str) -> Driver:
        """Return a controller of this name; raises UnknownName, BadInput where it cannot run, InvalidFile."""
        with self._lock:
            ready = next((driver for driver in self._drivers if driver.name == name), None)
            if ready is not None:
                self._drivers.remove(ready)
                return ready
        return self._made(name)

    def governor(self) -> Governor:
        """Return a shield; raises BadInput for a plant without hard limits."""
        with self._lock:
            if self._governors:
                return self._governors.pop()
        self._calibrate(1)
        return self.governor()

    def known(self) -> Calibration:
        """Return what a shell knows of the plant; raises BadInput for a plant without hard limits."""
        if self._known is None:
            self._calibrate(0)
        assert self._known is not None
        return self._known

    def close(self) -> None:
        """Let go of what was built and not asked for, also of what is only built later."""
        with self._lock:
            self._closed = True
            for driver in self._drivers:
                driver.close()
            self._drivers.clear()

    def _made(self, name: str) -> Driver:
        if name in NAMES:
            return Distant(name, self.case)
        if name == PID:
            return Inline(name, Pid(self._plant), self._episodes)
        if name not in self._policies:
            raise UnknownName(unknown("controller", name, self.names))
        return Inline(name, self._policies[name](self._plant), self._episodes)

    def _build(self, name: str, count: int) -> None:
        for _ in range(count):
            driver = self._made(name)
            with self._lock:
                if self._closed:
                    driver.close()
                    return
                self._drivers.append(driver)

    def _calibrate(self, count: int) -> None:
        scenario = self._plant.scenario(self.case.scenario)
        check(self._plant, scenario)
        known = self._known or found(self._plant, scenario)
        if known is None:
            process = get_context("spawn").Process(target=_calibrated, args=(self.case,), daemon=True)  # ends where this one does
            process.start()
            process.join()
            if process.exitcode:
                raise BadInput(f"the shield of {self.case.plant} cannot be calibrated: its process ended with {process.exitcode}")
            known = calibrated(self._plant, scenario)
        self._known = known
        governors = [Governor(self._plant, 1, known) for _ in range(count)]
        with self._lock:
            self._governors += governors


def _calibrated(case: Case) -> None:
    """Calibrate in another process, which leaves what it found in the user's cache."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it ends it
    plant = get(case.plant)
    calibrated(plant, plant.scenario(case.scenario))
