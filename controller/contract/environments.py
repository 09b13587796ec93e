"""The plant as an environment: what Gymnasium and Stable-Baselines3 ask of one."""

from __future__ import annotations

import warnings

from controller.contract.check import Broken, Check
from plant_models.core.plant import Plant
from plant_models.env.single import PlantEnv


def passes_both_checkers(plant: Plant) -> None:
    """The environment passes the checkers of Gymnasium and Stable-Baselines3 without a warning."""
    from gymnasium.utils.env_checker import check_env as check_gymnasium
    from stable_baselines3.common.env_checker import check_env as check_sb3

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check_gymnasium(PlantEnv(plant.name), skip_render_check=True)
            check_sb3(PlantEnv(plant.name))
    except (AssertionError, Warning) as error:
        raise Broken(f"as an environment: {' '.join(str(error).split())}") from error


CHECKS = (
    Check("environment checkers find nothing", passes_both_checkers, "choose finite low and high close to what really occurs"),
)
