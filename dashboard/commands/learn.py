"""Find a controller: tune the PID layer, train PPO."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dashboard import terminal
from dashboard.commands import training
from dashboard.commands.session import MOST, Json, PlantFile, PlantName, ScenarioNames, Seed, plant_with, session
from dashboard.commands.stopping import stoppable

if TYPE_CHECKING:
    from controller.pid_tuning import Tuning
    from plant_models.core.schedule import Schedule


def tune(
    plant: PlantName = "",
    generations: Annotated[int, typer.Option(min=1, max=5000, help="Generations of differential evolution.")] = 100,
    seed: Seed = 0,
    schedule: Annotated[bool, typer.Option("--schedule", help="Leave the gains; tune only the schedule of setpoints.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Compute anew what was found before.")] = False,
    plant_file: PlantFile = None,
    as_json: Json = False,
) -> None:
    """Tune the PID layer (and the schedule, where the plant has one) on tuning scenarios; prints gains for the plant file."""
    from controller.pairing import relative_gains
    from controller.tuning_cache import tuned

    chosen = plant_with(plant, plant_file)
    with terminal.progress(f"tuning {chosen.name}") as bar:

        def show(done: int, cost: float) -> None:
            bar.update(done, generations, f"cost {cost:.4g}")

        answer = tuned(chosen, seed, generations, fresh=fresh, report=show, layer=not schedule)
    before, found, gains = answer.before, answer.found, relative_gains(chosen)
    if answer.known:
        terminal.note(f"{chosen.name}: found before with this seed and as many generations; --fresh computes anew")
    if as_json:
        pairing = None if gains is None else gains.as_json()
        terminal.show_json({"plant": chosen.name, "pairing": pairing, "before": _as_json(before), "after": _as_json(found),
                            "known": answer.known})  # fmt: skip
        return
    rows = [
        [name, terminal.number(t.cost), f"{t.sensitivity:.3g}", str(t.advance)]
        for name, t in (("plant file", before), ("found", found))
    ]
    terminal.show_table(f"PID layer of {chosen.name}, mean cost on tuning scenarios", ("gains", "cost", "M_s", "advance"), rows)
    if gains is not None and len(gains.tags) > 1:
        terminal.say(str(gains))
    for loop in found.loops:
        terminal.say(f"{loop.tag}: gains={_rounded(loop.gains)}" + _exponents(loop.schedule))
    for part in found.schedule:
        terminal.say(f"schedule: {part}")


def _as_json(found: Tuning) -> dict[str, Any]:
    return {"cost": found.cost, "sensitivity": found.sensitivity, "advance": found.advance,
            "gains": {loop.tag: asdict(loop.gains) for loop in found.loops},
            "gain_schedules": {loop.tag: asdict(loop.schedule) for loop in found.loops if loop.schedule},
            "schedule": [asdict(part) for part in found.schedule]}  # fmt: skip


def _exponents(schedule: Schedule | None) -> str:
    return f", exponents of its gain schedule K_c={schedule.K_c:.4g}, T_i={schedule.T_i:.4g}" if schedule else ""


def _rounded(gains: Any) -> str:
    parts = [f"{key}={value:.4g}" for key, value in asdict(gains).items() if isinstance(value, float)]
    fed = ", ".join(f'("{name}", {gain:.4g})' for name, gain in gains.disturbance)
    return f"Gains({', '.join(parts)}" + (f", disturbance=({fed},))" if fed else ")")


def train(
    context: typer.Context,
    plant: PlantName = "",
    seed: Seed = 0,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Trainings side by side, with seeds from --seed on.")] = 1,
    steps: Annotated[int | None, typer.Option(min=1, max=MOST, help="Decisions to learn from; by default the plant's.")] = None,
    algorithm: Annotated[str, typer.Option(help="ppo, a2c, trpo, sac, td3, ddpg or reinforce.")] = "ppo",
    level: Annotated[
        str, typer.Option(help="What actions move: setpoint (offsets), absolute (setpoints), direct (inputs).")
    ] = "setpoint",
    penalty: Annotated[str, typer.Option(help="What holds ppo near its last policy: clip or kl.")] = "clip",
    clone: Annotated[str, typer.Option(help="Begin by imitating pid, nmpc or none; by default as the plant says.")] = "",
    against: Annotated[str, typer.Option(help="Score nmpc too on the validation episodes; shown anyway where known.")] = "",
    safety: Annotated[
        str, typer.Option(help="What keeps limits: none (the reward), lagrangian (a budget), shield, or both.")
    ] = "none",
    cost_limit: Annotated[
        float | None, typer.Option(help="lagrangian: share of time allowed beyond limits; by default what PID spends.")
    ] = None,
    scenario: ScenarioNames = "",
    resume: Annotated[str, typer.Option(metavar="RUN", help="Go on with a recorded training from its last checkpoint.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder for the policy; the user's data folder by default.")] = None,
    plant_file: PlantFile = None,
    as_json: Json = False,
) -> None:
    """Train PPO, or another algorithm, to move the setpoints of a plant's PID layer, and keep the policy.

    PLANT may also be the id of an environment in Gymnasium's registry, such as CartPole-v1.
    """
    method = training.method(algorithm, level, penalty, clone, safety, cost_limit)
    given = _given(context, "seed", seed)
    name = training.plant_name(plant, plant_file)
    request = training.Request(
        session(context).store, name or plant, plant_file, scenario, seed, steps, out, method, training.against(against)
    )
    with stoppable(resume, seeds):
        if plant and not name:
            shown = training.outside(request, resume, seeds)
        elif resume:
            shown = training.resumed(request, resume, given, seeds)
        elif seeds > 1:
            shown = training.many(request, seeds)
        else:
            shown = training.one(request)
    training.show(shown, as_json)


def _given(context: typer.Context, name: str, value: int) -> int | None:
    """Return an option's value where the user gave it."""
    source = context.get_parameter_source(name)
    return None if source is None or source.name == "DEFAULT" else value
