"""A plant's closed loop as one function over many plants: generated, compiled, cached on disk, loaded.

The step of a decision runs in one call: gather what the scenario prescribes, move the offsets, run PID layer and plant
sub-step by sub-step, read the instruments, sum the objective, write the next observation.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from types import ModuleType

import llvmlite.binding as llvm
from numba.core.dispatcher import Dispatcher

from plant_models.core.plant import Plant
from plant_models.derive.cache import kept
from plant_models.derive.closed_loop import Piece, Trace
from plant_models.derive.emit import emit
from plant_models.derive.interpreter import PLAIN_HEAD, compiles_nothing, interpret
from plant_models.derive.layout import LANES, STRIDE, Level, bin_periods
from plant_models.derive.observation import Observation, observation
from plant_models.derive.vector_math import HEAD

DRIVER = """
@plain
def gather(s, p, e, M, k, A, first, m):
    for lane in range(m):
        plant = first + lane
        t = k[plant]
        shift = t + int(p[@ADVANCE@ * @STRIDE@ + lane])
        for i in range(@EXOGENOUS@):
            e[i * @STRIDE@ + lane] = M[plant, t, i]
        for i in range(@REFERENCE@, @REFERENCE@ + @MASTERS@):
            e[i * @STRIDE@ + lane] = M[plant, shift, i]
        for i in range(@DISTURBANCES@):
            e[(@NEXT@ + i) * @STRIDE@ + lane] = M[plant, t + 1, i]
        for i in range(A.shape[1]):
            e[(@ACTION@ + i) * @STRIDE@ + lane] = A[plant, i]
        for i in range(@FADINGS@):
            p[@FADING@[i] * @STRIDE@ + lane] = M[plant, t, @EXOGENOUS@ + i]


@plain
def noise(n, W, k, j, first, m):
    for lane in range(m):
        for i in range(@NOISE@):
            n[i * @STRIDE@ + lane] = W[first + lane, k[first + lane] * @LOOPS@ + j + 1, i]


@plain
def accept(A, clipped):
    for e in range(A.shape[0]):
        for i in range(A.shape[1]):
            if not math.isfinite(A[e, i]):
                return False
    for e in range(A.shape[0]):
        for i in range(A.shape[1]):
            if abs(A[e, i]) > 1.0:
                A[e, i] = 1.0 if A[e, i] > 0.0 else -1.0
                clipped[e] += 1
    return True


@plain
def decide(s, p, e, n, W, k, first, m, substeps):
    begin(s, p, e, n, 0.0, m)
    for j in range(@LOOPS@):
        noise(n, W, k, j, first, m)
        control(s, p, e, n, (j + 0.5) / @LOOPS@, m)
        for i in range(substeps):
            substep(s, p, e, n, @PERIOD@ / substeps, m)
        measure(s, p, e, n, 1.0 if (j + 1) % @BIN@ == 0 else 0.0, m)
    finish(s, p, e, n, 0.0, m)


@plain
def see(S, P, M, F, k, OBS):
    for c in range(S.shape[0]):
        observe(S[c], P[c], M, F, k, OBS, c * @LANES@, min(@LANES@, k.shape[0] - c * @LANES@))


@plain
def step(S, P, E, N, M, W, F, k, A, clipped, OBS, R, substeps):
    # Advances every plant by one decision; False, with nothing changed, where an action is not finite.
    if not accept(A, clipped):
        return False
    for c in range(S.shape[0]):
        first = c * @LANES@
        m = min(@LANES@, k.shape[0] - first)
        s = S[c]
        gather(s, P[c], E[c], M, k, A, first, m)
        decide(s, P[c], E[c], N[c], W, k, first, m, substeps)
        for lane in range(m):
            k[first + lane] += 1
            R[first + lane, 0] = s[@STAGE@ * @STRIDE@ + lane]
            R[first + lane, 1] = s[@STATUS@ * @STRIDE@ + lane]
        observe(s, P[c], M, F, k, OBS, first, m)
    return True


@plain
def open_loop(S, P, E, N, plants, steps, h):
    # Integrates with inputs and disturbances held, and nothing else.
    for c in range(S.shape[0]):
        m = min(@LANES@, plants - c * @LANES@)
        for i in range(steps):
            advance(S[c], P[c], E[c], N[c], h, m)


@plain
def closed_loop(S, P, E, N, W, k, steps, substeps):
    # Decisions with everything exogenous held: PID layer, plant, margins, objective.
    for c in range(S.shape[0]):
        first = c * @LANES@
        m = min(@LANES@, k.shape[0] - first)
        for i in range(steps):
            decide(S[c], P[c], E[c], N[c], W, k, first, m, substeps)
"""


class Kernel:
    """The step of one plant at one action level, with its memory map.

    Compiled, or where Numba is told to compile nothing (``NUMBA_DISABLE_JIT=1``) and where it is asked to be ``slow``,
    interpreted: the same pieces by CasADi.
    """

    def __init__(self, plant: Plant, level: Level = "setpoint", operated: bool = False, slow: bool = False) -> None:
        trace = Trace(plant, level, operated)
        self.plant, self.level, self.layout = plant, level, trace.layout
        self.observation: Observation = observation(plant, trace.layout, level)
        self.compiled = not (slow or compiles_nothing())
        self._module = load(source(trace, self.observation)) if self.compiled else interpreted(trace, self.observation)
        self.name: str = self._module.__name__
        self.step: Callable[..., bool] = self._module.step
        self.see: Callable[..., None] = self._module.see
        self.open_loop: Callable[..., None] = self._module.open_loop
        self.closed_loop: Callable[..., None] = self._module.closed_loop


@cache
def kernel(plant: Plant, level: Level = "setpoint", operated: bool = False, slow: bool = False) -> Kernel:
    """Return the kernel, made once a process."""
    return Kernel(plant, level, operated, slow)


def source(trace: Trace, observed: Observation) -> str:
    """Return the whole text of the generated module."""
    return HEAD + "".join(f"@compiled\n{emit(piece)}\n\n" for piece in pieces(trace)) + _driver(trace, observed)


def interpreted(trace: Trace, observed: Observation) -> ModuleType:
    """Return the same module with nothing compiled: slow, at once there, and independent of :mod:`emit`."""
    compiled = hashlib.sha256(source(trace, observed).encode()).hexdigest()
    module = load(f"{PLAIN_HEAD}# {compiled}\n\n\n{_driver(trace, observed)}")
    for piece in pieces(trace):
        setattr(module, piece.name, interpret(piece))
    return module


def pieces(trace: Trace) -> tuple[Piece, ...]:
    """Return what a kernel is made of."""
    return trace.begin(), trace.control(), trace.substep(), trace.measure(), trace.finish(), trace.advance()


def _driver(trace: Trace, observed: Observation) -> str:
    driver = re.sub(r"@([A-Z]+)@", lambda match: str(_numbers(trace)[match[1]]), DRIVER)
    return f"@plain\n{observed.source}\n\n{driver}"


def _numbers(trace: Trace) -> dict[str, float | str]:
    rows, plant = trace.layout, trace.plant
    fading = [plant.Parameter.names().index(name) for name in rows.fading]
    return {
        "ADVANCE": rows.P.row("advance"), "EXOGENOUS": rows.exogenous, "REFERENCE": rows.E.row("r"),
        "MASTERS": len(plant.masters), "DISTURBANCES": rows.E["d"].stop, "NEXT": rows.E.row("d1"),
        "FADINGS": len(rows.fading), "FADING": str(tuple(rows.P.row("p") + i for i in fading) or (0,)),
        "ACTION": rows.E.row("a"), "NOISE": rows.noise, "LOOPS": plant.loops_per_decision,
        "STAGE": rows.S.row("stage"), "STATUS": rows.S.row("status"), "LANES": LANES, "STRIDE": STRIDE,
        "PERIOD": plant.loop_period, "BIN": bin_periods(plant),
    }  # fmt: skip


@cache
def _merge_memory_checks() -> None:
    """Let LLVM merge its overlap checks of any number of rows; beyond a hundred it would give up vectorising."""
    llvm.set_option("setpoint", "--memory-check-merge-threshold=1000000")


def load(text: str) -> ModuleType:
    """Import the module of this text from the cache folder, writing it there first where it is new."""
    _merge_memory_checks()
    name = "kernel_" + hashlib.sha256(text.encode()).hexdigest()[:32]
    if name in sys.modules:
        return sys.modules[name]
    path = kept(f"{name}.py", text.encode, partial(_holds, text))
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    _self_contained(module)
    return module


def _self_contained(module: ModuleType) -> None:
    """Have every function hold the code of those that it calls.

    One that was just compiled would run them as they were compiled for themselves, which rounds otherwise than its own copies
    of them, and those alone are kept on disk: the first process to need a kernel would differ from all later ones.
    """
    for function in vars(module).values():
        if isinstance(function, Dispatcher):
            function.targetoptions["forceinline"] = True


def _holds(text: str, path: Path) -> bool:
    return path.read_text() == text
