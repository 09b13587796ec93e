"""What `setpoint train` does and shows: one training, seeds side by side, one that goes on, an environment that is no plant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from dashboard import terminal
from dashboard.commands.session import case

if TYPE_CHECKING:
    from controller.historian import Historian
    from controller.methods import Method
    from controller.records import RunRecord
    from controller.seeds import Group
    from controller.train import Progress, Trained
    from plant_models.core.plant import Plant


@dataclass(frozen=True)
class Request:
    """What the user asked to have trained."""

    store: str | None
    name: str
    file: Path | None
    scenario: str
    seed: int
    steps: int | None
    out: Path | None
    method: Method

    def case(self) -> tuple[Plant, str]:
        """Return the plant and its scenario's name."""
        return case(self.name, self.file, self.scenario)

    def historian(self) -> Historian:
        """Open the run store."""
        from controller.historian import Historian

        return Historian(self.store)

    def shown(self, plant: Plant) -> str:
        """Return how a command names the plant."""
        return plant.name if self.file is None else f"--plant {self.file}"


@dataclass(frozen=True)
class Shown:
    """A result for machines, the lines of it for people, and the exit code."""

    result: dict[str, Any]
    lines: tuple[str, ...]
    code: int = 0


def method(algorithm: str, level: str, penalty: str, clone: str) -> Method:
    """Return how to train, by the names that the user gave; raises BadInput."""
    from controller.methods import Method

    chosen = Method(*cast("tuple[Any, Any, Any, Any]", (algorithm, level, penalty, clone)))
    if level != "setpoint" and not clone:
        terminal.note(f"level {level}: the untrained policy holds the middle of every range, and is not the PID layer")
    return chosen


def show(shown: Shown, as_json: bool) -> None:
    """Print a result, and leave with its exit code where that is not 0."""
    if as_json:
        terminal.show_json(shown.result)
    else:
        for line in shown.lines:
            terminal.say(line)
    if shown.code:
        raise typer.Exit(shown.code)


def one(request: Request) -> Shown:
    """Train once."""
    plant, scenario = request.case()
    from controller.demo import recorded_training

    with request.historian() as historian, terminal.progress(f"training {plant.name}") as bar:
        run, trained = recorded_training(
            plant, historian, request.seed, request.steps, follow(bar), scenario, method=request.method
        )
    return _kept(request, plant, run, trained)


def resumed(request: Request, run: str, seed: int | None, seeds: int) -> Shown:
    """Go on with a recorded training; ``seed`` where the user gave one.

    Raises:
        BadInput: where the options ask for another training than the one recorded.
    """
    plant, scenario = request.case()
    from controller.train import resume

    with request.historian() as historian, terminal.progress(f"training {plant.name}") as bar:
        _check_same(historian.find(run), request.method, seed, seeds, scenario)
        new, trained = resume(plant, run, historian, request.steps, follow(bar))
    return _kept(request, plant, new, trained)


def _kept(request: Request, plant: Plant, run: str, trained: Trained) -> Shown:
    """Keep the policies of a training, and say where."""
    from controller.store import runs_folder

    folder = request.out or runs_folder() / run / "policy"
    trained.save(folder)
    name = trained.policy.name
    result = {"plant": plant.name, "algorithm": name, "run": run, "policy": str(folder), "steps": trained.steps,
              "seconds": trained.seconds, "score": trained.score, "pid": trained.baseline}  # fmt: skip
    compared = f"compare it: setpoint benchmark {request.shown(plant)} --controllers pid,{name} --policy {folder}"
    told = f"{trained.steps} decisions in {trained.seconds:.1f} s: mean return {trained.score:.4g}, PID {trained.baseline:.4g}"
    return Shown(result, (told, f"policy: {folder}", compared))


def many(request: Request, seeds: int) -> Shown:
    """Train several seeds side by side; the exit code is 1 where one of them failed."""
    plant, scenario = request.case()
    from controller.seeds import Source, train_seeds

    source = Source(request.name, request.file, request.scenario)
    chosen = range(request.seed, request.seed + seeds)
    with terminal.progress(f"training {plant.name}, {seeds} seeds") as bar:
        follow = _follow_all(bar, seeds)
        group = train_seeds(source, chosen, request.store, request.steps, request.out, follow, method=request.method)
    for seed, problem in group.failed.items():
        terminal.note(f"seed {seed} failed: {' '.join(problem.split())}")
    return Shown(
        {"plant": plant.name, "algorithm": request.method.algorithm, "scenario": scenario, **group.as_json()},
        _lines(group),
        int(bool(group.failed)),
    )


def _lines(group: Group) -> tuple[str, ...]:
    pid, (iqm, low, high) = float(group.pid.mean()), group.iqm()
    each = (f"seed {found.seed}: mean return {found.score:.4g} after {found.steps} decisions in {found.seconds:.1f} s; "
            f"run {found.run}, policy {found.policy}" for found in group.trained)  # fmt: skip
    what = f"interquartile mean of {len(group.trained)} seeds on {len(group.pid)} validation episodes"
    return (*each, f"{what}: {iqm:.4g} (95 % interval {low:.4g} to {high:.4g}), PID {pid:.4g}; group {group.name}")


def plant_name(given: str, file: Path | None) -> str:
    """Return the plant that a name or a Gymnasium id means, and nothing for an environment that is no plant.

    Raises:
        UnknownName: where it is neither.
    """
    from plant_models.catalogue import names

    if file is not None or not given or given in names():
        return given
    from controller.outside import plant_of

    return plant_of(given)


def outside(request: Request, resume: str, seeds: int) -> Shown:
    """Train on a Gymnasium environment that is no plant.

    Raises:
        BadInput: for an option that only a plant has, or an environment that cannot be used.
    """
    from controller.outside import train_outside
    from controller.store import runs_folder

    _check_outside(request, resume, seeds)
    env_id, before = request.name, "untrained"
    with request.historian() as historian, terminal.progress(f"training on {env_id}") as bar:

        def follow(p: Progress) -> None:
            bar.update(p.step, p.total, f"mean return {p.score:.4g} ({before} {p.baseline:.4g})")

        found = train_outside(env_id, historian, request.seed, request.steps, follow,
                              lambda run: request.out or runs_folder() / run / "policy")  # fmt: skip
    old, new = float(found.before.mean()), float(found.after.mean())
    result = {"environment": env_id, "run": found.run, "weights": str(found.folder), "steps": found.steps,
              "seconds": found.seconds, "before": old, "after": new, "episodes": len(found.after)}  # fmt: skip
    reached = f"mean return {new:.4g} over {len(found.after)} episodes, {before} {old:.4g}"
    told = f"{found.steps} steps in {found.seconds:.1f} s: {reached}"
    return Shown(
        result, (told, f"weights: {found.folder}", f"{env_id} is no plant: it has no PID layer to compare the policy with")
    )


def _check_outside(request: Request, resume: str, seeds: int) -> None:
    from plant_models.core.errors import BadInput

    given = {
        "--scenario": request.scenario,
        "--resume": resume,
        "--seeds": seeds > 1,
        "--algorithm": request.method.algorithm != "ppo",
    }
    for option, chosen in given.items():
        if chosen:
            raise BadInput(f"{option}: {request.name} is no plant, and only plants have it; leave {option} out, or name a plant")


def follow(bar: terminal.Bar) -> Callable[[Progress], None]:
    """Return what shows a training: its notes as lines, everything else on the bar."""

    def show(p: Progress) -> None:
        if p.note:
            terminal.note(p.note)
        else:
            bar.update(p.step, p.total, f"score {p.score:.4g} (PID {p.baseline:.4g})")

    return show


def _follow_all(bar: terminal.Bar, seeds: int) -> Callable[[int, Progress], None]:
    """Show the trainings as one: the decisions of all, and their mean score."""
    last: dict[int, Progress] = {}

    def show(seed: int, p: Progress) -> None:
        if p.note:
            terminal.note(f"seed {seed}: {p.note}")
            return
        last[seed] = p
        score = sum(each.best for each in last.values()) / len(last)
        done = sum(min(each.step, each.total) for each in last.values())
        bar.update(done, seeds * p.total, f"mean best score {score:.4g} of {len(last)} begun (PID {p.baseline:.4g})")

    return show


def _check_same(run: RunRecord, method: Method, seed: int | None, seeds: int, scenario: str) -> None:
    """Refuse options that differ from those of the run to go on with; raises BadInput."""
    from plant_models.core.errors import BadInput

    begun = str(run.config.get("scenario", ""))
    if method.algorithm != "ppo":
        raise BadInput(
            f"--algorithm {method.algorithm}: only PPO leaves checkpoints to go on from; leave --algorithm out, or train anew"
        )
    if seed not in (None, run.seed):
        raise BadInput(f"--seed {seed}: run {run.id} was begun with seed {run.seed}; leave --seed out")
    for option, usual in (("level", "setpoint"), ("penalty", "clip"), ("clone", "")):
        asked, before = vars(method)[option], run.config.get(option, usual)
        if asked not in (usual, before):
            raise BadInput(f"--{option} {asked}: run {run.id} was begun with {before or 'none'}; leave --{option} out")
    if seeds > 1:
        raise BadInput(f"--seeds {seeds}: run {run.id} is one training; leave --seeds out")
    if scenario not in ("", begun):
        raise BadInput(f"--scenario {scenario}: run {run.id} was begun on scenario {begun!r}; leave --scenario out")
