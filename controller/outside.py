"""Train PPO on an environment of Gymnasium's registry that is no plant: no PID layer, so nothing to compare it with.

Settings are those that Stable-Baselines3's authors publish: for discrete actions the ones tuned for CartPole in RL Baselines3
Zoo, for continuous ones PPO's own defaults. Source: A. Raffin et al., J. Machine Learning Research 22 (2021) 268.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete
from safetensors.numpy import save as save_tensors
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecEnv

from controller.benchmark import versions
from controller.fingerprint import WEIGHTS
from controller.historian import Historian
from controller.ppo import untrained
from controller.train import Progress
from plant_models import environment_id
from plant_models.catalogue import names
from plant_models.core.errors import BadInput, UnknownName, unknown
from plant_models.core.scenario import Array

STEPS, EPISODES = 100_000, 20
METRICS = {"train/approx_kl": "train/kl", "train/clip_fraction": "train/clip_fraction", "train/value_loss": "train/value_loss",
           "train/explained_variance": "train/explained_variance"}  # fmt: skip
"""What SB3 calls the measures of an update, and what they are called for plants."""
UNSEEN = 10_000
"""Distance of the seeds of judging episodes from those of training."""


@dataclass(frozen=True)
class Outside:
    """A training: returns of 20 episodes before and after it, (episodes,), and the folder of its weights.

    Before it actions are drawn, as learning begins; afterwards the likeliest is taken.
    """

    run: str
    steps: int
    seconds: float
    before: Array
    after: Array
    folder: Path


def plant_of(name: str) -> str:
    """Return the plant of a Gymnasium id, the name itself where it is a plant's, and nothing for an environment that is no plant.

    Raises:
        UnknownName: where it is neither.
    """
    plants = {environment_id(plant): plant for plant in names()}
    if name in plants.values() or name in plants:
        return plants.get(name, name)
    try:
        gymnasium.spec(name)
    except gymnasium.error.Error as error:
        text = f"{unknown('plant', name, names())}; an id of Gymnasium's registry, such as CartPole-v1, is allowed too"
        raise UnknownName(text) from error
    return ""


def train_outside(
    env_id: str, historian: Historian, seed: int, steps: int | None, report: Callable[[Progress], None],
    keep: Callable[[str], Path],
) -> Outside:  # fmt: skip
    """Train PPO, record it as a run whose plant is the id, and write the weights to the folder that ``keep`` names for the run.

    Raises:
        BadInput: where the environment cannot be made, or its spaces are not those allowed.
    """
    total, env = steps or STEPS, _made(env_id, seed)
    model = _learner(env, seed)
    before = _returns(model, env_id, seed, likeliest=False)
    config = {"algorithm": "PPO", "total_steps": total, "environment": env_id, "baseline": {"untrained": float(before.mean())}}
    with historian.run("train", env_id, "ppo", seed, config, versions()) as run:
        watch = _Watch(total, float(before.mean()), historian, run, report)
        model.learn(total, callback=watch)
        after = _returns(model, env_id, seed)
        watch.record(float(after.mean()))
        result = {"before": float(before.mean()), "after": float(after.mean()), "seconds": watch.seconds}
        _save(model, keep(run))
        historian.finish(run, "completed", result)
    env.close()
    return Outside(run, model.num_timesteps, watch.seconds, before, after, keep(run))


class _Watch(BaseCallback):
    """Reports and records between rollouts the mean return of the last hundred training episodes."""

    def __init__(self, total: int, untrained: float, historian: Historian, run: str, report: Callable[[Progress], None]) -> None:
        super().__init__()
        self._total, self._untrained, self._historian, self._run, self._report = total, untrained, historian, run, report
        self._begun, self._best = time.perf_counter(), -float("inf")

    @property
    def seconds(self) -> float:
        """Seconds since training began."""
        return time.perf_counter() - self._begun

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        ended = [float(episode["r"]) for episode in self.model.ep_info_buffer or ()]
        if ended:
            self.record(float(np.mean(ended)))

    def record(self, score: float) -> None:
        """Record a score, and what SB3 says of the last update."""
        self._best = max(self._best, score)
        rate, logged = self.num_timesteps / max(self.seconds, 1e-9), self.model.logger.name_to_value
        known = {ours: float(logged[theirs]) for theirs, ours in METRICS.items() if theirs in logged}
        scores = {"score/ppo": score, "score/best": self._best, "train/steps_per_s": rate}
        self._historian.metrics(self._run, self.num_timesteps, scores | known)
        where = self.num_timesteps, self._total, self.seconds
        self._report(Progress(*where, score, self._untrained, self._best, rate, lead=float("nan")))


def _made(env_id: str, seed: int) -> VecEnv:
    """Return as many environments as the settings for their actions ask for."""
    try:
        single = gymnasium.make(env_id)
    except (gymnasium.error.Error, ImportError, TypeError) as error:
        raise BadInput(f"{env_id}: Gymnasium cannot make it: {error}") from error
    seen, taken = single.observation_space, single.action_space
    single.close()
    if not (isinstance(seen, Box) and len(seen.shape) == 1 and isinstance(taken, Box | Discrete)):
        raise BadInput(
            f"{env_id}: observations {seen} and actions {taken}; allowed are a Box of one dimension, and Discrete or Box actions"
        )
    return make_vec_env(env_id, n_envs=8 if isinstance(taken, Discrete) else 1, seed=seed)


def _learner(env: VecEnv, seed: int) -> PPO:
    given = _discrete() if isinstance(env.action_space, Discrete) else {}
    return untrained(partial(PPO, "MlpPolicy", env, seed=seed, device="cpu", **given))


def _discrete() -> dict[str, Any]:
    return {"n_steps": 32, "batch_size": 256, "gae_lambda": 0.8, "gamma": 0.98, "n_epochs": 20, "ent_coef": 0.0,
            "learning_rate": lambda left: 1e-3 * left, "clip_range": lambda left: 0.2 * left}  # fmt: skip


def _returns(model: PPO, env_id: str, seed: int, likeliest: bool = True) -> Array:
    """Return what each of 20 episodes brings that training never starts from, with the likeliest actions or drawn ones."""
    env = make_vec_env(env_id, n_envs=1, seed=seed + UNSEEN)
    returns, _ = evaluate_policy(model, env, EPISODES, deterministic=likeliest, return_episode_rewards=True)
    env.close()
    return np.asarray(returns, dtype=float)


def _save(model: PPO, folder: Path) -> None:
    """Write the weights, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{WEIGHTS}.{os.getpid()}"
    temporary.write_bytes(save_tensors({name: part.numpy() for name, part in model.policy.state_dict().items()}))
    os.replace(temporary, folder / WEIGHTS)
