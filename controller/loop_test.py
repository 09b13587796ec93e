"""Setpoint steps of one loop at the plant's nominal rest, with its own gains or others, on the plant's own equations."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from plant_models.core.duty import Batch
from plant_models.core.errors import BadInput
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array, Draw, Scenario, Signals
from plant_models.derive.layout import AUTO, CAS, MAN
from plant_models.derive.linear import Robustness
from plant_models.derive.steady import nominal_equilibrium
from plant_models.env.scenario import draw
from plant_models.env.simulator import Simulator
from plant_models.env.start import Settings
from plant_models.env.substeps import substeps

MOST = 1200
"""Loop periods of a test; it is as long as that allows."""
BEFORE = 0.08
"""Share of a test that runs before the step."""
SETTLED = 0.05


@dataclass(frozen=True)
class Trial:
    """What a setpoint step brought, every loop period: ``time`` from the step on, setpoint and outputs of the plant.

    ``outputs`` (outputs, samples), ``inputs`` (inputs, samples); ``failed`` where the plant tripped or could not be integrated.
    """

    time: Array
    setpoint: Array
    outputs: Array
    inputs: Array
    failed: bool


@dataclass(frozen=True)
class Judgement:
    """A trial in figures: IAE in PV unit times time unit, overshoot in % of the step, 5 % settling time, full strokes."""

    iae: float
    overshoot: float
    settling: float
    travel: float


class LoopTest:
    """One loop of a plant under test; the others stay in automatic, its slaves follow it, its masters are released."""

    def __init__(self, plant: Plant, tag: str, duration: float) -> None:
        if isinstance(plant.duty, Batch):
            raise BadInput(f"{plant.name} is a batch: it has no rest to step a setpoint from; benchmark its recipe instead")
        self.plant, self._i = plant, [loop.tag for loop in plant.loops].index(tag)
        rest = nominal_equilibrium(plant)
        count = int(np.clip(duration * (1.0 + BEFORE) / plant.loop_period, 50, MOST))
        start = dict(zip(plant.State.names(), rest.tolist(), strict=True))
        scenario = Scenario(name="at rest", description="at rest", steps=count, signals=_Held(start), exact=True)
        self._fine = replace(plant, decision=plant.loop_period, scenarios=(scenario,), advance=0)
        drawn = draw(self._fine, scenario, 0, 1, "judging")
        self._episodes = replace(drawn, noise=np.zeros_like(drawn.noise))
        self._simulator = Simulator(self._fine, 1, count, substeps(plant), operated=True)
        self._robustness = Robustness(plant, rest)

    @property
    def loop(self) -> Loop:
        """The loop under test, as the plant declares it."""
        return self.plant.loops[self._i]

    def loops(self, gains: Gains | None) -> tuple[Loop, ...]:
        """The plant's loops with other K_c, T_i and T_d in the one under test; setpoint weight and feed-forwards stay."""
        own = self.plant.loops[self._i]
        if gains is None:
            return self.plant.loops
        put = replace(own, gains=replace(own.gains, K_c=gains.K_c, T_i=gains.T_i, T_d=gains.T_d))
        return (*self.plant.loops[: self._i], put, *self.plant.loops[self._i + 1 :])

    def sensitivity(self, gains: Gains | None) -> float:
        """The peak M_s of the whole layer with these gains; infinite where it is unstable."""
        settings = Settings.of(self.plant, self.loops(gains), 0)
        return self._robustness.peak(settings.coefficients, settings.limits)

    def run(self, size: float, gains: Gains | None = None) -> Trial:
        """Step the setpoint by ``size``, within its limits, and return what happened."""
        simulator, loop = self._simulator, self.plant.loops[self._i]
        simulator.load(self._episodes, np.zeros(1, dtype=np.intp), Settings.of(self._fine, self.loops(gains), 0))
        count = len(self.plant.loops)
        simulator.S.write("was", np.full((count, 1), MAN))
        bounds = np.array([(each.low, each.high) for each in self.plant.loops])
        local = np.clip(simulator.S.read("y")[self._columns(), 0], bounds[:, 0], bounds[:, 1])
        moved = local.copy()
        moved[self._i] = np.clip(local[self._i] + size, loop.low, loop.high)
        begin = round(BEFORE * simulator.steps)
        simulator.E.write("mode", self._modes())
        simulator.E.write("manual", self._outputs())
        rows = [self._row(local)]
        for k in range(simulator.steps):
            target = local if k < begin else moved
            simulator.E.write("local", target[:, None])
            simulator.step(np.zeros((1, simulator.kernel.layout.actions)))
            rows.append(self._row(target))
        tape, first = np.stack(rows), len(self.plant.Output.names())
        time = self.plant.loop_period * (np.arange(len(tape), dtype=np.float64) - begin)
        failed = bool(simulator.S.read("status")[0, 0] != 0.0)
        held = np.append(tape[1:, 0], tape[-1, 0])  # from each sample to the next
        return Trial(time, held, tape[:, 1 : 1 + first].T, tape[:, 1 + first :].T, failed)

    def judged(self, trial: Trial) -> Judgement:
        """The figures of a trial."""
        q = list(self.plant.Output.quantities())
        pv = trial.outputs[q.index(self.plant.loops[self._i].pv)]
        after = trial.time >= 0.0
        y, sp, h = pv[after], trial.setpoint[after], self.plant.loop_period
        size = float(sp[-1] - trial.setpoint[0])
        beyond = float(((y - sp[-1]) * np.sign(size)).max())
        outside = np.flatnonzero(np.abs(y - sp[-1]) > SETTLED * abs(size))
        settling = float(outside[-1] + 1) * h if len(outside) else 0.0
        spans = np.array([[each.high - each.low] for each in self.plant.Input.quantities().values()])
        travel = float((np.abs(np.diff(trial.inputs[:, after])) / spans).sum())
        settled = settling if not len(outside) or outside[-1] + 1 < len(y) else float("nan")
        return Judgement(float(np.abs(y - sp).sum() * h), 100.0 * max(beyond, 0.0) / abs(size), settled, travel)

    def _row(self, local: Array) -> Array:
        S = self._simulator.S
        return np.concatenate([[local[self._i]], S.read("y")[:, 0], S.read("u")[:, 0]])

    def _columns(self) -> list[int]:
        names = self.plant.Output.names()
        return [names.index(loop.pv) for loop in self.plant.loops]

    def _modes(self) -> Array:
        """The tested loop in AUTO, those above it in MAN, every other master in AUTO, slaves in CAS."""
        tags, above = [loop.tag for loop in self.plant.loops], set[str]()
        wanted = tags[self._i]
        for loop in reversed(self.plant.loops):
            if loop.sp_of == wanted or loop.sp_of in above:
                above.add(loop.tag)
        modes = [AUTO if loop.tag == wanted or loop in self.plant.masters else CAS for loop in self.plant.loops]
        return np.array([[MAN if loop.tag in above else mode] for loop, mode in zip(self.plant.loops, modes, strict=True)])

    def _outputs(self) -> Array:
        """What every loop's output is at rest, for those in MAN."""
        plant, inputs, outputs = self.plant, self.plant.Input.quantities(), self.plant.Output.quantities()
        found = [inputs[loop.mv].nominal if loop.mv else outputs[plant.slave(loop).pv].nominal for loop in plant.loops]
        return np.reshape(np.asarray(found, dtype=float), (-1, 1))


@dataclass(frozen=True)
class _Held:
    """A scenario's signals: everything nominal, the state at its rest."""

    start: dict[str, float]

    def __call__(self, drawn: Draw) -> Signals:
        """Prescribe nothing but the start."""
        return Signals(initial={name: np.full(drawn.n, value) for name, value in self.start.items()})
