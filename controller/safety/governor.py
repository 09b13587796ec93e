"""A shield at work on many plants: it reads what their control room reads, estimates, looks ahead and decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from controller.safety.certifier import Certifier
from controller.safety.corners import Corners, Spread, enforced, scales, within
from controller.safety.estimator import Estimator, Gain
from controller.safety.field import Reading
from controller.safety.shield import OPTIONS, Decision, Index, copied, decide, heard, stages
from plant_models.core.duty import Batch
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import LANES
from plant_models.env.lookahead import Command, Lookahead, Outlook, Standing


@dataclass(frozen=True)
class Calibration:
    """What the shell knows of a plant in a scenario.

    The estimator's ``gain``, the ``spread`` of what is not known, the ``signs`` (variants, entries) of the nominal plant and its
    corners, the ``horizon`` in decisions, and the ``margins`` (margins,) that certificates keep, in the margins' units; a move
    keeps ``slack`` (margins,) more.
    """

    gain: Gain
    spread: Spread
    signs: Array
    horizon: int
    margins: Array
    slack: Array


class Governor:
    """Governs ``n`` plants; ``begin`` each episode, then :meth:`allow` a command for each decision."""

    def __init__(self, plant: Plant, n: int, known: Calibration) -> None:
        self.plant, self.n, self._known = plant, n, known
        self._estimator = Estimator(plant, n, known.gain)
        self._ahead, self._corners = Lookahead(plant), Corners.of(plant, known.signs, known.spread)
        self._enforced, self._scales, self._batch = enforced(plant), scales(plant), isinstance(plant.duty, Batch)
        self._stages = stages(self._batch, at_once=n * len(known.signs) * OPTIONS[self._batch] <= LANES)
        self.phase = np.zeros(n, dtype=np.intp)
        self._setpoints = np.array([(loop.low, loop.high) for loop in plant.masters]).T
        self._nominal, self._safe = nominal(plant, n), nominal(plant, n)

    def begin(self, plants: NDArray[np.intp], reading: Reading, sent: Command) -> None:
        """Begin episodes on some plants; ``sent`` is what their hierarchy sends, which counts as safe until found otherwise.

        Where that is no number the nominal command is taken.
        """
        self._estimator.begin(plants, reading)
        self.phase[plants] = 0
        begun = heard(self._within(sent), self._nominal)
        for kept, now in zip(self._safe, begun, strict=True):
            kept[plants] = now[plants]

    def estimate(self, reading: Reading) -> Standing:
        """Take in readings and return how the plants stand by the estimate."""
        self._estimator.correct(reading)
        return self._estimator.standing(reading)

    @property
    def expected(self) -> tuple[Array, Array]:
        """What the next readings should show, and one standard deviation of a surprise, each (n, outputs), copied."""
        return self._estimator.expected

    def allow(self, standing: Standing, proposed: Command) -> Decision:
        """Return what may be sent in place of what is proposed, and expect it to be sent.

        What is proposed is not trusted: beyond the loops' ranges it is taken back to them, and what is no number asks for what
        is safe.
        """
        return self.take(standing, self.would(standing, proposed))

    def would(self, standing: Standing, proposed: Command) -> Decision:
        """Return what might be sent in place of what is proposed; nothing changes."""
        variants, known = self._corners.varied(standing, self.phase), self._known

        def foresee(standing: Standing, first: Command, then: Command, plants: Index) -> Outlook:
            return self._ahead.hold(standing, first, then, known.horizon, plants)

        certifier = Certifier(foresee, variants, known.margins, known.slack, self._enforced, self._scales)
        return decide(self._within(proposed), self._safe, self._nominal, self._stages, certifier.certify)

    def take(self, standing: Standing, made: Decision) -> Decision:
        """Expect a decision to be sent, and return it."""
        for kept, now in zip(self._safe, made.safe, strict=True):
            kept[:] = now
        self._estimator.predict(standing, made.sent)
        self.phase += 1
        return made

    def held(self, standing: Standing) -> Array:
        """Return the smallest margins, (n, margins), that are foreseen where what was last safe is held."""
        variants = self._corners.varied(standing, self.phase)
        then = self._safe._replace(safe=np.ones(self.n, dtype=bool)) if self._batch else None
        lowest: Array = self._ahead.hold(variants, self._safe, then, self._known.horizon).lowest.min(axis=1)
        return lowest

    @property
    def safe(self) -> Command:
        """What was last safe, copied."""
        return copied(self._safe)

    def parts(self) -> dict[str, NDArray[Any]]:
        """Return what changes from decision to decision, not copied: whoever writes into it puts the governor elsewhere."""
        kept = {"phase": self.phase, "safe.r": self._safe.r, "safe.a": self._safe.a}
        return kept | self._estimator.parts()

    def _within(self, proposed: Command) -> Command:
        """Return a proposal within the ranges of the loops, NaN where it is not a finite number of the right shape."""
        shapes = self._safe.r.shape, self._safe.a.shape
        r, a = (_numbers(given, shape) for given, shape in zip(proposed[:2], shapes, strict=True))
        return Command(within(r, *self._setpoints), within(a, -1.0, 1.0), self._safe.safe)


def nominal(plant: Plant, n: int) -> Command:
    """Return the nominal setpoints, without any offset."""
    outputs = plant.Output.quantities()
    r = [outputs[loop.pv].nominal for loop in plant.masters]
    return Command(np.tile(np.array(r), (n, 1)), np.zeros((n, len(plant.acted))), np.zeros(n, dtype=bool))


def _numbers(given: Any, shape: tuple[int, ...]) -> Array:
    """Return what was given, NaN where it is not finite, and everywhere where it has another shape or is no number."""
    try:
        values = np.asarray(given)
    except ValueError:
        return np.full(shape, np.nan)
    if values.dtype.kind not in "biuf" or values.shape != shape:
        return np.full(shape, np.nan)
    if values.dtype != float:
        with np.errstate(over="ignore"):
            values = values.astype(float)
    finite = np.isfinite(values)
    return values if finite.all() else np.where(finite, values, np.nan)
