"""Nonlinear model predictive control: at each decision the best course over a horizon, of which the first step is applied.

It knows what the panel shows, and estimates the rest (:mod:`plant_models.derive.observer`). It predicts with the plant file's
own equations and PID layer and minimises exactly what is judged (:mod:`plant_models.derive.shooting`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from controller.foresight import day, expected, known
from controller.interface import Panel, Reading
from controller.liveliness import liveliness
from plant_models.core.duty import Batch
from plant_models.core.errors import BadInput
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array, Draw
from plant_models.derive.layout import Level
from plant_models.derive.observer import Estimate, Observer, observer
from plant_models.derive.prediction import Prediction, prediction
from plant_models.derive.shooting import STATUSES, Course, Shooting, Status, shooting, spans
from plant_models.env.lookahead import coarser
from plant_models.env.scenario import BLOCK, Episodes, Single
from plant_models.env.start import Settings

NAMES = ("nmpc", "nmpc with preview")
"""What the command line offers; level ``direct`` shows no setpoints to record."""
LIMIT = 200
"""Iterations after which a search is late."""
SHORTEST = 4
"""Decisions in the shortest problem of a batch; those beyond its end cost nothing."""
CONSTANT = (-1.0, -0.5, 0.5, 1.0)
"""Courses that a search may begin from, beside the last one and the PID layer alone: one action held at these shares."""


@dataclass(frozen=True)
class Solve:
    """How one search ended; where its course was not ``used`` the plant was left to its PID layer."""

    status: Status
    used: bool
    iterations: int
    seconds: float


@dataclass(frozen=True)
class _Moment:
    """What was known and assumed at the last decision; first axis: plants."""

    panel: Panel
    estimate: Estimate
    z: Array
    e: Array
    past: Array
    courses: tuple[Array, ...]
    ahead: tuple[Array, Array]
    """What was foreseen of the first plant, (rows, horizon), and what was held true of it."""


class Nmpc:
    """Nonlinear model predictive control at level ``setpoint`` (offsets on the PID layer) or ``direct`` (inputs).

    ``horizon`` in decisions is by default that of :func:`decisions`, and what is left of a batch. A search that takes more than
    ``limit`` iterations or ``deadline`` seconds is late. Where a search is late, finds no course or meets what is not finite,
    the decision falls back to the PID layer (zero offset; at level ``direct`` the last course goes on), and ``solves`` says so.
    With ``preview`` the scenario's future is known, which it is in no control room. ``fineness`` is the prediction's sub-steps in
    a loop period, by default as few as show what the simulator shows.

    Raises:
        BadInput: for level ``absolute`` or a horizon below 1.
    """

    def __init__(
        self, plant: Plant, level: Level = "setpoint", horizon: int | None = None, limit: int = LIMIT,
        deadline: float | None = None, preview: bool = False, fineness: int | None = None,
    ) -> None:  # fmt: skip
        if level == "absolute":
            raise BadInput("nmpc at level 'absolute'; allowed are 'setpoint' and 'direct'")
        if horizon is not None and horizon < 1:
            raise BadInput(f"a horizon of {horizon} decisions; give at least 1")
        self.plant, self.level = plant, level
        self.name = "nmpc" + (" direct" if level == "direct" else "") + (" with preview" if preview else "")
        self.solves: list[Solve] = []
        self._asked, self._limit, self._deadline, self._preview = horizon, limit, deadline, preview
        self._unit, self._centre = spans(plant, level)
        self._fineness = fineness or coarser(plant)
        self._places = prediction(plant, level, self._fineness).s["p"]
        self._observer: Observer
        self._episodes: Episodes
        self._s: Array
        self._last: _Moment | None = None

    def plan(self, episodes: Episodes) -> Episodes:
        """Leave the setpoints as the plant's hierarchy sends them; forget the plants that ran before."""
        self._episodes, self._s, self._last = episodes, settings(episodes), None
        lively = liveliness(self.plant, episodes.scenario)
        self._observer = observer(self.plant, self.level, self._fineness, lively)
        return episodes

    def act(self, reading: Reading) -> Single:
        """Return the first step of the best course of each plant."""
        panel = reading.panel()
        n, estimate = len(panel.k), self._estimate(panel)
        s = np.tile(self._s, (n, 1))
        d, s[:, self._places] = self._observer.completed(estimate, panel.d, s[:, self._places])
        problem = self._problem(panel)
        past = d[:, None][:, :0] if self._last is None else self._last.past
        e = self._foreseen(panel, d, past, problem.horizon)
        z, w = self._state(self._observer.states(estimate), panel), self._observer.deviations(estimate)
        found = [self._search(problem, panel, i, (z[i], e[i], s[i], w[i])) for i in range(n)]
        past = np.concatenate([past, d[:, None]], axis=1)[:, -day(self.plant) :]
        self._last = _Moment(panel, estimate, z, e[:, :, 0], past, tuple(course for course, _ in found), (e[0], s[0]))
        return np.stack([action for _, action in found])

    def foreseen(self) -> Array:
        """Return the outputs that the last course brings the first plant by the model, from now on, (horizon + 1, outputs).

        Raises:
            BadInput: before the first decision.
        """
        if self._last is None:
            raise BadInput("nmpc foresees nothing before its first decision")
        model = prediction(self.plant, self.level, self._fineness)
        (e, s), z, course = self._last.ahead, self._last.z[0], self._last.courses[0]
        p, none = s[model.s["p"]], np.zeros(len(self.plant.State.names()))
        path = [self._shown(model, z, e[model.e["d"], 0], p)]
        for k, v in enumerate(course):
            z = model.step(z, v, e[:, k], s, none)[0].full()[:, 0]
            path.append(self._shown(model, z, e[model.e["d1"], k], p))
        return np.array(path)

    def _shown(self, model: Prediction, z: Array, d: Array, p: Array) -> list[float]:
        given = zip(self.plant.arguments, (z[model.z["x"]], z[model.z["u"]], d, p), strict=True)
        return [float(y) for y in self.plant.outputs(*(vector.of(list(values)) for vector, values in given))]

    def account(self) -> dict[str, float]:
        """Return how many searches ended how, how many decisions fell back, and seconds a search, median and 99th percentile."""
        counts = {status: float(sum(solve.status == status for solve in self.solves)) for status in STATUSES}
        seconds = [solve.seconds for solve in self.solves] or [0.0]
        fell_back = float(sum(not solve.used for solve in self.solves))
        p50, p99 = np.percentile(seconds, [50.0, 99.0])
        return counts | {"fell back": fell_back, "seconds, median": float(p50), "seconds, 99th percentile": float(p99)}

    def _foreseen(self, panel: Panel, d: Array, past: Array, horizon: int) -> Array:
        if self._preview:
            return known(self._episodes, panel, d, horizon)
        return expected(self.plant, panel, d, past, horizon)

    def _estimate(self, panel: Panel) -> Estimate:
        p = np.tile(self._s[self._places], (len(panel.k), 1))
        last = self._last
        if last is None:
            begun = self._observer.begin(len(panel.k), p[0])
            return self._observer.correct(begun, panel.y, panel.u, panel.d, p, wild=np.inf)
        e, s = last.e.copy(), np.tile(self._s, (len(panel.k), 1))
        after = e[:, -panel.d.shape[1] :]
        after[:] = np.where(np.isfinite(panel.d), panel.d, after)
        before = self._observer.predict(last.estimate, last.z, panel.v, e, s)
        return self._observer.correct(before, panel.y, panel.u, panel.d, p)

    def _state(self, x: Array, panel: Panel) -> Array:
        return np.hstack([x, panel.u] if self.level == "direct" else [x, panel.u, panel.memory])

    def _problem(self, panel: Panel) -> Shooting:
        """Return the problem of the horizon; that of a batch is the shortest of a few that reach its end."""
        steps, horizon = self._episodes.scenario.steps, self._asked or decisions(self._episodes)
        if isinstance(self.plant.duty, Batch):
            horizon, left = min(self._asked or steps, steps), steps - int(panel.k.min())
            while horizon // 2 >= max(left, SHORTEST):
                horizon //= 2
        return shooting(self.plant, self.level, horizon, self._fineness, self._limit, self._deadline)

    def _search(self, problem: Shooting, panel: Panel, i: int, given: tuple[Array, Array, Array, Array]) -> tuple[Array, Single]:
        """Return the course of one plant and the action that begins it; ``given`` are its ``z``, ``e``, ``s``, ``w``."""
        left = self._episodes.scenario.steps - int(panel.k[i]) if isinstance(self.plant.duty, Batch) else problem.horizon
        applied = panel.u[i] if self.level == "direct" else panel.v[i]
        z, e, s, w = given
        low, high = problem.bounds(e, s)
        course = Course(z, e, s, w, low, high, applied, left)
        resting = self._resting(problem.horizon, panel, i)
        found = problem.solve(course, self._guesses(problem.horizon, i, resting))
        used = found.status == "converged"
        self.solves.append(Solve(found.status, used, found.iterations, found.seconds))
        v = found.v if used else resting
        action = np.nan_to_num((v[0] - self._centre) / self._unit)
        return v, np.clip(action, -1.0, 1.0).astype(np.float32)

    def _resting(self, horizon: int, panel: Panel, i: int) -> Array:
        """Return what is done without a course: the PID layer alone, or inputs as the last course had them."""
        if self.level == "setpoint":
            return np.zeros((horizon, len(self._unit)))
        return np.tile(panel.u[i], (horizon, 1)) if self._last is None else _shifted(self._last.courses[i], horizon)

    def _guesses(self, horizon: int, i: int, resting: Array) -> list[Array]:
        guesses = [resting] if self._last is None else [resting, _shifted(self._last.courses[i], horizon)]
        for a in range(len(self._unit)):
            for share in CONSTANT:
                held = resting.copy()
                held[:, a] = self._centre[a] + share * self._unit[a]
                guesses.append(held)
        return guesses


def nmpc(plant: Plant, name: str = "nmpc") -> Nmpc:
    """Return the controller of one of ``NAMES``."""
    return Nmpc(plant, preview=name != "nmpc")


def _shifted(course: Array, horizon: int) -> Array:
    """Return what is left of a course after its first step, its end held."""
    left: Array = course[np.minimum(np.arange(1, horizon + 1), len(course) - 1)]
    return left


def decisions(episodes: Episodes) -> int:
    """Return the horizon: the slowest loop's integral time, within one and two of the plant's horizons of learning.

    Where weather is forecast it ends with the last lead.
    """
    plant = episodes.plant
    slowest = max((loop.gains.T_i for loop in episodes.loops if loop.gains.K_c), default=0.0) / plant.decision
    horizon = round(float(np.clip(slowest, plant.learning.horizon, 2.0 * plant.learning.horizon)))
    weather = any(q.forecast and q.kind == "weather" for q in plant.Disturbance.quantities().values())
    return min(horizon, max(plant.leads)) if weather and plant.leads else horizon


def settings(episodes: Episodes) -> Array:
    """Return what a control room holds true of the plant: parameters, then coefficients, feed-forward and limits of its loops.

    Parameters are nominal; a scenario's own are known where it brings settings of the loops too, since whoever set them knew.
    """
    plant, scenario = episodes.plant, episodes.scenario
    p = np.array(list(plant.Parameter.nominal()), dtype=float)
    if scenario.loops:
        samples = scenario.steps + 1 + max(plant.preview, *plant.leads, 1)
        drawn = scenario.signals(Draw(np.random.default_rng(0), BLOCK, samples, plant.decision, "training", plant.leads))
        for name, values in drawn.parameters.items():
            p[plant.Parameter.names().index(name)] = float(np.mean(values))
    layer = Settings.of(plant, episodes.loops, plant.advance)
    return np.concatenate([p, *(part[:, 0] for part in (layer.coefficients, layer.feedforward, layer.limits))])
