"""The two spaces of a plant's environments."""

from __future__ import annotations

import numpy as np
from gymnasium.spaces import Box

from plant_models.derive.kernel import Kernel
from plant_models.derive.observation import CLIP


def observation_space(kernel: Kernel) -> Box:
    """Return the box of scaled observations."""
    return Box(-CLIP, CLIP, (len(kernel.observation.features),), np.float32)


def action_space(kernel: Kernel) -> Box:
    """Return the box of actions in [-1, 1]."""
    return Box(-1.0, 1.0, (kernel.layout.actions,), np.float32)
