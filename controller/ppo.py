"""PPO by Stable-Baselines3 on the batched plants, with defaults that come from the plant file's own declarations.

Every update is measured after it, and taken back where it did harm. What a training needs to go on where it stood, to the last
bit, comes and goes as arrays.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import VecEnv

from controller import penalty
from controller.methods import Penalty
from controller.stability import REMEMBERED, STRIKES, Diverged, Update, Verdict, judge, moved, packed, probes, steps, unpacked
from controller.whitening import extractor
from plant_models.core.plant import Learning
from plant_models.env.scenario import Single

BATCH, EPOCHS = 4096, 10
SLOWEST = 0.05
"""The learning rate falls linearly to this share of its start."""
Model = TypeVar("Model", bound=BaseAlgorithm)
ADAM = ("step", "exp_avg", "exp_avg_sq")


@dataclass
class Guard:
    """What a training remembers of its updates, and the share of the learning rate's course that is left.

    ``entropy`` is the first entropy bonus, ``first`` the first learning rate, ``spoiled`` why the rollout just collected must not
    be learned from, ``told`` what a user has to hear of the last update, by what it is about. ``weight`` is that of the penalty
    on the KL divergence, and zero where the ratio is clipped.
    """

    entropy: float = 0.0
    weight: float = 0.0
    first: float = Learning.rate
    share: float = 1.0
    strikes: int = 0
    undone: int = 0
    updates: list[Update] = field(default_factory=list)
    last: Update | None = None
    probe: Single = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))
    spoiled: str = ""
    told: dict[str, str] = field(default_factory=dict)

    def rate(self, left: float) -> float:
        """Return the learning rate where this share of the training is still to come."""
        return self.first * max(left, SLOWEST) * self.share

    def strike(self, cause: str) -> None:
        """Count an update lost to numbers that are not finite; raises Diverged at the third."""
        self.strikes += 1
        if self.strikes >= STRIKES:
            remedy = "look at the plant's cost, outputs and ranges; `setpoint check` helps"
            raise Diverged(f"training given up, {STRIKES} updates were lost: {cause}; {remedy}")

    def skip(self) -> None:
        """Leave out the update from a spoiled rollout."""
        cause, self.spoiled, self.last = self.spoiled, "", None
        self.told = {"spoiled": f"{cause}; nothing is learned from this rollout"}
        self.strike(cause)

    def keep(self, update: Update, warnings: dict[str, str]) -> None:
        """Remember an update that stays."""
        self.updates, self.told = [*self.updates, update][-REMEMBERED:], warnings

    def take_back(self, harm: str) -> None:
        """Note that an update was taken back, and learn at half the rate from here on."""
        self.share, self.undone = 0.5 * self.share, self.undone + 1
        rate = f"the learning rate is halved, to {self.share:.3g} of its schedule"
        self.told = {f"undone {self.undone}": f"an update was taken back ({harm}); {rate}"}


class GuardedPPO(PPO):
    """SB3's PPO whose updates are measured, not made from a spoiled rollout, and taken back where they did harm."""

    guard: Guard

    def train(self) -> None:
        """Learn from the rollout; raises Diverged where numbers that are not finite have cost too many updates."""
        if self.guard.spoiled:
            self.guard.skip()
            return
        self.ent_coef = self.guard.entropy * self._current_progress_remaining
        kept, rollout = self._copies(), self._rollout()
        if not len(self.guard.probe):
            self.guard.probe = probes(rollout["observations"])
        shown, _ = self._policy(self.guard.probe)
        try:
            with _clipped_here(self) as norms:
                if self.guard.weight:
                    penalty.learn(self, self.guard.weight)
                else:
                    super().train()
            self.guard.last = self._measured(rollout, shown, norms)
        except FloatingPointError as error:
            self.guard.last, verdict = None, Verdict(str(error), {})
        else:
            verdict = judge(self.guard.last, self.guard.updates, 1.0 - self._current_progress_remaining)
        self._settle(verdict, kept)

    def _settle(self, verdict: Verdict, kept: tuple[dict[str, Any], dict[str, Any]]) -> None:
        """Let the update stay, or put weights and optimizer back; raises Diverged."""
        update = self.guard.last
        if update is not None:
            self.guard.weight = penalty.adapted(self.guard.weight, update.kl)
        if update is not None and not verdict.harm:
            self.guard.keep(update, verdict.warnings)
            return
        self.policy.load_state_dict(kept[0])
        self.policy.optimizer.load_state_dict(kept[1])
        self.guard.take_back(verdict.harm)
        if update is None or not update.finite:
            self.guard.strike(verdict.harm)

    def _copies(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Copies of the weights and of what the optimizer remembers."""
        adam = self._adam()
        memory = {i: {name: part[name].clone() for name in ADAM} for i, part in adam["state"].items()}
        return {name: part.clone() for name, part in self.policy.state_dict().items()}, adam | {"state": memory}

    def _rollout(self) -> dict[str, NDArray[Any]]:
        """The rollout, one sample a row; SB3 lays it out anew while it learns."""
        buffer, width = self.rollout_buffer, (self.observation_space.shape or (0,))[0]
        observations, actions = buffer.observations.reshape(-1, width), buffer.actions.reshape(buffer.log_probs.size, -1)
        log_probs, advantages = buffer.log_probs.ravel(), buffer.advantages
        return {"observations": observations, "actions": actions, "log_probs": log_probs, "advantages": advantages}

    def _policy(self, observations: Single) -> tuple[Single, Single]:
        """Return the mean actions and the standard deviations, (n, actions) and (actions,)."""
        with torch.no_grad():
            chosen = self.policy.get_distribution(torch.as_tensor(observations)).distribution
        assert isinstance(chosen, torch.distributions.Normal)
        return chosen.mean.numpy(), chosen.stddev[0].numpy()

    def _measured(self, rollout: dict[str, NDArray[Any]], shown: Single, norms: list[float]) -> Update:
        if not all(bool(torch.isfinite(part).all()) for part in self.policy.parameters()):
            raise FloatingPointError("a weight is not finite")
        mean, spread = self._policy(rollout["observations"])
        after = log_probability(rollout["actions"], mean, spread)
        clip, logged = float(self.clip_range(1.0)), self.logger.name_to_value  # type: ignore[operator]
        return Update(
            *steps(rollout["log_probs"], after, clip), float(np.log(spread).mean() + 0.5 * np.log(2.0 * np.pi * np.e)),
            float(spread.min()), float(spread.max()), *moved(shown, self._policy(self.guard.probe)[0]),
            max(norms), float(logged["train/explained_variance"]),
            float(logged["train/value_loss"]), float(rollout["advantages"].std()),
        )  # fmt: skip

    def measures(self) -> dict[str, float]:
        """Return what else there is to log of the last update."""
        return {"train/penalty": self.guard.weight} if self.guard.weight else {}

    def state(self) -> dict[str, NDArray[Any]]:
        """Return all that the learner's next steps depend on, between two rollouts, except what the environment keeps."""
        guard, counts = self.guard, (self.num_timesteps, self._n_updates, self._episode_num)
        assert isinstance(self._last_obs, np.ndarray)
        assert self._last_episode_starts is not None
        learned = {f"policy.{name}": _copy(part) for name, part in self.policy.state_dict().items()}
        memory = {f"adam.{i}.{name}": _copy(part[name]) for i, part in self._adam()["state"].items() for name in ADAM}
        return learned | memory | generators() | {
            "learner.counts": np.array(counts), "learner.progress": np.array([self._current_progress_remaining]),
            "learner.observation": self._last_obs.copy(), "learner.starts": np.array(self._last_episode_starts),
            "guard.updates": packed(guard.updates), "guard.probe": guard.probe,
            "guard.counts": np.array([guard.strikes, guard.undone]), "guard.share": np.array([guard.share]),
        } | ({"guard.weight": np.array([guard.weight])} if guard.weight else {})  # fmt: skip

    def resume(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Go back to a state; the next call of ``learn`` without reset goes on from it."""
        tensors = {name: torch.from_numpy(np.array(part)) for name, part in kept.items()}
        self.policy.load_state_dict({name: tensors[f"policy.{name}"] for name in self.policy.state_dict()})
        adam, indices = self._adam(), sorted({int(name.split(".")[1]) for name in kept if name.startswith("adam.")})
        adam["state"] = {i: {name: tensors[f"adam.{i}.{name}"] for name in ADAM} for i in indices}
        self.policy.optimizer.load_state_dict(adam)
        self.num_timesteps, self._n_updates, self._episode_num = (int(count) for count in kept["learner.counts"])
        self._current_progress_remaining = float(kept["learner.progress"][0])
        self._last_obs, self._last_episode_starts = kept["learner.observation"].copy(), kept["learner.starts"].copy()
        self.guard.updates, self.guard.probe = unpacked(kept["guard.updates"]), kept["guard.probe"].copy()
        self.guard.strikes, self.guard.undone = (int(count) for count in kept["guard.counts"])
        self.guard.share = float(kept["guard.share"][0])
        if self.guard.weight:
            self.guard.weight = float(kept["guard.weight"][0])
        set_generators(kept)

    def _adam(self) -> dict[str, Any]:
        state: dict[str, Any] = self.policy.optimizer.state_dict()
        return state


@contextmanager
def _clipped_here(model: PPO) -> Iterator[list[float]]:
    """Clip gradients just before the optimizer's step, as SB3 would, and keep their norms before that.

    A gradient that is not finite raises FloatingPointError, before any weight has moved by it.
    """
    norms: list[float] = []
    limit, parameters = model.max_grad_norm, list(model.policy.parameters())

    def clip(*_: Any) -> None:
        norm = torch.nn.utils.get_total_norm([part.grad for part in parameters if part.grad is not None])
        norms.append(float(norm))
        if not np.isfinite(norms[-1]):
            raise FloatingPointError("a gradient is not finite")
        if norms[-1] > 0.99 * limit:  # below, the factor is one: clipping would only cost time
            torch.nn.utils.clip_grads_with_norm_(parameters, limit, norm)

    hook = model.policy.optimizer.register_step_pre_hook(clip)
    model.max_grad_norm = float("inf")
    try:
        yield norms
    finally:
        model.max_grad_norm = limit
        hook.remove()


def log_probability(actions: Single, mean: Single, spread: Single) -> Single:
    """Return the log-density of independent normal actions, (n,)."""
    density = -0.5 * ((actions - mean) / spread) ** 2 - np.log(spread) - 0.5 * np.log(2.0 * np.pi)
    return np.asarray(density.sum(axis=1))


def generators() -> dict[str, NDArray[Any]]:
    """Return the states of the global random generators of torch, NumPy and Python."""
    _, keys, *place, gauss = np.random.get_state(legacy=True)  # noqa: NPY002
    _, words, _ = random.getstate()
    return {"random.torch": _copy(torch.get_rng_state()), "random.numpy": np.asarray(keys), "random.place": np.array(place),
            "random.gauss": np.array([gauss]), "random.python": np.array(words, dtype=np.uint32)}  # fmt: skip


def set_generators(kept: Mapping[str, NDArray[Any]]) -> None:
    """Set the global random generators to kept states."""
    torch.set_rng_state(torch.from_numpy(kept["random.torch"].copy()))
    position, has_gauss = (int(value) for value in kept["random.place"])
    np.random.set_state(("MT19937", kept["random.numpy"], position, has_gauss, float(kept["random.gauss"][0])))  # noqa: NPY002
    random.setstate((3, tuple(int(word) for word in kept["random.python"]), None))


def learner(
    learning: Learning, env: VecEnv, seed: int, near: Penalty = "clip", kind: type[GuardedPPO] = GuardedPPO
) -> GuardedPPO:
    """Return a PPO whose first policy is exactly zero: the PID layer as it stands."""
    guard = Guard(learning.entropy, penalty.FIRST if near == "kl" else 0.0, learning.rate)
    make = partial(
        kind, "MlpPolicy", env, n_steps=learning.rollout,
        batch_size=min(BATCH, env.num_envs * learning.rollout), n_epochs=EPOCHS, learning_rate=guard.rate,
        gamma=discount(learning), gae_lambda=learning.gae, ent_coef=learning.entropy, seed=seed, device="cpu",
        policy_kwargs=nets(learning) | extractor(learning, env),
    )  # fmt: skip
    model = untrained(make, lambda model: [model.policy.action_net])
    model.guard = guard
    return model


def untrained(make: Callable[[], Model], zeroed: Callable[[Model], Iterable[torch.nn.Module]] = lambda model: ()) -> Model:
    """Return a learner on one thread that logs nowhere, with some layers at exactly zero."""
    torch.set_num_threads(1)
    with (
        warnings.catch_warnings()
    ):  # whole batches of a process seldom fill the last minibatch, which is none of a user's business
        warnings.filterwarnings("ignore", "You have specified a mini-batch size")
        model = make()
    model.set_logger(Logger(folder=None, output_formats=[]))
    with torch.no_grad():
        for layer in zeroed(model):
            for parameter in layer.parameters():
                parameter.zero_()
    return model


def nets(learning: Learning) -> dict[str, Any]:
    """Return what an on-policy learner's actor and critic are made of."""
    net = list(learning.net)
    return {"net_arch": {"pi": net, "vf": net}, "log_std_init": float(np.log(learning.spread))}


def discount(learning: Learning) -> float:
    """Return gamma for the plant's horizon in decisions."""
    return 1.0 - 1.0 / learning.horizon


def layers(modules: Iterable[Any]) -> tuple[tuple[Single, Single], ...]:
    """Return weights and biases of the linear layers among a network's modules."""
    return tuple((_array(m.weight), _array(m.bias)) for m in modules if isinstance(m, torch.nn.Linear))


def _array(parameter: torch.Tensor) -> NDArray[np.float32]:
    copied: NDArray[np.float32] = parameter.detach().numpy().astype(np.float32, copy=True)
    return copied


def _copy(tensor: torch.Tensor) -> NDArray[Any]:
    return np.array(tensor.detach().numpy())
