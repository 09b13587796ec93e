"""What a state will still cost in time beyond limits: a value network of its own beside the policy's, and its advantages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from plant_models.env.scenario import Single

ADAM = ("step", "exp_avg", "exp_avg_sq")
STEEPEST = 0.5
"""Norm to which a gradient is clipped, as PPO clips its own."""


class CostCritic:
    """A network of the critic's shape whose first answer is zero, with its own optimizer.

    Nothing here draws from a global random generator: while the multiplier is zero the policy is the one that PPO alone finds.
    """

    def __init__(self, width: int, hidden: tuple[int, ...], seed: int) -> None:
        self._seed, self._rounds = seed, 0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._net = _network(width, hidden)
        self._adam = torch.optim.Adam(self._net.parameters(), eps=1e-5)

    def values(self, observations: Single) -> Single:
        """Return the discounted decisions that will be spent beyond limits, (...), from observations (..., entries)."""
        with torch.no_grad():
            answer: Single = self._net(torch.as_tensor(observations))[..., 0].numpy()
        return answer

    def learn(self, observations: Single, targets: Single, rate: float, batch: int, epochs: int) -> float:
        """Regress on targets (n,) at observations (n, entries), in batches; return the mean square of what was left."""
        self._adam.param_groups[0]["lr"] = rate
        self._rounds += 1
        draws, losses = np.random.default_rng((self._seed, self._rounds)), []
        seen, sought = torch.as_tensor(observations), torch.as_tensor(targets)
        for _ in range(epochs):
            order = torch.from_numpy(draws.permutation(len(targets)))
            batches = (order[first : first + batch] for first in range(0, len(targets), batch))
            losses += [self._step(seen[rows], sought[rows]) for rows in batches]
        return float(np.mean(losses))

    def _step(self, observations: torch.Tensor, targets: torch.Tensor) -> float:
        loss = torch.nn.functional.mse_loss(self._net(observations)[:, 0], targets)
        self._adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._net.parameters(), STEEPEST)
        self._adam.step()
        return loss.item()

    def state(self) -> dict[str, NDArray[Any]]:
        """Return weights, what the optimizer remembers, and the rounds learned so far."""
        weights = {f"net.{name}": _copy(part) for name, part in self._net.state_dict().items()}
        memory = {f"adam.{i}.{name}": _copy(part[name]) for i, part in self._adam.state_dict()["state"].items() for name in ADAM}
        return weights | memory | {"rounds": np.array([self._rounds])}

    def resume(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Go back to a state; raises KeyError or RuntimeError where it is of another network."""
        tensors = {name: torch.from_numpy(np.array(part)) for name, part in kept.items()}
        self._net.load_state_dict({name: tensors[f"net.{name}"] for name in self._net.state_dict()})
        adam, indices = self._adam.state_dict(), {int(name.split(".")[1]) for name in kept if name.startswith("adam.")}
        adam["state"] = {i: {name: tensors[f"adam.{i}.{name}"] for name in ADAM} for i in sorted(indices)}
        self._adam.load_state_dict(adam)
        self._rounds = int(kept["rounds"][0])


def estimated(
    costs: Single, values: Single, last: Single, starts: NDArray[Any], over: NDArray[Any], discount: float, trace: float
) -> Single:
    """Return the generalised advantages, (steps, n), of costs (steps, n) where a critic foresaw ``values``, (steps, n).

    ``last`` (n,) are its values of what follows, ``starts`` (steps, n) and ``over`` (n,) say where an episode had just begun.
    Source: J. Schulman et al., High-dimensional continuous control using generalized advantage estimation, ICLR 2016.
    """
    advantages, ahead = np.zeros_like(values), np.zeros_like(last)
    following, goes_on = last, 1.0 - over.astype(np.float32)
    for k in reversed(range(len(costs))):
        error = costs[k] + discount * following * goes_on - values[k]
        advantages[k] = ahead = error + discount * trace * goes_on * ahead
        following, goes_on = values[k], 1.0 - starts[k].astype(np.float32)
    return advantages


def _network(width: int, hidden: tuple[int, ...]) -> torch.nn.Sequential:
    """Return tanh layers begun as Stable-Baselines3 begins its critic's, and a last layer of zeros."""
    layers: list[torch.nn.Module] = []
    for before, after in zip((width, *hidden), hidden, strict=False):
        layers += [torch.nn.Linear(before, after), torch.nn.Tanh()]
        torch.nn.init.orthogonal_(layers[-2].weight, 2.0**0.5)  # type: ignore[arg-type]
        torch.nn.init.zeros_(layers[-2].bias)  # type: ignore[arg-type]
    final = torch.nn.Linear((width, *hidden)[-1], 1)
    for part in final.parameters():
        torch.nn.init.zeros_(part)
    return torch.nn.Sequential(*layers, final)


def _copy(tensor: torch.Tensor) -> NDArray[Any]:
    return np.array(tensor.detach().numpy())
