"""What it brings and costs to learn behind the shield: violations on the way, processor time, the policy's price and its row.

One training seed of the plant's declared learning. The unshielded policy is that of the controllers' benchmark, same seed.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO

from benchmarks import plants
from benchmarks.safety_case import Case
from controller.algorithms import learner
from controller.baselines import Pid
from controller.ground import environment
from controller.methods import PPO_METHOD, Method
from controller.policy import Policy
from controller.rollout import rollout
from controller.safety.opponents import steered
from controller.safety.stress import alike, stressed
from controller.statistics import paired_difference
from controller.train import train

SEED, ROUNDS = 0, 5
SHIELD = Method(safety="shield")


def learned(case: Case) -> dict[str, Any]:
    """Return a plant's figures of learning behind its shield.

    ``price`` is one more than what PPO that learned and runs behind the shield costs more than unshielded PPO, as a share of the
    latter's cost; ``learning.against_pid`` how much less than PID behind the same shield it costs, episodes paired.
    """
    trained = _cell(case, "learned", partial(_learned, case))
    policy = _policy(case, trained)
    row = _cell(case, "ppo", partial(_row, case, policy), case.sizes.episodes)
    costs = {key: np.array(each) for key, each in _cell(case, "compared", partial(_compared, case, policy)).items()}
    bare = float(costs["bare"].mean())
    return {
        "adversaries": {"ppo": row}, "interventions": {"ppo": row["interventions"]},
        "training_violations": trained["hard_violations"], "training_share": _cell(case, "share", partial(_share, case))["share"],
        "price": 1.0 + float(costs["ppo"].mean() - bare) / abs(bare),
        "learning": {
            "steps": trained["steps"], "seeds": 1, "seconds": trained["seconds"], "episodes": len(costs["ppo"]),
            "unit": case.plant.worth, "cost": {key: float(each.mean()) for key, each in costs.items()},
            "against_pid": paired_difference(costs["pid"], costs["ppo"]).as_json(),
        },
    }  # fmt: skip


def _cell(case: Case, what: str, compute: Any, *sizes: int) -> dict[str, Any]:
    """Return a part that depends on the learner too."""
    plant, both = case.plant, (case.sizes.share, case.sizes.compared)
    learners = "".join(map(plants.learner_fingerprint, (PPO_METHOD, SHIELD)))
    beside = repr((plant.learning, plant.scale, plant.worst, both)) + learners
    return case.cell(what, compute, *sizes, beside=beside)


def _steps(case: Case) -> int:
    return int(case.sizes.share * case.plant.learning.steps)


def _learned(case: Case) -> dict[str, Any]:
    """Train behind the shield; the policy is kept number by number."""
    found = train(case.plant, SEED, _steps(case), method=SHIELD)
    layers = [[weight.tolist(), bias.tolist()] for weight, bias in found.policy.layers]
    return {"layers": layers, "hard_violations": found.hard_violations, "steps": found.steps, "seconds": found.seconds}


def _policy(case: Case, trained: dict[str, Any]) -> Policy:
    layers = tuple((np.array(weight, np.float32), np.array(bias, np.float32)) for weight, bias in trained["layers"])
    return Policy(case.plant, SHIELD.level, layers)


def _row(case: Case, policy: Policy) -> dict[str, Any]:
    """Return the policy's row, like an adversary's."""
    plant = case.plant
    return stressed(alike(steered(policy)), case.known, plant, plant.scenario(), case.sizes.episodes, SEED).as_json()


def _compared(case: Case, policy: Policy) -> dict[str, Any]:
    """Return what each episode costs: the policy and PID behind the shield, PPO that never had one and has none, ``bare``."""
    sizes = plants.Sizes(episodes=case.sizes.compared, share=case.sizes.share)
    judged = plants.judging(case.plant, sizes.episodes)
    shielded = {each.name: rollout(each, judged, shield=case.known).total.tolist() for each in (policy, Pid(case.plant))}
    return shielded | {"bare": plants.trained(case.plant.name, SEED, sizes)["cost"]}


def _share(case: Case) -> dict[str, Any]:
    """Return the shield's share of the processor time of learning, the median of rounds in turn with it and without."""
    torch.set_num_threads(1)
    models = [_begun(case, method) for method in (PPO_METHOD, SHIELD)]
    rounds = np.array([[_took(model, case) for model in models] for _ in range(ROUNDS + 1)])[1:]
    return {"share": float(np.median(1.0 - rounds[:, 0] / rounds[:, 1]))}


def _begun(case: Case, method: Method) -> PPO:
    model = learner(method, case.plant.learning, environment(case.plant, SEED, "", method), SEED, None)
    assert isinstance(model, PPO)
    return model


def _took(model: PPO, case: Case) -> float:
    """Return the processor time of one rollout and its update, in seconds."""
    begun, learning = time.process_time(), case.plant.learning
    model.learn(learning.parallel * learning.rollout, reset_num_timesteps=False)
    return time.process_time() - begun
