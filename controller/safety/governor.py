"""A shield at work on many plants: it reads what their control room reads, estimates, looks ahead and decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.safety.corners import Spread, enforced, varied
from controller.safety.estimator import Estimator, Gain
from controller.safety.field import Reading
from controller.safety.shield import Decision, Flags, certified, decide
from plant_models.core.duty import Batch
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command, Lookahead, Standing


@dataclass(frozen=True)
class Calibration:
    """What the shell knows of a plant in a scenario.

    The estimator's ``gain``, the ``spread`` of what is not known, the ``signs`` (variants, entries) of the nominal plant and its
    corners, the ``horizon`` in decisions, and the ``margins`` (margins,) that certificates keep, in the margins' units.
    """

    gain: Gain
    spread: Spread
    signs: Array
    horizon: int
    margins: Array


class Governor:
    """Governs ``n`` plants; ``begin`` each episode, then :meth:`allow` a command for each decision."""

    def __init__(self, plant: Plant, n: int, known: Calibration) -> None:
        self.plant, self.n, self._known = plant, n, known
        self._estimator = Estimator(plant, n, known.gain)
        self._ahead = Lookahead(plant, n, len(known.signs))
        self._enforced = enforced(plant)
        self.phase = np.zeros(n, dtype=np.intp)
        masters, acted = len(plant.masters), len(plant.acted)
        self._safe = Command(np.zeros((n, masters)), np.zeros((n, acted)), np.zeros(n, dtype=bool))

    def begin(self, plants: NDArray[np.intp], reading: Reading, sent: Command) -> None:
        """Begin episodes on some plants; ``sent`` is what their hierarchy sends, which counts as safe until found otherwise."""
        self._estimator.begin(plants, reading)
        self.phase[plants] = 0
        for kept, now in zip(self._safe, sent, strict=True):
            kept[plants] = now[plants]

    def estimate(self, reading: Reading) -> Standing:
        """Take in readings and return how the plants stand by the estimate."""
        self._estimator.correct(reading)
        return self._estimator.standing(reading)

    def allow(self, standing: Standing, proposed: Command) -> Decision:
        """Return what may be sent in place of what is proposed, and expect it to be sent."""
        variants = varied(self.plant, standing, self._known.signs, self._known.spread, self.phase)

        def certify(first: Command, then: Command | None, plants: Flags) -> tuple[Flags, Array]:
            outlook = self._ahead.hold(variants.of(plants), first, then, self._known.horizon)
            return certified(outlook, self._known.margins, self._enforced), outlook.lowest.min(axis=1)

        found = decide(proposed, self._safe, isinstance(self.plant.duty, Batch), len(self._enforced), certify)
        self._safe = found.safe
        self._estimator.predict(standing, found.sent)
        self.phase += 1
        return found
