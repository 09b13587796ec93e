"""Train a policy on a plant, watch it on fixed validation episodes, keep the best, and record while it runs.

A recorded training by PPO leaves checkpoints beside its run, from which :func:`resume` goes on to the last bit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.callbacks import BaseCallback

from controller.algorithms import learner, pace, policy_of
from controller.baselines import Pid
from controller.benchmark import versions
from controller.checkpoint import Arrays, Checkpoint, Course, checkpoints, latest, save
from controller.cloning import DECAY, cautious, clone, lessons
from controller.destination import LAST, check_free
from controller.events import Level, say
from controller.following import Following
from controller.ground import Ground, environment, ground, guarded, score, warnings
from controller.historian import Historian
from controller.keeping import Keeper
from controller.limits import allowed, budget
from controller.methods import PPO_METHOD, Method
from controller.policy import Policy
from controller.ppo import Guard, GuardedPPO
from controller.records import RunRecord
from controller.safety.known import found
from controller.sb3_env import PlantVecEnv
from controller.stability import drawdown, volatility, worst_tenth
from controller.statistics import paired_difference
from plant_models.core.errors import BadInput, InvalidFile
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.mixture import label, mixture

CHECKS = 24
"""Validations in one training, evenly spread; a checkpoint follows each."""
LOST = 20.0
"""Share of the lead over the PID layer, in %, whose loss is worth a warning."""


@dataclass(frozen=True)
class Progress:
    """How far a training is; scores are mean returns on the validation episodes, higher is better.

    ``lead`` is the low end of the 95 % interval by which the score is above PID's, episodes paired; ``note`` is what a user has
    to hear, and empty where the numbers are new.
    """

    step: int
    total: int
    seconds: float
    score: float
    baseline: float
    best: float
    steps_per_s: float
    lead: float
    note: str = ""


@dataclass(frozen=True)
class Trained:
    """The best policy of a training and the last one, and how the best and the PID layer compare on the validation episodes.

    ``hard_violations`` are the decisions of learning in which a hard limit was crossed.
    """

    policy: Policy
    last: Policy
    steps: int
    seconds: float
    score: float
    baseline: float
    hard_violations: int

    def save(self, folder: Path) -> None:
        """Keep the best policy in a folder, and the last one in its folder ``last``; raises BadInput for a folder not its own."""
        check_free(folder)
        self.policy.save(folder)
        self.last.save(folder / LAST)


def train(
    plant: Plant, seed: int = 0, steps: int | None = None, scenario: str = "", historian: Historian | None = None,
    run_id: str | None = None, report: Callable[[Progress], None] = lambda progress: None, start: Checkpoint | None = None,
    keep: Path | None = None, method: Method = PPO_METHOD,
) -> Trained:  # fmt: skip
    """Train from the PID layer as it stands, or from a checkpoint; return the policy that did best on the validation episodes.

    Checkpoints, which only PPO leaves, go to the folder ``keep``, or beside the run where the training is recorded.

    Raises:
        Diverged: where the plant keeps producing numbers that are not finite.
        InvalidFile: where the checkpoint does not fit.
        BadInput: where limits are to be kept and the plant declares none.
    """
    method = method.of(plant.learning)
    course = Course(plant.name, label(mixture(plant, scenario)), seed, steps or method.steps(plant.learning))
    folder = checkpoints(run_id) if keep is None and run_id is not None else keep
    log = _Log(historian, run_id, report)
    if method.shielded and found(plant, guarded(plant, scenario, method)) is None:
        log.say(said(0, course.total, f"calibrating the shield of {plant.name}: once, half a minute to some minutes ..."))
    watched_on = ground(plant, scenario, method)
    for warning in warnings(watched_on):
        log.say(said(0, course.total, f"{plant.name}: {warning}"), "warning")
    env = environment(plant, seed, scenario, method, watched_on.rewards)
    spend = budget(method, plant, watched_on.parts, watched_on.shield)
    model = learner(method, cautious(plant.learning, method), env, seed, spend)
    keeper = Keeper(spend or allowed(plant, watched_on.parts, watched_on.shield))
    watch = _Watch(watched_on, course, method, log, folder, keeper)
    if start is not None:
        assert isinstance(model, GuardedPPO)
        _go_back(start, model, env, watch)
    elif method.cloned:
        assert isinstance(model, GuardedPPO)
        _imitate(model, plant, method, course, log)
    watched = [watch, *pace(method, course.total), *([Following(plant, method, env)] if env.follows else [])]
    model.learn(course.total - model.num_timesteps, callback=watched, reset_num_timesteps=start is None)
    watch.close()
    best = watch.keeper
    took, crossed = watch.seconds, env.hard_violations
    return Trained(best.policy, watch.policy(), model.num_timesteps, took, best.score, watch.baseline, crossed)


def _imitate(model: GuardedPPO, plant: Plant, method: Method, course: Course, log: _Log) -> None:
    """Have a training begin where its method's teacher stands, and say how near it came."""
    taught = lessons(plant, method, course.seed, course.scenario, lambda note: log.say(said(0, course.total, note)))
    left = clone(model.policy, *taught, course.seed, DECAY[method.clone])
    done = f"cloned {method.clone} at level {method.level}: {100 * left:.2g} % of half the range is left"
    log.say(said(0, course.total, done))


def _go_back(start: Checkpoint, model: GuardedPPO, env: PlantVecEnv, watch: _Watch) -> None:
    """Put a training where a checkpoint stood."""
    parts = {part: _within(start.arrays, part) for part in ("model", "env", "watch")}
    try:
        env.restore(parts["env"])
        model.resume(parts["model"])
        watch.resume(parts["watch"])
    except (BadInput, KeyError, ValueError, RuntimeError) as error:
        where = f"step {start.step} of {start.course.plant}"
        raise InvalidFile("checkpoint", where, f"{error}; put the plant back as it was, or train anew") from error


def _within(arrays: Arrays, part: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(f"{part}."): array for name, array in arrays.items() if name.startswith(f"{part}.")}


@dataclass(frozen=True)
class _Log:
    """Where a training says what it does."""

    historian: Historian | None
    run: str | None
    report: Callable[[Progress], None]

    def metrics(self, step: int, values: dict[str, float]) -> None:
        if self.historian is not None and self.run is not None:
            self.historian.metrics(self.run, step, values)

    def say(self, progress: Progress, level: Level = "info") -> None:
        """Pass a note on, and keep it with the run."""
        self.report(progress)
        if self.historian is not None and self.run is not None:
            say(self.historian.store, self.run, "training", progress.note, level)


class _Watch(BaseCallback):
    """Validates, records and keeps checkpoints between rollouts, when no gradient is under way."""

    def __init__(self, ground: Ground, course: Course, method: Method, log: _Log, folder: Path | None, keeper: Keeper) -> None:
        super().__init__()
        plant = self._plant = ground.plant
        self._ground, self._course, self._log, self._folder = ground, course, log, folder
        self._method, self._other, self._rival = method, Guard(), ground.returns(Pid(plant))
        self.baseline = score(self._rival, plant)
        self.keeper = keeper
        self._scores: list[float] = []
        self._told: set[str] = set()
        self._begun = time.perf_counter()
        self._next, self._checked = 0, -1
        nothing = float("nan")
        self._progress = Progress(0, course.total, 0.0, nothing, self.baseline, nothing, 0.0, nothing)

    @property
    def seconds(self) -> float:
        """Seconds that training has taken so far, those before a resumption included."""
        return time.perf_counter() - self._begun

    def policy(self) -> Policy:
        """Return the policy as it stands."""
        return policy_of(self.model, self._plant, self._method)

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        self._look_at_update()
        if self.num_timesteps >= self._next and self._checked < self.num_timesteps:
            self._next += self._course.total // CHECKS
            self._check()
            self._save()

    def _on_rollout_end(self) -> None:
        spoiled = self._env.spoiled
        if spoiled:
            more = f" (and {len(spoiled) - 1} more)" if len(spoiled) > 1 else ""
            self._drop(f"{spoiled[0]}{more}")
            spoiled.clear()

    def _drop(self, cause: str) -> None:
        """Have PPO learn nothing from a spoiled rollout; the others take it as an episode's end without reward."""
        if isinstance(self.model, GuardedPPO):
            self.model.guard.spoiled = cause
            return
        self._say("spoiled", f"{cause}; it counts as an end without reward")
        self._other.strike(cause)

    def close(self) -> None:
        """Look at the last update, validate and save once more."""
        self._look_at_update()
        self._next = max(self._next, self.num_timesteps + 1)
        if self._checked < self.num_timesteps:
            self._check()
            self._save()
        if self.keeper.complaint():
            self._say("budget", self.keeper.complaint())

    @property
    def _env(self) -> PlantVecEnv:
        env = self.model.get_env()
        assert isinstance(env, PlantVecEnv)
        return env

    def _look_at_update(self) -> None:
        """Record what the last update did, and say what is unusual about it, once for each kind."""
        if not isinstance(self.model, GuardedPPO):
            return
        guard = self.model.guard
        if guard.last is not None:
            rate = guard.rate(1.0 - self.num_timesteps / self._course.total)
            ours = {"train/learning_rate": rate, "train/taken_back": float(guard.undone)}
            self._log.metrics(self.num_timesteps, guard.last.metrics() | ours | self.model.measures())
            guard.last = None
        for about, text in guard.told.items():
            if about != "value" or not self._env.follows:  # against itself there is nothing to foresee
                self._say(about, text)
        guard.told = {}

    def _say(self, about: str, text: str) -> None:
        if about in self._told:
            return
        self._told.add(about)
        self._log.say(replace(self._progress, note=f"{self._plant.name}, step {self.num_timesteps}: {text}"), "warning")

    def _check(self) -> None:
        """Score the policy as it stands, keep it if it is the best so far, and record."""
        policy, self._checked = self.policy(), self.num_timesteps
        costs = self._ground.returns(policy)
        reached = score(costs, self._plant)
        self._scores.append(reached)
        self.keeper.offer(policy, reached)
        rate, total = self.num_timesteps / max(self.seconds, 1e-9), self._course.total
        lead = paired_difference(self._rival, costs).low / self._plant.scale
        self._progress = Progress(self.num_timesteps, total, self.seconds, reached, self.baseline, self.keeper.score, rate, lead)
        self._log.report(self._progress)
        if self._log.historian is not None:
            self._record(costs, policy)

    def _record(self, costs: Array, policy: Policy) -> None:
        lost = drawdown(self._scores, self.baseline)
        values = {
            f"score/{self._method.algorithm}": self._progress.score, "train/steps_per_s": self._progress.steps_per_s,
            "train/hard_violations": float(self._env.hard_violations), "validation/drawdown": lost,
            "validation/volatility": volatility(self._scores), "validation/worst_tenth": worst_tenth(-costs / self._plant.scale),
        }  # fmt: skip
        values |= self.keeper.metrics() | self._ground.terms(policy) | self._env.interventions.metrics() | self._learner()
        values |= self._ground.saved(self._rival, costs)
        self._log.metrics(self.num_timesteps, values)
        if lost > LOST:
            self._say("drawdown", f"{lost:.0f} % of the best lead over PID is lost again; the best policy is kept all the same")

    def _learner(self) -> dict[str, float]:
        """Return what SB3 says of the last update; of PPO's more is known."""
        if isinstance(self.model, GuardedPPO):
            return {}
        return {key: float(value) for key, value in self.model.logger.name_to_value.items() if key.startswith("train/")}

    def _save(self) -> None:
        """Keep a checkpoint; where the disk does not take it, training goes on."""
        if self._folder is None or not isinstance(self.model, GuardedPPO):
            return
        parts = {"model": self.model.state(), "env": self._env.snapshot(), "watch": self._state()}
        arrays = {f"{part}.{name}": array for part, kept in parts.items() for name, array in kept.items()}
        try:
            save(self._folder, Checkpoint(self._course, self.num_timesteps, arrays), self._plant)
        except OSError as error:
            self._say("checkpoint", f"no checkpoint in {self._folder} ({error.strerror}); training goes on, older ones stay")

    def _state(self) -> dict[str, NDArray[Any]]:
        return self.keeper.state() | {"scores": np.array(self._scores), "seconds": np.array([self.seconds]),
                                      "counts": np.array([self._next, self._checked])}  # fmt: skip

    def resume(self, kept: Arrays) -> None:
        """Go back to where a checkpoint stood."""
        self.keeper.resume(kept, self._plant, self._method.level)
        self._scores = [float(value) for value in kept["scores"]]
        self._begun -= float(kept["seconds"][0])
        self._next, self._checked = (int(count) for count in kept["counts"])


def resume(
    plant: Plant, run: str, historian: Historian, steps: int | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
) -> tuple[str, Trained]:  # fmt: skip
    """Go on with a recorded training where its last checkpoint stands; return the new run's id and the result.

    The weights come out as if nothing had happened. The new run holds the whole learning curve, and the old one stays as it was.
    With more ``steps`` than before it is another training: the learning rate falls over the new total from there on.

    Raises:
        UnknownName: where there is no such run, or the plant lacks its scenario.
        BadInput: where the run is no training of this plant, still runs, or is complete.
        InvalidFile: where no checkpoint can be used.
    """
    found = historian.find(run)
    _check_resumable(found, plant)
    start, passed = latest(checkpoints(run), plant)
    before = start.course.total
    total = before if steps is None else steps
    if total < before or (total == before and found.status == "completed"):
        stated = f"run {run}: {'complete' if found.status == 'completed' else 'begun'} with {before} decisions"
        raise BadInput(f"{stated}; give --steps above {before} to go on, which is another training, or train anew")
    chosen = ("level", "penalty", "clone", "safety", "cost_limit")
    method = Method(**{name: found.config[name] for name in chosen if name in found.config})
    config = {**found.config, "total_steps": total, "resumes": run, "resumed_at": start.step}
    with historian.run("train", plant.name, "ppo", start.course.seed, config, versions()) as new:
        log = _Log(historian, new, report)
        if passed:
            log.say(said(start.step, total, passed), "warning")
        if total > before:
            other = f"{total} decisions in place of {before}: another training than {total} in one go"
            log.say(said(start.step, total, other), "warning")
        _copy_curve(historian, run, new, start.step)
        trained = train(plant, start.course.seed, total, start.course.scenario, historian, new, report, start, method=method)
        historian.finish(new, "completed", {"score": trained.score, "pid": trained.baseline, "seconds": trained.seconds})
    return new, trained


def said(step: int, total: int, note: str) -> Progress:
    """Return a note at a step, without figures."""
    nothing = float("nan")
    return Progress(step, total, 0.0, nothing, nothing, nothing, 0.0, nothing, note)


def _check_resumable(found: RunRecord, plant: Plant) -> None:
    if found.kind != "train":
        raise BadInput(f"run {found.id}: a {found.kind}, not a training; `setpoint runs` lists the trainings")
    if found.controller != "ppo":
        raise BadInput(
            f"run {found.id}: trained by {found.controller}, and only PPO leaves checkpoints to go on from; train anew"
        )
    if found.plant != plant.name:
        raise BadInput(f"run {found.id}: trained on {found.plant!r}, asked to go on with {plant.name!r}; name the run's plant")
    if found.status == "running":
        raise BadInput(f"run {found.id}: still running (process {found.pid} on {found.host}); stop it first")
    mixture(plant, str(found.config.get("scenario", "")))


def _copy_curve(historian: Historian, old: str, new: str, step: int) -> None:
    """Give a run what another one had logged up to a step."""
    curve: dict[int, dict[str, float]] = {}
    for row in historian.metrics_after(old):
        if row.step <= step:
            curve.setdefault(row.step, {})[row.key] = row.value
    for at, values in sorted(curve.items()):
        historian.metrics(new, at, values)
