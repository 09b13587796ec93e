"""The batched plants as a Stable-Baselines3 VecEnv.

What SB3 does with it decides three things here: the observation handed out is never overwritten (SB3 stores it one step
late), ``infos`` is one shared list of empty dicts except where an episode ends, and only a time limit is bootstrapped.

An observation or a reward that is not a finite number never reaches the learner: its episode is broken off and named in
``spoiled``, and what was learned from the rollout it stands in is for the learner to drop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from controller.paired import TwinEarnings
from controller.policy import Policy
from controller.safety.governor import Calibration
from controller.safety.guarded import Guarded
from plant_models.core.plant import Rival
from plant_models.core.scenario import Array
from plant_models.env.batched import PlantVectorEnv
from plant_models.env.scenario import Single
from plant_models.env.simulator import Index

Infos: TypeAlias = list[dict[str, Any]]
NO_INFO: dict[str, Any] = {}
FIRST = "a first observation"
CORRECTED = 0.2
"""Rewards that a correction by the shield costs, for one over the whole range of the action."""


@dataclass(frozen=True)
class Spoiled:
    """Where a number that is not finite came from: enough to draw the episode again and run it to that decision."""

    what: str
    plant: str
    scenario: str
    seed: int
    episode: int
    decision: int

    def __str__(self) -> str:
        at = f"decision {self.decision} of training episode {self.episode}, seed {self.seed}"
        return f"{self.plant}: {self.what} that is not finite in scenario {self.scenario!r}, {at}"


@dataclass
class Interventions:
    """How many decisions there were since the last look, and in how many the shield let less than all through, or nothing."""

    decisions: int = 0
    corrected: int = 0
    uncertified: int = 0

    def count(self, share: Array) -> None:
        """Add one decision of every plant."""
        self.decisions += len(share)
        self.corrected += int((share < 1.0).sum())
        self.uncertified += int((share < 0.0).sum())

    def metrics(self) -> dict[str, float]:
        """Return both in % of the decisions since the last call, nothing where there were none, and count anew."""
        if not self.decisions:
            return {}
        shares = {"train/interventions": self.corrected, "train/uncertified": self.uncertified}
        found = {name: 100.0 * count / self.decisions for name, count in shares.items()}
        self.decisions = self.corrected = self.uncertified = 0
        return found


class PlantVecEnv(VecEnv):
    """Many plants of one kind, each on an episode of its own, their first episodes staggered.

    Rewards are times ``scale``, each plant's where it is an array (n,). With a ``shield`` every action passes it first, and what
    it corrects costs ``CORRECTED`` rewards for the whole range. A decision in which a hard limit is crossed costs ``crossing``
    rewards. Rewards ``against`` PID are what is earned beyond the PID layer in the same decision of the same episode, uncharged;
    those against ``itself`` beyond the policy that :meth:`follow` was told last. Then plants are not staggered, and after each
    ``rollout`` of so many decisions all begin anew; which episodes that has cut off is said in ``cut``, (n,).
    """

    def __init__(
        self, env: PlantVectorEnv, stagger: bool = True, scale: float | Array = 1.0, shield: Calibration | None = None,
        against: Rival | None = None, crossing: float = 0.0, rollout: int = 0,
    ) -> None:  # fmt: skip
        self.plants = env
        self._against, self._twins = against, TwinEarnings(env, crossing) if against else None
        self._crossing = crossing
        self.shield, self._guarded = shield, None if shield is None else Guarded(env.simulator, shield)
        self.interventions = Interventions()
        self._stagger, self._scale = stagger and against != "itself", scale
        self._rollout, self._taken = rollout, 0
        self.cut: NDArray[np.bool_] = np.zeros(env.num_envs, dtype=bool)
        self._actions: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self._quiet: list[dict[str, Any]] = [NO_INFO] * env.num_envs
        self.spoiled: list[Spoiled] = []
        self.hard_violations = 0
        self.time_beyond: Array = np.zeros((len(env.simulator.kernel.layout.kinds), env.num_envs))
        """How long the last decision was beyond each margin, (margins, n), in the plant's time unit."""
        kinds = env.simulator.kernel.layout.kinds
        self._hard = np.flatnonzero([kind == "hard" for kind in kinds])
        self.seed(0)
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> VecEnvObs:
        """Start every plant."""
        observation, _ = self.plants.reset(seed=self._first_seed)
        if self._stagger:
            observation = self.plants.stagger()
        self._begun(np.arange(self.num_envs))
        return observation

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return what it takes to go on from here, between two decisions."""
        shield = {} if self._guarded is None else self._guarded.snapshot()
        twins = {} if self._twins is None else self._twins.snapshot()
        return self.plants.snapshot() | {"hard_violations": np.array([self.hard_violations])} | shield | twins

    def restore(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Go back to a snapshot; raises BadInput where it does not fit."""
        self.plants.restore(kept)
        self.hard_violations = int(kept["hard_violations"][0])
        if self._guarded is not None:
            self._guarded.restore(kept)
        if self._twins is not None:
            self._twins.restore(kept)

    def _begun(self, plants: Index) -> None:
        """Tell the shield, and what rewards are compared with, that episodes begin on these plants."""
        if self._guarded is not None:
            self._guarded.begin(plants)
        if self._twins is not None:
            self._twins.begin(plants)

    @property
    def follows(self) -> bool:
        """Whether rewards are what is earned beyond the policy itself, which it then has to be told."""
        return self._twins is not None and self._against == "itself"

    def follow(self, policy: Policy) -> None:
        """Compare rewards with what this policy earns, from the next episodes on."""
        assert self._twins is not None
        self._twins.follow(policy)

    def _decided(self) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Run one decision on every plant, behind the shield where there is one."""
        if self._guarded is None:
            return self.plants.step(self._actions)
        result = self._guarded.step(self._actions)
        self.interventions.count(self._guarded.share)
        observation, reward, terminated, truncated, infos = self.plants.after(result)
        return observation, reward - CORRECTED * self._guarded.correction, terminated, truncated, infos

    def step_async(self, actions: NDArray[np.float32]) -> None:
        """Keep the actions for :meth:`step_wait`."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Run one decision on every plant."""
        running = self.plants.numbers.copy(), self.plants.simulator.k.copy()
        observation, reward, terminated, truncated, infos = self._decided()
        done = terminated | truncated
        if self._twins is not None:
            reward = reward - self._twins.due(*running, done)
        self._begun(np.flatnonzero(done))
        self.time_beyond = infos["time_beyond"] if done.any() else self.plants.simulator.S.read("time")
        crossed = (self.time_beyond[self._hard] > 0.0).any(axis=0)
        self.hard_violations += int(crossed.sum())
        scaled = ((reward - self._crossing * crossed) * self._scale).astype(np.float32)
        told = self._infos(done, terminated, infos) if done.any() else self._quiet
        self._taken += 1
        if self.follows and self._rollout and self._taken % self._rollout == 0:
            observation, done, told = self._cut_off(observation, done, told)
        blind = ~np.isfinite(observation).all(axis=1)
        wrong = {"a reward": ~np.isfinite(scaled), FIRST: blind & done,
                 "an observation": blind & ~done | _unbootstrapped(told, done)}  # fmt: skip
        if any(plants.any() for plants in wrong.values()):
            return self._broken_off(wrong, running, (observation, scaled, done, told))
        return observation, scaled, done, told

    def _cut_off(self, observation: Single, done: NDArray[np.bool_], told: Infos) -> tuple[Single, NDArray[np.bool_], Infos]:
        """Begin other episodes in place of those that are not over."""
        self.cut, infos = ~done, list(told)
        over = np.flatnonzero(self.cut)
        for e in over:
            infos[e] = {"terminal_observation": observation[e].copy(), "TimeLimit.truncated": False}
        self._restart(over, observation)
        return observation, np.ones_like(done), infos

    def _restart(self, plants: Index, observation: Single) -> None:
        """Begin other episodes on these plants, whose first observations stand in the place of their last."""
        observation[plants] = self.plants.restart(plants)
        self._begun(plants)

    def _broken_off(
        self, wrong: Mapping[str, NDArray[np.bool_]], running: tuple[Index, Index], step: tuple[Any, Any, Any, Infos]
    ) -> VecEnvStepReturn:
        """Name the episodes with wrong numbers and begin others in their place; none of it is learned from."""
        observation, reward, done, told = step
        infos, at = list(told), self.plants
        for what, plants in wrong.items():
            for e in np.flatnonzero(plants):
                place = (int(at.numbers[e]), 0) if what == FIRST else (int(running[0][e]), int(running[1][e]))
                self.spoiled.append(Spoiled(what, at.plant.name, at.scenarios[at.which[e]].name, self._first_seed, *place))
        plants = np.logical_or.reduce(list(wrong.values()))
        over = np.flatnonzero(plants & ~done)
        if len(over):
            self._restart(over, observation)
        observation[plants], reward[plants] = np.nan_to_num(observation[plants]), 0.0
        for e in np.flatnonzero(plants):
            infos[e] = {"terminal_observation": observation[e], "TimeLimit.truncated": False}
        return observation, reward, done | plants, infos

    def _infos(self, done: NDArray[np.bool_], terminated: NDArray[np.bool_], infos: dict[str, Any]) -> list[dict[str, Any]]:
        out = list(self._quiet)
        final, failed = infos["final_obs"], infos["integration_failed"]
        for i in np.flatnonzero(done):
            out[i] = {"terminal_observation": final[i], "TimeLimit.truncated": not (terminated[i] or failed[i])}
        return out

    def close(self) -> None:
        """Nothing is held open."""

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Set the seed of the sequence of episodes that the next reset starts."""
        self._first_seed = 0 if seed is None else seed
        return [seed]

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute of the environment behind, once for each plant; SB3 asks for ``render_mode``."""
        return [vars(self.plants).get(attr_name)] * self.plants.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refuse: plants are changed through their episodes."""
        raise NotImplementedError("plants are changed through their episodes, not by set_attr")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kw: Any) -> list[Any]:
        """Refuse: there is one environment, not one for each plant."""
        raise NotImplementedError("the plants share one environment; call its methods on .plants")

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """Return False for each plant."""
        return [False] * self.plants.num_envs


def _unbootstrapped(infos: list[dict[str, Any]], done: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether a last observation whose value would be added to a reward is no number, (n,)."""
    wrong = np.zeros(len(done), dtype=bool)
    for e in np.flatnonzero(done):
        wrong[e] = infos[e]["TimeLimit.truncated"] and not np.isfinite(infos[e]["terminal_observation"]).all()
    return wrong
