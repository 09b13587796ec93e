"""Run controllers on held-out episodes and compare them: simulate, benchmark, and the demonstration of the whole way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dashboard import terminal
from dashboard.commands import training
from dashboard.commands.session import (
    Episodes,
    Json,
    PlantFile,
    PlantName,
    PolicyFolder,
    ReplayLog,
    ScenarioName,
    Seed,
    Session,
    WeatherFile,
    case,
    controllers,
    folder,
    session,
    weather,
)  # fmt: skip
from dashboard.commands.shielding import shield

if TYPE_CHECKING:
    from pathlib import Path

    from controller.interface import Controller
    from controller.records import Kind
    from controller.train import Progress
    from plant_models.core.plant import Plant


def simulate(
    context: typer.Context,
    plant: PlantName = "",
    controller: Annotated[
        str, typer.Option(help="pid, constant, rule, published recipe, nmpc, nmpc with preview, optimum or ppo.")
    ] = "pid",
    policy: PolicyFolder = None,
    scenario: ScenarioName = "",
    episodes: Episodes = 1,
    seed: Seed = 0,
    weather_file: WeatherFile = None,
    plant_file: PlantFile = None,
    replay: ReplayLog = None,
    as_json: Json = False,
) -> None:
    """Run one controller on held-out episodes and record them."""
    chosen, scenario = case(plant, plant_file, scenario, replay)
    _run(session(context), "simulate", chosen, [controller], policy, scenario, episodes, seed, weather_file, as_json)


def one(
    context: typer.Context, plant: str, names: list[str], policy: Path | None, scenario: str, episodes: int, seed: int,
    weather_file: Path | None, plant_file: Path | None, replay: Path | None, safety: str, as_json: bool,
) -> None:  # fmt: skip
    """Compare controllers on one plant's scenario, and show every figure."""
    chosen, scenario = case(plant, plant_file, scenario, replay)
    _run(session(context), "benchmark", chosen, names, policy, scenario, episodes, seed, weather_file, as_json, safety)


def _run(
    opened: Session, kind: Kind, chosen: Plant, names: list[str], policy: Path | None, scenario: str, episodes: int, seed: int,
    weather_file: Path | None, as_json: bool, safety: str = "none",
) -> None:  # fmt: skip
    year, known = weather(weather_file, chosen), shield(chosen, chosen.scenario(scenario), safety)
    source = folder(opened, chosen, policy, scenario)
    picked = controllers(chosen, names, source)
    from controller.benchmark import compare, record, versions
    from controller.promotion import origin

    config = {
        "episodes": episodes,
        "scenario": chosen.scenario(scenario).name,
        "weather": str(weather_file or ""),
        "safety": safety,
        **(origin(chosen, source) if source else {}),
    }
    with opened.historian() as historian, historian.run(kind, chosen.name, ",".join(names), seed, config, versions()) as run:
        comparison = compare(chosen, picked, episodes, seed, scenario, year, known)
        record(comparison, historian, run)
        historian.finish(run, "completed", comparison.as_json())
    searches = _searches(picked)
    if as_json:
        terminal.show_json(comparison.as_json() | ({"searches": searches} if searches else {}) | {"run": run})
        return
    show(comparison.as_json())
    for name, counts in searches.items():
        terminal.say(f"{name}: {_counted(counts)}")
    terminal.say(f"recorded as {run}; see it: setpoint dashboard")


def _searches(picked: list[Controller]) -> dict[str, dict[str, float]]:
    """Return how the searches of optimising controllers ended."""
    from controller.nmpc import Nmpc

    return {controller.name: controller.account() for controller in picked if isinstance(controller, Nmpc)}


def _counted(counts: dict[str, float]) -> str:
    ended = ", ".join(f"{counts[key]:.0f} {key}" for key in ("converged", "capped", "infeasible", "error"))
    times = ", ".join(f"{1e3 * counts[f'seconds, {key}']:.3g} ms {key}" for key in ("median", "99th percentile"))
    return f"searches: {ended}; {counts['fell back']:.0f} decisions fell back to the PID layer; {times}"


def show(result: dict[str, Any]) -> None:
    """Print a comparison: controllers side by side, figures with units, and the paired differences to the PID layer."""
    names, units = list(result["controllers"]), result["units"]
    rows = [
        [f"{kpi} [{unit}]", *(terminal.number(result["controllers"][name][kpi]) for name in names)] for kpi, unit in units.items()
    ]
    title = f"{result['plant']}, {result['scenario']}: mean of {result['episodes']} held-out episodes"
    terminal.show_table(title, ("", *names), rows)
    unit = units["cost"]
    for name, d in result["against_pid"].items():
        terminal.say(f"{name} saves {_interval(d)} of cost [{unit}] an episode against pid (95 % interval, paired)")


def _interval(d: dict[str, float]) -> str:
    return f"{d['mean']:.4g} [{d['low']:.4g}, {d['high']:.4g}]"


def demo(
    context: typer.Context,
    episodes: Episodes = 50,
    seed: Seed = 0,
    show_dashboard: Annotated[
        bool, typer.Option("--dashboard/--no-dashboard", help="Open the dashboard's server at the end.")
    ] = True,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the dashboard on 127.0.0.1.")] = 8050,
    as_json: Json = False,
) -> None:
    """Train PPO on a reactor and a house, and compare it with the tuned PID layer on held-out episodes."""
    terminal.note("loading ...")
    from controller.demo import PLANTS
    from controller.demo import demo as run_demo

    opened = session(context)
    results: dict[str, Any] = {}
    with opened.historian() as historian:
        for name in PLANTS:
            with terminal.progress(f"training on {name}") as bar:
                results |= run_demo(historian, _follow(bar), (name,), episodes, seed)["plants"]
            if not as_json:
                show(_comparison(name, results[name]))
                terminal.say(f"trained on {results[name]['train_steps']} decisions in {results[name]['train_seconds']:.1f} s\n")
    if as_json:
        terminal.show_json({"plants": results})
    if show_dashboard:
        from dashboard.server import serve

        serve(opened.store, port=port, ready=lambda address: terminal.note(f"Dashboard at {address}  (Ctrl-C ends it)"))


def _follow(bar: terminal.Bar) -> Callable[[str, Progress], None]:
    show = training.follow(bar)
    return lambda _, progress: show(progress)


def _comparison(name: str, result: dict[str, Any]) -> dict[str, Any]:
    table = {key: value for key, value in result.items() if isinstance(value, dict) and "cost" in value and key != "units"}
    return {"plant": name, "scenario": result["scenario"], "episodes": result["episodes"], "units": result["units"],
            "controllers": table, "against_pid": result["differences_to_pid"]}  # fmt: skip
