"""A training with its learning curve, and when it came to lead over PID."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from controller.methods import PPO_METHOD, Method
from controller.train import Progress, Trained, train
from plant_models.core.plant import Plant


@dataclass(frozen=True)
class Curve:
    """What a training brought, and its validations in their order."""

    trained: Trained
    points: tuple[Progress, ...]

    @property
    def lead(self) -> float | None:
        """Seconds until the 95 % interval of the paired difference to PID was above zero; None where it never was."""
        return next((point.seconds for point in self.points if point.lead > 0.0), None)


def followed(plant: Plant, seed: int, steps: int, method: Method = PPO_METHOD) -> Curve:
    """Train a plant, and keep its learning curve."""
    told: list[Progress] = []
    trained = train(plant, seed, steps, report=told.append, method=method)
    return Curve(trained, tuple(progress for progress in told if not progress.note))


def median(leads: list[float | None]) -> float | None:
    """Return the median, where one that never led counts as infinitely late; None where that is the median."""
    found = float(np.median([np.inf if lead is None else lead for lead in leads]))
    return found if np.isfinite(found) else None
