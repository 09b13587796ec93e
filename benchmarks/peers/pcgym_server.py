"""PC-Gym itself, run by its own Python: reads one request a line as JSON from standard input, answers one line each.

It knows nothing of this project and imports none of it. The cases are PC-Gym's published ones, from its
pc-gym_paper/train_policies: their numbers, their reward, their recipe of training (Stable-Baselines3's PPO with a learning rate
of 0.001 and seed 1, fifty thousand steps), their oracle (do-mpc with the published horizon).
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pcgym import make_env
from pcgym.oracle import oracle
from pcgym.policy_evaluation import policy_eval
from stable_baselines3 import PPO

Array = NDArray[np.float64]
Reward = Callable[[Any, Array, Array, bool], float]
LEARNING_RATE, SEED = 0.001, 1
PACKAGES = ("pcgym", "stable_baselines3", "torch", "gymnasium", "numpy", "casadi", "do-mpc", "jax")


def tracking(weight: float, move: float) -> Reward:
    """Return PC-Gym's reward for outputs that are states: scaled squares of the errors and of the inputs' moves."""

    def reward(env: Any, x: Array, u: Array, _: bool) -> float:
        space, cost = env.env_params["o_space"], 0.0
        for name, targets in env.env_params["SP"].items():
            i = env.model.info()["states"].index(name)
            cost += weight * ((x[i] - targets[env.t]) / (space["high"][i] - space["low"][i])) ** 2
        return float(-cost - move * moved(env, u))

    return reward


def crystals(env: Any, x: Array, u: Array, _: bool) -> float:
    """Return PC-Gym's reward for crystals: of their variation over 2 and mean size over 20, both from the moments, and moves."""
    variation, size = np.sqrt(x[2] * x[0] / x[1] ** 2 - 1.0), x[1] / x[0]
    goal = env.env_params["SP"]
    missed = ((variation - goal["CV"][env.t]) / 2.0) ** 2 + ((size - goal["Ln"][env.t]) / 20.0) ** 2
    return float(-missed - 0.01 * moved(env, u))


def moved(env: Any, u: Array) -> float:
    """Return the sum of squares of the scaled moves; an environment's first input is free."""
    space = env.env_params["a_space"]
    now = (np.ravel(u) - space["low"]) / (space["high"] - space["low"])
    before, env.last_input = getattr(env, "last_input", now), now
    return float(((now - before) ** 2).sum())


def levels(*runs: tuple[float, int]) -> list[float]:
    """Return a sequence that holds each value for so many samples."""
    return [value for value, count in runs for _ in range(count)]


def box(low: list[float], high: list[float]) -> dict[str, Array]:
    """Return the ends of a space."""
    return {"low": np.array(low), "high": np.array(high)}


def case(model: str, samples: int, span: float, targets: dict[str, list[float]], seen: Any, moves: Any, start: list[float],
         noise: float, reward: Reward, **more: Any) -> dict[str, Any]:  # fmt: skip
    """Return what PC-Gym calls the parameters of an environment."""
    return {
        "model": model, "N": samples, "tsim": span, "SP": targets, "o_space": seen, "a_space": moves, "x0": np.array(start),
        "noise": True, "noise_percentage": noise, "custom_reward": reward, "normalise_a": True, "normalise_o": True,
        "integration_method": "casadi", **more,
    }  # fmt: skip


MOMENTS = [1478.00986666666, 22995.8230590611, 1800863.24079725, 248516167.940593]
VARIATION, SIZE = np.sqrt(MOMENTS[2] * MOMENTS[0] / MOMENTS[1] ** 2 - 1.0), MOMENTS[1] / (MOMENTS[0] + 1e-6)
CASES: dict[str, dict[str, Any]] = {
    "cstr": case(
        "cstr", 60, 26.0, {"Ca": levels((0.85, 20), (0.9, 20), (0.87, 20))}, box([0.7, 300.0, 0.8], [1.0, 350.0, 0.9]),
        box([295.0], [302.0]), [0.8, 330.0, 0.8], 0.001, tracking(1e3, 0.1),
    ),
    "extraction": case(
        "multistage_extraction", 60, 60.0, {"X5": levels((0.3, 15), (0.4, 30), (0.3, 15))},
        box([0.0] * 10 + [0.3], [1.0] * 10 + [0.4]), box([5.0, 10.0], [500.0, 1000.0]),
        [0.55, 0.3, 0.45, 0.25, 0.4, 0.2, 0.35, 0.15, 0.25, 0.1, 0.3], 0.05, tracking(1.0, 0.1),
    ),
    "crystallization": case(
        "crystallization", 30, 30.0, {"CV": levels((1.0, 30)), "Ln": levels((15.0, 30))},
        box([0.0] * 7 + [0.9, 14.0], [1e20] * 4 + [0.5, 2.0, 20.0, 1.1, 16.0]), box([-1.0], [1.0]),
        [*MOMENTS, 0.15861523304, VARIATION, SIZE, 1.0, 15.0], 0.001, crystals,
        a_delta=True, a_0=39.0, a_space_act=box([10.0], [40.0]),
    ),
    "four_tank": case(
        "four_tank", 60, 1000.0, {"h3": levels((0.5, 30), (0.1, 30)), "h4": levels((0.2, 30), (0.3, 30))},
        box([0.0] * 6, [0.6] * 6), box([0.1, 0.1], [10.0, 10.0]), [0.141, 0.112, 0.072, 0.42, 0.5, 0.2], 0.05, tracking(1.0, 0.1),
    ),
}  # fmt: skip
HORIZONS = {"cstr": 17, "extraction": 20, "crystallization": 2, "four_tank": 19}
"""Of the oracle, in steps, as published beside each case."""


@dataclass
class Server:
    """What is kept between requests: the environment in use, and the policies trained."""

    env: Any = None
    name: str = ""
    policies: dict[str, Any] = field(default_factory=dict)

    def versions(self) -> dict[str, Any]:
        """Tell which packages are at work."""
        return {"python": sys.version.split()[0], **{name: version(name) for name in PACKAGES}}

    def speed(self, case: str, steps: int) -> dict[str, Any]:
        """Time random actions, resets included."""
        env = make_env(CASES[case])
        env.action_space.seed(0)
        env.reset()
        begun = time.process_time()
        for _ in range(steps):
            if env.step(env.action_space.sample())[2]:
                env.reset()
        return {"steps": steps, "seconds": time.process_time() - begun}

    def train(self, case: str, steps: int) -> dict[str, Any]:
        """Train by the published recipe."""
        begun = time.process_time()
        learner = PPO("MlpPolicy", make_env(CASES[case]), learning_rate=LEARNING_RATE, seed=SEED, device="cpu")
        learner.learn(steps)
        self.policies[case] = learner
        return {"steps": learner.num_timesteps, "seconds": time.process_time() - begun}

    def policy(self, case: str, episodes: int) -> dict[str, Any]:
        """Run the trained policy, each episode in a fresh environment."""
        found = []
        for seed in range(episodes):
            self.begin(case, seed)
            told, over = self._observation(), False
            while not over:
                action, _ = self.policies[case].predict(told, deterministic=True)
                over = self._advance(action)
                told = self._observation()
            found.append([self.counted, self.true])
        return {"returns": found}

    def oracle(self, case: str) -> dict[str, Any]:
        """Run the oracle; its return by PC-Gym's own bookkeeping, and its inputs, (inputs, steps)."""
        parameters = {**CASES[case], "noise": False}
        mpc = {"N": HORIZONS[case]}
        x, u = oracle(make_env, dict(parameters), mpc).mpc()
        own = policy_eval(make_env, {}, 1, dict(parameters), True, mpc)
        return {"bookkeeping": float(np.sum([np.ravel(r) for r in map(np.asarray, own.oracle_reward_fn(x, u))])), "u": u.tolist()}

    def begin(self, case: str, seed: int) -> dict[str, Any]:
        """Start an episode in a fresh environment: the initial state is given without noise."""
        np.random.seed(seed)  # noqa: NPY002
        self.name, self.env = case, make_env(CASES[case])
        self.normal, _ = self.env.reset()
        self.counted = self.true = 0.0
        return self._told(False)

    def step(self, u: list[float]) -> dict[str, Any]:
        """Apply inputs in their own units."""
        space = self.env.env_params["a_space"]
        wanted = np.array(u) - (self.env.a_save if self.env.a_delta else 0.0)
        return self._told(self._advance(2.0 * (wanted - space["low"]) / (space["high"] - space["low"]) - 1.0))

    def _observation(self) -> Array:
        return np.asarray(self.normal, dtype=float)

    def _advance(self, action: Array) -> bool:
        """Take a step; the true return is that of the reward without noise."""
        before = getattr(self.env, "last_input", None)
        self.normal, reward, over, _, _ = self.env.step(np.asarray(action, dtype=float))
        after = self.env.last_input
        if before is not None:
            self.env.last_input = before
        space = self.env.env_params["a_space"]
        u = after * (space["high"] - space["low"]) + space["low"]
        self.counted += float(reward)
        self.true += CASES[self.name]["custom_reward"](self.env, np.asarray(self.env.state, dtype=float), u, False)
        return bool(over)

    def _told(self, over: bool) -> dict[str, Any]:
        seen = np.asarray(self.env.obs, dtype=float)
        x = np.asarray(self.env.state, dtype=float)
        return {"state": x.tolist(), "seen": seen.tolist(), "over": over, "counted": self.counted, "true": self.true}


def serve() -> None:
    """Answer requests until standard input ends; whatever the libraries print goes to standard error."""
    server = Server()
    answers: dict[str, Callable[..., dict[str, Any]]] = {
        each.__name__: each
        for each in (server.versions, server.speed, server.train, server.policy, server.oracle, server.begin, server.step)
    }
    out = sys.stdout
    for line in sys.stdin:
        request = json.loads(line)
        with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = answers[request.pop("ask")](**request)
        out.write(json.dumps(answer) + "\n")
        out.flush()


if __name__ == "__main__":
    serve()
