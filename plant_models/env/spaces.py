"""The two spaces of a plant's environments."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.spaces import Box, Space

from plant_models.derive.kernel import Kernel
from plant_models.derive.observation import CLIP
from plant_models.env.scenario import Single


def observation_space(kernel: Kernel) -> Space[Single]:
    """Return the box of scaled observations."""
    box: Space[Any] = Box(-CLIP, CLIP, (len(kernel.observation.features),), np.float32)
    return box


def action_space(kernel: Kernel) -> Space[Single]:
    """Return the box of actions in [-1, 1]."""
    box: Space[Any] = Box(-1.0, 1.0, (kernel.layout.actions,), np.float32)
    return box
