"""What `setpoint train` does and shows: one training, seeds side by side, one that goes on, an environment that is no plant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from dashboard import terminal
from dashboard.commands.session import cases

if TYPE_CHECKING:
    from controller.historian import Historian
    from controller.methods import Method
    from controller.records import RunRecord
    from controller.seeds import Group
    from controller.train import Progress, Trained
    from controller.yardstick import Yardstick
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
    against: str = ""

    def case(self) -> tuple[Plant, str]:
        """Return the plant and the name of its scenario, or of several with commas between."""
        return cases(self.name, self.file, self.scenario)

    def check_out(self) -> None:
        """See that the policy can be written where the user wants it, before hours go into it; raises BadInput."""
        from controller.destination import check_free

        if self.out is not None:
            check_free(self.out)

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


def method(algorithm: str, level: str, penalty: str, clone: str, safety: str, cost_limit: float | None) -> Method:
    """Return how to train, by the names that the user gave; raises BadInput."""
    from controller.methods import Method

    names = cast("tuple[Any, Any, Any, Any, Any]", (algorithm, level, penalty, clone, safety))
    return Method(*names, cost_limit)


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
    _note_level(request.method)
    from controller.demo import recorded_training

    request.check_out()
    mark = _yardstick(plant, scenario, request.against)
    with request.historian() as historian, terminal.progress(f"training {plant.name}") as bar:
        run, trained = recorded_training(
            plant, historian, request.seed, request.steps, follow(bar, mark), scenario, method=request.method, against=mark
        )
    return _kept(request, plant, scenario, run, trained, mark)


def _note_level(method: Method) -> None:
    """Say what training begins with where that is not the PID layer."""
    if method.level != "setpoint" and not method.cloned:
        terminal.note(f"level {method.level}: the untrained policy holds the middle of every range, and is not the PID layer")


def against(given: str) -> str:
    """Return what a training is compared with beside the PID layer; raises UnknownName."""
    from plant_models.core.errors import UnknownName, unknown

    if given not in ("", "nmpc"):
        raise UnknownName(unknown("yardstick", given, ("nmpc",)))
    return given


def _yardstick(plant: Plant, scenario: str, asked: str) -> Yardstick | None:
    """Return NMPC on the validation episodes where it is known, or where it is asked for and quick enough."""
    from controller.ground import validation
    from controller.yardstick import TooSlow, known, yardstick
    from plant_models.core.errors import BadInput
    from plant_models.env.mixture import label, mixture

    chosen = mixture(plant, scenario)
    if len(chosen) > 1:
        if asked:
            raise BadInput(f"--against {asked} with scenarios {label(chosen)!r}: nmpc is scored on one; leave one of them out")
        return None
    episodes = validation(plant, scenario)
    if not asked:
        return known(episodes)
    with terminal.progress(f"NMPC on {plant.name}") as bar:
        try:
            return yardstick(episodes, lambda done, total: bar.update(done, total, "decisions of each episode"))
        except TooSlow as error:
            terminal.note(str(error))
            return None


def resumed(request: Request, run: str, seed: int | None, seeds: int) -> Shown:
    """Go on with a recorded training; ``seed`` where the user gave one.

    Raises:
        BadInput: where the options ask for another training than the one recorded.
    """
    plant, scenario = request.case()
    _note_level(request.method)
    from controller.train import resume

    request.check_out()
    with request.historian() as historian, terminal.progress(f"training {plant.name}") as bar:
        _check_same(historian.find(run), request.method, seed, seeds, scenario)
        begun = str(historian.find(run).config.get("scenario", ""))
        mark = _yardstick(plant, begun, request.against)
        new, trained = resume(plant, run, historian, request.steps, follow(bar, mark))
    return _kept(request, plant, begun, new, trained, mark)


def _kept(request: Request, plant: Plant, scenario: str, run: str, trained: Trained, mark: Yardstick | None) -> Shown:
    """Keep the policies of a training, and say where."""
    from controller.store import runs_folder
    from plant_models.env.mixture import mixture

    folder = request.out or runs_folder() / run / "policy"
    trained.save(folder)
    name = trained.policy.name
    result = {"plant": plant.name, "algorithm": name, "run": run, "policy": str(folder), "steps": trained.steps,
              "seconds": trained.seconds, "score": trained.score, "pid": trained.baseline}  # fmt: skip
    result |= {} if mark is None else {"nmpc": asdict(mark)}
    several = " --protocol all" if len(mixture(plant, scenario)) > 1 else ""
    compared = f"compare it: setpoint benchmark {request.shown(plant)} --controllers pid,{name} --policy {folder}{several}"
    reached = f"mean return {trained.score:.4g}, PID {trained.baseline:.4g}{_beside(mark)}"
    told = f"{trained.steps} decisions in {trained.seconds:.1f} s: {reached}"
    return Shown(result, (told, f"policy: {folder}", compared))


def _beside(mark: Yardstick | None) -> str:
    """Return NMPC's return for a line that ends with PID's."""
    if mark is None:
        return ""
    return f", NMPC {mark.score:.4g}" + (f" (by its lead on {mark.ran} of {mark.episodes})" if mark.ran < mark.episodes else "")


def many(request: Request, seeds: int) -> Shown:
    """Train several seeds side by side; the exit code is 1 where one of them failed."""
    plant, scenario = request.case()
    _note_level(request.method)
    from controller.seeds import train_seeds
    from controller.source import Source

    source, mark = Source(request.name, request.file, request.scenario), _yardstick(plant, scenario, request.against)
    chosen = range(request.seed, request.seed + seeds)
    with terminal.progress(f"training {plant.name}, {seeds} seeds") as bar:
        follow = _follow_all(bar, seeds, mark)
        group = train_seeds(
            source, chosen, request.store, request.steps, request.out, follow, method=request.method, against=mark
        )
    for seed, problem in group.failed.items():
        terminal.note(f"seed {seed} failed: {' '.join(problem.split())}")
    result = {"plant": plant.name, "algorithm": request.method.algorithm, "scenario": scenario, **group.as_json()}
    result |= {} if mark is None else {"nmpc": asdict(mark)}
    return Shown(result, _lines(group, mark), int(bool(group.failed)))


def _lines(group: Group, mark: Yardstick | None) -> tuple[str, ...]:
    pid, (iqm, low, high) = float(group.pid.mean()), group.iqm()
    each = (f"seed {found.seed}: mean return {found.score:.4g} after {found.steps} decisions in {found.seconds:.1f} s; "
            f"run {found.run}, policy {found.policy}" for found in group.trained)  # fmt: skip
    what = f"interquartile mean of {len(group.trained)} seeds on {len(group.pid)} validation episodes"
    return (*each, f"{what}: {iqm:.4g} (95 % interval {low:.4g} to {high:.4g}), PID {pid:.4g}{_beside(mark)}; group {group.name}")


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
    from controller.destination import check_writable
    from controller.outside import train_outside
    from controller.store import runs_folder

    _check_outside(request, resume, seeds)
    if request.out is not None:
        check_writable(request.out)
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
        "--level": request.method.level != "setpoint",
        "--penalty": request.method.penalty != "clip",
        "--clone": request.method.clone,
        "--against": request.against,
        "--safety": request.method.safety != "none",
    }
    for option, chosen in given.items():
        if chosen:
            raise BadInput(f"{option}: {request.name} is no plant, and only plants have it; leave {option} out, or name a plant")


def follow(bar: terminal.Bar, mark: Yardstick | None = None) -> Callable[[Progress], None]:
    """Return what shows a training: its notes as lines, everything else on the bar, beside NMPC where it is known."""

    def show(p: Progress) -> None:
        if p.note:
            terminal.note(p.note)
        else:
            bar.update(p.step, p.total, f"score {p.score:.4g} (PID {p.baseline:.4g}{_beside(mark)})")

    return show


def _follow_all(bar: terminal.Bar, seeds: int, mark: Yardstick | None) -> Callable[[int, Progress], None]:
    """Show the trainings as one: the decisions of all, and their mean score."""
    last: dict[int, Progress] = {}

    def show(seed: int, p: Progress) -> None:
        if p.note:
            terminal.note(f"seed {seed}: {p.note}")
            return
        last[seed] = p
        score = sum(each.best for each in last.values()) / len(last)
        done = sum(min(each.step, each.total) for each in last.values())
        pid = f"PID {p.baseline:.4g}{_beside(mark)}"
        bar.update(done, seeds * p.total, f"mean best score {score:.4g} of {len(last)} begun ({pid})")

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
    usually: dict[str, Any] = {"level": "setpoint", "penalty": "clip", "clone": "", "safety": "none", "cost_limit": None}
    for name, usual in usually.items():
        option, asked, before = name.replace("_", "-"), vars(method)[name], run.config.get(name, usual)
        if asked not in (usual, before):
            begun_with = "none" if before in ("", None) else before
            raise BadInput(f"--{option} {asked}: run {run.id} was begun with {begun_with}; leave --{option} out")
    if seeds > 1:
        raise BadInput(f"--seeds {seeds}: run {run.id} is one training; leave --seeds out")
    if scenario not in ("", begun):
        raise BadInput(f"--scenario {scenario}: run {run.id} was begun on scenario {begun!r}; leave --scenario out")
