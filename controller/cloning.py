"""Begin a policy where another controller stands: regress its mean action on what the PID layer or NMPC does.

At level ``direct`` the PID layer's actions are the inputs that it applies, at ``absolute`` the setpoints that its hierarchy
sends, as they stand when a decision ends. They are done again at that level on the same episodes, so that observations are of
the kind that the policy will see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from stable_baselines3.common.policies import ActorCriticPolicy

from controller.baselines import Pid, Replay
from controller.demonstrations import demonstrations
from controller.interface import Reading
from controller.methods import Method
from controller.rollout import rollout
from plant_models.core.plant import Learning, Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import Level
from plant_models.derive.shooting import spans
from plant_models.env.mixture import mixture
from plant_models.env.scenario import Episodes, Single, draw

LESSONS = 64
"""Training episodes that the PID layer runs."""
STEPS, BATCH, RATE = 3000, 512, 3e-3
DECAY = {"pid": 0.0, "nmpc": 0.3}
"""Weight decay: NMPC's lessons are few."""
GENTLE = 0.25
"""With which share of the plant's first spread and learning rate PPO goes on from a clone of NMPC, lest it is unlearned."""


@dataclass
class _Noted:
    """A controller that runs as another does, and notes what it was shown and what it did."""

    teacher: Replay
    seen: list[Single] = field(default_factory=list)
    done: list[Single] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.teacher.name

    @property
    def level(self) -> Level:
        return self.teacher.level

    def plan(self, episodes: Episodes) -> Episodes:
        return self.teacher.plan(episodes)

    def act(self, reading: Reading) -> Single:
        action = self.teacher.act(reading)
        self.seen.append(reading.observation.copy())
        self.done.append(action)
        return action


def lessons(
    plant: Plant, method: Method, seed: int, scenario: str = "", tell: Callable[[str], None] = lambda note: None
) -> tuple[Single, Single]:
    """Return observations, (samples, entries), and the teacher's actions at the method's level, (samples, actions).

    The PID layer's are of the training seed's own episodes, NMPC's are its demonstrations, and ``tell`` hears how long these
    take. Several scenarios share the episodes equally. Episodes that tripped or failed teach nothing.
    """
    if method.clone == "nmpc":
        return demonstrations(plant, method.level, scenario, tell)
    chosen = mixture(plant, scenario)
    parts = [_lessons(method.level, draw(plant, each, seed, LESSONS // len(chosen), "training")) for each in chosen]
    seen, done = zip(*parts, strict=True)
    return np.concatenate(seen), np.concatenate(done)


def _lessons(level: Level, episodes: Episodes) -> tuple[Single, Single]:
    noted = _Noted(_pid(episodes.plant, level, episodes))
    run = rollout(noted, episodes)
    whole = ~(run.tripped | run.failed)
    seen, done = (np.stack(part)[:, whole] for part in (noted.seen, noted.done))
    return seen.reshape(-1, seen.shape[2]), done.reshape(-1, done.shape[2])


def _pid(plant: Plant, level: Level, episodes: Episodes) -> Replay:
    """Return what the PID layer does on the episodes as actions of another level: where each decision ends."""
    path = rollout(Pid(plant), episodes).path
    sent: Array = path["u"] if level == "direct" else path["sp"][:, :, [plant.loops.index(loop) for loop in plant.acted]]
    unit, centre = spans(plant, level)
    return Replay(plant, level, np.clip((sent[:, 1:] - centre) / unit, -1.0, 1.0).astype(np.float32))


def cautious(learning: Learning, method: Method) -> Learning:
    """Return how PPO goes on from where the method begins: from a clone of NMPC by small steps."""
    if method.clone != "nmpc":
        return learning
    return replace(learning, spread=GENTLE * learning.spread, rate=GENTLE * learning.rate)


def clone(policy: ActorCriticPolicy, seen: Single, done: Single, seed: int, decay: float = 0.0) -> float:
    """Regress the policy's mean on actions; return the root of the mean square of what is left, as a share of half the range.

    A mean beyond the end of the range where the action stands there is none: it is clipped when it is applied.
    """
    parts = [*policy.mlp_extractor.policy_net.parameters(), *policy.action_net.parameters()]
    optimizer, draws = torch.optim.AdamW(parts, lr=RATE, weight_decay=decay), torch.Generator().manual_seed(seed)
    observations, actions = torch.as_tensor(seen), torch.as_tensor(done)

    def left(rows: torch.Tensor) -> torch.Tensor:
        shown = policy.pi_features_extractor(observations[rows])
        mean = policy.action_net(policy.mlp_extractor.forward_actor(shown))
        return _missed(mean, actions[rows]).square().mean()

    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = RATE * (1.0 - step / STEPS)
        optimizer.zero_grad()
        left(torch.randint(len(actions), (BATCH,), generator=draws)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        return float(left(torch.arange(len(actions))).sqrt())


def _missed(mean: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
    beyond = ((actions >= 1.0) & (mean > actions)) | ((actions <= -1.0) & (mean < actions))
    return torch.where(beyond, torch.zeros_like(mean), mean - actions)
