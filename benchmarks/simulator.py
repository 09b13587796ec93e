"""How fast the simulator is, as ratios within one run: against vectorised C, closed against open loop, one ``env.step``.

``python benchmarks/simulator.py --json``. One core; the sides of a ratio alternate and each counts its best round, so that
what else the machine does weighs on both alike.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from benchmarks.provenance import arguments, report
from plant_models import environment_id
from plant_models.catalogue import get
from plant_models.core.scenario import Array
from plant_models.env.scenario import draw
from plant_models.env.simulator import Simulator

NAME, PLANTS, SUBSTEPS = "exothermic_cstr", 256, 10
PARAMETERS = ("q", "V", "rho", "c_p", "dH", "E_R", "k_0", "UA")


def compiled_c() -> ctypes.CDLL | None:
    """Compile and load the C limit; None where there is no gcc."""
    if shutil.which("gcc") is None:
        return None
    library = Path(tempfile.mkdtemp(prefix="setpoint-limit-")) / "limit.so"
    source = Path(__file__).parent / "cstr_limit.c"
    flags = ["-Ofast", "-march=native", "-shared", "-fPIC"]
    subprocess.run(["gcc", *flags, str(source), "-o", str(library), "-lmvec", "-lm"], check=True)
    return ctypes.CDLL(str(library))


def pointer(array: Array) -> ctypes.c_void_p:
    """Return the address of a contiguous array."""
    return ctypes.c_void_p(array.ctypes.data)


class Sides:
    """The kernel and the C limit on the same plants."""

    def __init__(self) -> None:
        self.plant = get(NAME)
        self.simulator = Simulator(self.plant, PLANTS, self.plant.scenario().steps)
        self.simulator.load(draw(self.plant, self.plant.scenario(), 0, PLANTS, "judging"), np.arange(PLANTS))
        self.h = self.plant.loop_period / self.plant.substeps
        self.library = compiled_c()
        self.columns = self._columns()

    def _columns(self) -> list[Array]:
        S, P = self.simulator.S, self.simulator.P
        names = self.plant.Parameter.names()
        parameters = [P.read("p")[names.index(name)] for name in PARAMETERS]
        return [np.ascontiguousarray(row) for row in (*S.read("x"), *S.read("u"), *S.read("d"), *parameters)]

    def kernel_open(self, steps: int) -> None:
        """Integrate open loop by the kernel."""
        s = self.simulator
        s.kernel.open_loop(s.S.data, s.P.data, s.E.data, s.noise, PLANTS, steps * SUBSTEPS)

    def kernel_closed(self, steps: int) -> None:
        """Run whole decisions by the kernel."""
        s = self.simulator
        s.kernel.closed_loop(s.S.data, s.P.data, s.E.data, s.noise, s.noises, s.k, steps)

    def limit(self, steps: int) -> None:
        """Integrate open loop by the C limit, with parameters in arrays."""
        assert self.library is not None
        self.library.advance(*map(pointer, self.columns), PLANTS, steps * SUBSTEPS, ctypes.c_double(self.h))

    def limit_baked(self, steps: int) -> None:
        """Integrate open loop by the C limit, with the parameters baked in."""
        assert self.library is not None
        self.library.advance_baked(*map(pointer, self.columns[:5]), PLANTS, steps * SUBSTEPS, ctypes.c_double(self.h))

    def disagreement(self) -> float:
        """Return the largest relative difference between kernel and C after ten plant-steps from the same start."""
        self.columns = self._columns()
        self.kernel_open(10)
        self.limit(10)
        reached = self.simulator.S.read("x")
        return float(max(np.max(np.abs(c / k - 1.0)) for c, k in zip(self.columns, reached, strict=False)))


def rates(sides: dict[str, Callable[[int], None]], steps: int, rounds: int) -> dict[str, float]:
    """Return plant-steps per second of each side, best of alternating rounds."""
    best = dict.fromkeys(sides, 0.0)
    for _ in range(rounds):
        for name, run in sides.items():
            begun = time.perf_counter()
            run(steps)
            best[name] = max(best[name], PLANTS * steps / (time.perf_counter() - begun))
    return best


def gym_step(steps: int) -> dict[str, float]:
    """Return the median microseconds of a step and the mean of a reset on ``gym.make``."""
    env = gymnasium.make(environment_id(NAME))
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


def measure(quick: bool) -> dict[str, Any]:
    """Measure everything."""
    steps, rounds = (20, 2) if quick else (400, 25)
    sides = Sides()
    disagreement = sides.disagreement() if sides.library else None
    runs: dict[str, Callable[[int], None]] = {"open_loop": sides.kernel_open, "closed_loop": sides.kernel_closed}
    if sides.library:
        runs |= {"c": sides.limit, "c_baked": sides.limit_baked}
    rates(runs, 2, 1)
    found = rates(runs, steps, rounds)
    c, baked = found.get("c"), found.get("c_baked")
    return {
        "plant": NAME, "plants": PLANTS, "substeps": SUBSTEPS,
        "ratio_to_c": found["open_loop"] / c if c else None,
        "ratio_to_c_with_constants_baked_in": found["open_loop"] / baked if baked else None,
        "closed_loop_ratio": found["closed_loop"] / found["open_loop"],
        "plant_steps_per_s": {name: round(rate) for name, rate in found.items()},
        "kernel_against_c": disagreement,
        **gym_step(200 if quick else 30_000),
    }  # fmt: skip


if __name__ == "__main__":
    options = arguments(__doc__ or "")
    report(measure(options.quick), options)
