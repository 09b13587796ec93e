"""Which input each loop should move: the relative gain array, at steady state and where a supervisor acts.

Bristol, On a new measure of interaction for multivariable process control, IEEE Trans. Automatic Control 11 (1966) 133-134;
the rules for pairing: Skogestad and Postlethwaite, Multivariable Feedback Control, 2nd ed. 2005, section 3.4 and 10.6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.linear import Linear, linearise_nominal
from plant_models.derive.steady import nominal_equilibrium

DECISIONS = 5.0
"""Time in decisions whose inverse is the frequency, in radians, at which loops are paired: slower than any loop's bandwidth."""
NEGATIVE = 1e3
"""What a pairing on a relative gain below zero weighs: no other is so bad."""
SINGULAR = 1e12
"""Condition number from which a gain matrix has no inverse: an integrating or a redundant plant at steady state."""


@dataclass(frozen=True)
class RelativeGains:
    """Relative gains of the loops that move an input, (loops, loops): rows are their PVs, columns their inputs, both in order.

    ``steady`` is None where the plant has no steady state of its own, ``dynamic`` is the real part at the loops' frequency;
    ``paired`` says for each row which column the rules choose.
    """

    tags: tuple[str, ...]
    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    steady: Array | None
    dynamic: Array
    paired: tuple[int, ...]

    @property
    def as_declared(self) -> bool:
        """Whether the plant file pairs as the rules do."""
        return self.paired == tuple(range(len(self.paired)))

    def __str__(self) -> str:
        """Say each loop's relative gain, and what the rules would pair otherwise."""
        own = ", ".join(f"{tag} {gain:.3g}" for tag, gain in zip(self.tags, np.diag(self.dynamic), strict=True))
        moved = [f"{self.outputs[i]} by {self.inputs[k]}" for i, k in enumerate(self.paired) if i != k]
        return f"relative gains: {own}" + (f"; better: {', '.join(moved)}" if moved else "")

    def as_json(self) -> dict[str, object]:
        """Return everything for JSON."""
        steady = None if self.steady is None else self.steady.tolist()
        return {
            "tags": self.tags, "outputs": self.outputs, "inputs": self.inputs, "steady": steady,
            "dynamic": self.dynamic.tolist(), "paired": self.paired, "as_declared": self.as_declared,
        }  # fmt: skip


def relative_gains(plant: Plant) -> RelativeGains | None:
    """Work out the relative gains at the nominal operating point; None for a plant without feedback on its inputs.

    Of several loops on one PV, such as heating and cooling, the first counts.
    """
    by_pv = {loop.pv: loop for loop in reversed(plant.loops) if loop.mv and loop.gains.K_c != 0.0}
    loops = [loop for loop in plant.loops if loop in by_pv.values()]
    if not loops:
        return None
    rows = [plant.Output.names().index(loop.pv) for loop in loops]
    columns = [plant.Input.names().index(loop.mv) for loop in loops]
    model = linearise_nominal(plant, nominal_equilibrium(plant))
    at = np.ix_(rows, columns)
    dynamic = relative(transfer(model, 1.0 / (DECISIONS * plant.decision))[at])
    return RelativeGains(
        tags=tuple(loop.tag for loop in loops), outputs=tuple(loop.pv for loop in loops), inputs=tuple(loop.mv for loop in loops),
        steady=_at_rest(model, at), dynamic=dynamic, paired=pairing(dynamic),
    )  # fmt: skip


def _at_rest(model: Linear, at: tuple[NDArray[np.intp], ...]) -> Array | None:
    if np.linalg.cond(model.A) > SINGULAR:
        return None
    gain = transfer(model, 0.0)[at]
    return relative(gain) if np.linalg.cond(gain) < SINGULAR else None


def transfer(model: Linear, frequency: float) -> Array:
    """Return the gains from inputs to outputs at a frequency in rad per time unit; complex above zero."""
    lag = 1j * frequency * np.eye(len(model.A)) - model.A if frequency else -model.A
    return np.asarray(model.C @ np.linalg.solve(lag, model.B) + model.D)


def relative(gain: Array) -> Array:
    """Return the relative gain array of a square matrix, its real part."""
    return np.asarray((gain * np.linalg.inv(gain).T).real)


def pairing(gains: Array) -> tuple[int, ...]:
    """Return for each row the column to pair it with: relative gains close to one, none of them negative."""
    far = np.abs(gains - 1.0) + NEGATIVE * (gains < 0.0)
    return tuple(int(column) for column in linear_sum_assignment(far)[1])
