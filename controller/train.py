"""Train PPO on a plant, watch it on fixed validation episodes, keep the best, and record while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from controller.baselines import Pid
from controller.historian import Historian
from controller.policy import Policy
from controller.ppo import discount, learner, policy_of
from controller.rollout import returns
from controller.sb3_env import PlantVecEnv
from plant_models.core.plant import Plant
from plant_models.env.batched import PlantVectorEnv
from plant_models.env.scenario import Episodes, draw

VALIDATION_EPISODES = 64
CHECKS = 24
"""Validations in one training, evenly spread."""
LOGGED = {"train/kl": "train/approx_kl", "train/clip_fraction": "train/clip_fraction",
          "train/explained_variance": "train/explained_variance", "train/value_loss": "train/value_loss"}  # fmt: skip


@dataclass(frozen=True)
class Progress:
    """How far a training is; scores are mean returns on the validation episodes, higher is better."""

    step: int
    total: int
    seconds: float
    score: float
    baseline: float
    best: float
    steps_per_s: float


@dataclass(frozen=True)
class Trained:
    """The best policy of a training, and how the last and the PID layer compare on the validation episodes."""

    policy: Policy
    steps: int
    seconds: float
    score: float
    baseline: float


def environment(plant: Plant, seed: int, scenario: str = "") -> PlantVecEnv:
    """Return the training environment; the reward is scaled so that a discounted return is of order one."""
    plants = PlantVectorEnv(plant, plant.learning.parallel, scenario=scenario)
    env = PlantVecEnv(plants, scale=1.0 - discount(plant.learning))
    env.seed(seed)
    return env


def validation(plant: Plant, scenario: str = "") -> Episodes:
    """Return the fixed episodes on which a training is watched; from the places of training, and never trained on."""
    return draw(plant, plant.scenario(scenario), 0, VALIDATION_EPISODES, "validation")


def score(controller: Policy | Pid, episodes: Episodes) -> float:
    """Return the mean return of a controller, higher is better."""
    return float(-returns(controller, episodes).mean() / episodes.plant.scale)


def train(
    plant: Plant, seed: int = 0, steps: int | None = None, scenario: str = "", historian: Historian | None = None,
    run_id: str | None = None, report: Callable[[Progress], None] = lambda progress: None,
) -> Trained:  # fmt: skip
    """Train from the PID layer as it stands; return the policy that did best on the validation episodes."""
    total = steps or plant.learning.steps
    model = learner(plant.learning, environment(plant, seed, scenario), seed)
    watch = _Watch(plant, validation(plant, scenario), total, historian, run_id, report)
    model.learn(total, callback=watch)
    watch.check()
    return Trained(watch.best, model.num_timesteps, watch.seconds, watch.best_score, watch.baseline)


class _Watch(BaseCallback):
    """Validates between rollouts, when no gradient is under way."""

    def __init__(
        self, plant: Plant, episodes: Episodes, total: int, historian: Historian | None, run_id: str | None,
        report: Callable[[Progress], None],
    ) -> None:  # fmt: skip
        super().__init__()
        self._plant, self._episodes, self._total = plant, episodes, total
        self._historian, self._run, self._report = historian, run_id, report
        self.baseline = score(Pid(plant), episodes)
        self.best_score = -float("inf")
        self.best: Policy
        self._begun = time.perf_counter()
        self._next = 0

    @property
    def seconds(self) -> float:
        """Seconds since training began."""
        return time.perf_counter() - self._begun

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        if self.num_timesteps >= self._next:
            self._next += self._total // CHECKS
            self.check()

    def check(self) -> None:
        """Score the policy as it stands, keep it if it is the best so far, and record."""
        assert isinstance(self.model, PPO)
        policy = policy_of(self.model, self._plant, "setpoint")
        reached = score(policy, self._episodes)
        if reached > self.best_score:
            self.best_score, self.best = reached, policy
        rate = self.num_timesteps / max(self.seconds, 1e-9)
        self._report(Progress(self.num_timesteps, self._total, self.seconds, reached, self.baseline, self.best_score, rate))
        self._record(reached, rate)

    def _record(self, reached: float, rate: float) -> None:
        if self._historian is None or self._run is None:
            return
        assert isinstance(self.model, PPO)
        assert isinstance(self.training_env, PlantVecEnv)
        logged = self.model.logger.name_to_value
        values = {"score/ppo": reached, "score/best": self.best_score, "train/steps_per_s": rate,
                  "train/hard_violations": float(self.training_env.hard_violations)}  # fmt: skip
        values |= {ours: float(logged[theirs]) for ours, theirs in LOGGED.items() if theirs in logged}
        if "train/entropy_loss" in logged:
            values["train/entropy"] = -float(logged["train/entropy_loss"])
        self._historian.metrics(self._run, self.num_timesteps, values)
        self._historian.heartbeat(self._run)
