"""How fast the simulator is, as ratios within one run: against vectorised C, closed against open loop, one ``env.step``.

``python -m benchmarks.simulator --json``. One core; the sides of a ratio alternate and each counts its best round, so that
what else the machine does weighs on both alike.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from benchmarks.c_limit import PLANTS, Limit, available, compiled, pointer
from benchmarks.provenance import arguments, report
from plant_models import environment_id
from plant_models.catalogue import get, names
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.scenario import draw
from plant_models.env.simulator import Simulator
from plant_models.env.substeps import substeps

NAME, SUBSTEPS = "exothermic_cstr", 10
PARAMETERS = ("q", "V", "rho", "c_p", "dH", "E_R", "k_0", "UA")


class Sides:
    """The kernel and the C limit on the same plants."""

    def __init__(self, plant: Plant, count: int) -> None:
        self.plant, self.count, self.h = plant, count, plant.loop_period / count
        self.simulator = Simulator(plant, PLANTS, plant.scenario().steps, count)
        self.simulator.load(draw(plant, plant.scenario(), 0, PLANTS, "judging"), np.arange(PLANTS))
        self._start = self.simulator.S.data.copy()

    def begin(self) -> None:
        """Put the kernel's plants back to their start."""
        self.simulator.S.data[:] = self._start

    def kernel_open(self, steps: int) -> None:
        """Integrate open loop by the kernel."""
        s = self.simulator
        s.kernel.open_loop(s.S.data, s.P.data, s.E.data, s.noise, PLANTS, steps * self.count, self.h)

    def kernel_closed(self, decisions: int) -> None:
        """Run whole decisions by the kernel."""
        s = self.simulator
        s.kernel.closed_loop(s.S.data, s.P.data, s.E.data, s.noise, s.noises, s.k, decisions, self.count)

    def limit(self) -> Limit:
        """Return the same plants in C, as they stand."""
        return Limit(self.plant, self.simulator.S, self.simulator.P, self.simulator.E)


class HandWritten:
    """The stirred tank as an engineer would write it in C, its parameters in arrays or baked in."""

    def __init__(self, sides: Sides) -> None:
        self._library = compiled((Path(__file__).parent / "cstr_limit.c").read_text())
        S, P, names = sides.simulator.S, sides.simulator.P, sides.plant.Parameter.names()
        parameters = [P.read("p")[names.index(name)] for name in PARAMETERS]
        self._columns = [np.ascontiguousarray(row) for row in (*S.read("x"), *S.read("u"), *S.read("d"), *parameters)]
        self._h = ctypes.c_double(sides.h)

    def run(self, steps: int) -> None:
        """Integrate ``steps`` sub-steps, parameters in arrays."""
        self._library.advance(*map(pointer, self._columns), PLANTS, steps, self._h)

    def run_baked(self, steps: int) -> None:
        """Integrate ``steps`` sub-steps, parameters baked in."""
        self._library.advance_baked(*map(pointer, self._columns[:5]), PLANTS, steps, self._h)

    def states(self) -> Array:
        """Return the states, (states, plants)."""
        return np.stack(self._columns[:2])


def relative_difference(a: Array, b: Array) -> float:
    """Return the largest relative difference between two arrays; not a number where either holds one."""
    return float(np.max(np.abs(a / b - 1.0)))


def rates(sides: dict[str, Callable[[], None]], work: int, rounds: int) -> dict[str, float]:
    """Return plant-steps per second of each side, best of alternating rounds of ``work`` plant-steps."""
    best = dict.fromkeys(sides, 0.0)
    for _ in range(rounds):
        for name, run in sides.items():
            begun = time.perf_counter()
            run()
            best[name] = max(best[name], work / (time.perf_counter() - begun))
    return best


def gym_step(name: str, steps: int) -> dict[str, float]:
    """Return the median microseconds of a step and the mean of a reset on ``gym.make``."""
    env = gymnasium.make(environment_id(name))
    env.reset(seed=0)
    action = np.zeros(env.action_space.shape or (1,), dtype=np.float32)
    taken, resets = [], []
    for _ in range(steps):
        begun = time.perf_counter()
        *_, terminated, truncated, _ = env.step(action)
        taken.append(time.perf_counter() - begun)
        if terminated or truncated:
            begun = time.perf_counter()
            env.reset()
            resets.append(time.perf_counter() - begun)
    return {"gym_step_us": 1e6 * float(np.median(taken)), "gym_reset_us": 1e6 * float(np.mean(resets or [0.0]))}


def reactor(quick: bool) -> dict[str, Any]:
    """Measure the stirred tank against hand-written C, ten sub-steps a plant-step."""
    steps, rounds = (20, 2) if quick else (400, 25)
    sides, loops = Sides(get(NAME), SUBSTEPS), get(NAME).loops_per_decision
    closed = -(-steps // loops)
    runs: dict[str, Callable[[], None]] = {
        "open_loop": lambda: sides.kernel_open(closed * loops),
        "closed_loop": lambda: sides.kernel_closed(closed),
    }
    agreement = None
    if available():
        c = HandWritten(sides)
        sides.kernel_open(10)
        c.run(10 * SUBSTEPS)
        agreement = relative_difference(c.states(), sides.simulator.S.read("x"))
        runs |= {"c": lambda: c.run(closed * loops * SUBSTEPS), "c_baked": lambda: c.run_baked(closed * loops * SUBSTEPS)}
    rates(runs, 1, 1)
    found = rates(runs, PLANTS * closed * loops, rounds)
    return {
        "plant": NAME, "plants_in_step": PLANTS, "substeps": SUBSTEPS,
        "ratio_to_c": _over(found, "open_loop", "c"),
        "ratio_to_c_with_constants_baked_in": _over(found, "open_loop", "c_baked"),
        "closed_loop_ratio": found["closed_loop"] / found["open_loop"],
        "plant_steps_per_s": {name: round(rate) for name, rate in found.items()},
        "kernel_against_c": agreement,
        **gym_step(NAME, 200 if quick else 30_000),
    }  # fmt: skip


def every(name: str, quick: bool) -> dict[str, Any]:
    """Measure one plant against its own straight-line code in C, in the sub-steps that it needs."""
    plant, rounds = get(name), 2 if quick else 15
    sides = Sides(plant, substeps(plant))
    once = _duration(lambda: sides.kernel_open(1))
    steps = 1 if quick else max(1, round(0.02 / once))
    runs: dict[str, Callable[[], None]] = {"kernel": lambda: sides.kernel_open(steps)}
    if available():
        sides.begin()
        limit = sides.limit()
        runs["c"] = lambda: limit.run(steps * sides.count, sides.h)
    rates(runs, 1, 1)
    found = rates(runs, PLANTS * steps, rounds)
    single = gym_step(name, 50 if quick else 2_000)["gym_step_us"]
    return {
        "steps_per_s": round(found["kernel"]),
        "ratio_to_c": _over(found, "kernel", "c"),
        "us_single": single,
        "substeps": sides.count,
    }


def _duration(run: Callable[[], None]) -> float:
    run()
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def _over(found: dict[str, float], one: str, other: str) -> float | None:
    return found[one] / found[other] if other in found else None


def measure(quick: bool, plants: tuple[str, ...]) -> dict[str, Any]:
    """Measure everything."""
    return reactor(quick) | {"plants": {name: every(name, quick) for name in plants}}


if __name__ == "__main__":
    options = arguments(__doc__ or "")
    report(measure(options.quick, options.plants or names()), options)
