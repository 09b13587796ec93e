"""What `setpoint sweep` does and shows: trials of how PPO learns on a plant, and the lines that declare the best."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from dashboard import terminal
from dashboard.commands.session import MOST, Json, PlantFile, PlantName, ScenarioNames, Seed, cases, session

if TYPE_CHECKING:
    from controller.study import Tried
    from controller.sweep import Sweep

SHOWN = 5
"""Trials in the table."""
Crew = Annotated[int, typer.Option("--workers", min=0, help="Processes of this machine; 0 takes one a processor.")]
Cluster = Annotated[str, typer.Option(help="Dask cluster to work on: tcp://HOST:PORT, or local:N for N processes here.")]


def sweep(
    context: typer.Context,
    plant: PlantName = "",
    trials: Annotated[int, typer.Option(min=1, max=100_000, help="Trials that the study holds in the end.")] = 20,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Trainings of each trial, with seeds from --seed on.")] = 3,
    seed: Seed = 0,
    steps: Annotated[int | None, typer.Option(min=1, max=MOST, help="Decisions of each training; else the plant's.")] = None,
    workers: Crew = 0,
    cluster: Cluster = "",
    scenario: ScenarioNames = "",
    plant_file: PlantFile = None,
    as_json: Json = False,
) -> None:
    """Tune how PPO learns on a plant, by Optuna on tuning episodes; the same command goes on with what was tried before."""
    chosen, name = cases(plant, plant_file, scenario)
    from controller.executor import Workers
    from controller.source import Source
    from controller.sweep import sweep as run

    source, crew = Source(plant, plant_file, scenario), Workers(workers, cluster)
    with session(context).historian() as historian, terminal.progress(f"sweep of {chosen.name}") as bar:
        found = run(source, historian, trials, range(seed, seed + seeds), steps, crew,
                    lambda done, best: bar.update(done, trials, f"best mean return {best:.4g}"))  # fmt: skip
    if as_json:
        terminal.show_json({"plant": chosen.name, "scenario": name} | found.as_json())
        return
    _show(found, chosen.name, seeds)
    unseen = f"setpoint train {plant or f'--plant {plant_file}'} --seed {seed + seeds} --seeds 5"
    unseen += f" --scenario {shlex.quote(scenario)}" if scenario else ""
    terminal.say(f"the best of many is lucky too: with the line in the plant file, try it on other seeds: {unseen}")


def _show(found: Sweep, plant: str, seeds: int) -> None:
    from controller.sweep import declaration

    columns = ("trial", "mean return", "rate", "horizon", "gae", "entropy", "spread", "rollout")
    title = f"{plant}: the best of {len(found.trials)} trials, {seeds} seeds each, on tuning episodes"
    terminal.show_table(title, columns, [_row(each) for each in found.trials[:SHOWN]])
    declared = "not tried" if found.declared is None else terminal.number(found.declared.score)
    terminal.say(f"what the plant declares: {declared}; PID: {terminal.number(found.pid)}; study: {found.study}")
    terminal.say(f"for the plant file: {declaration(found.trials[0].learning)}")


def _row(tried: Tried) -> list[str]:
    learning = tried.learning
    values = (tried.score, learning.rate, learning.horizon, learning.gae, learning.entropy, learning.spread)
    return [str(tried.number), *(terminal.number(value) for value in values), str(learning.rollout)]
