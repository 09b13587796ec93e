"""Release a policy: put it through the gate, take it back, see who is champion, and whether its world has changed since."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dashboard import terminal
from dashboard.commands.session import (
    Json,
    PlantFile,
    PlantName,
    ReplayLog,
    ScenarioName,
    Seed,
    WeatherFile,
    case,
    plant_with,
    session,
    weather,
)
from dashboard.commands.shielding import shield_of

if TYPE_CHECKING:
    from controller.champions import Promotion
    from controller.drift import Drift
    from controller.historian import Historian
    from controller.policy import Policy
    from controller.records import EpisodeRecord
    from controller.release import Judgement
    from controller.safety.governor import Calibration
    from plant_models.core.plant import Plant

REFUSED = 1
"""Exit code of a challenger that the gate refuses, and of a drift that asks for action."""
Case = Annotated[str, typer.Option("--scenario", help="The scenario it is champion of; every one by default.")]


def promote(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The training whose policy is to be released.")],
    policy: Annotated[Path | None, typer.Option(help="Folder of the policy, where the training did not keep it itself.")] = None,
    scenario: Case = "",
    episodes: Annotated[int, typer.Option(min=2, max=10_000, help="Held-out episodes of each scenario.")] = 500,
    shielded: Annotated[int, typer.Option(min=2, max=100_000, help="Episodes behind the shield.")] = 3000,
    seed: Seed = 0,
    accept: Annotated[
        str, typer.Option("--accept-behaviour-change", metavar="REASON", help="Why it may act otherwise than the champion.")
    ] = "",
    plant_file: PlantFile = None,
    as_json: Json = False,
) -> None:
    """Compare a trained policy with the plant's champion by every criterion of the gate; where all are met, release it."""
    from controller.promotion import promote as put
    from controller.release import Scope

    with session(context).historian() as historian:
        plant, source = _challenger(historian, run, policy, plant_file, scenario)
        scenarios = (plant.scenario(scenario),) if scenario else plant.scenarios
        known = _shield(plant, scenarios[0].name)
        found, entered = put(
            historian.store,
            run,
            plant,
            source,
            Scope(scenarios, episodes, shielded, seed),
            scenario,
            known,
            accept,
            terminal.note,
        )
    if as_json:
        terminal.show_json(found.as_json() | {"run": run, "promotion": entered.id, "policy": entered.policy})
    else:
        _show_judgement(plant.name, run, found)
    if not found.accepted:
        raise typer.Exit(REFUSED)


def _challenger(
    historian: Historian, run: str, policy: Path | None, file: Path | None, scenario: str
) -> tuple[Plant, Path]:  # fmt: skip
    """Return the plant of a training and the folder of its policy; raises BadInput, UnknownName."""
    from controller.store import runs_folder
    from plant_models.core.errors import BadInput

    record = historian.find(run)
    if record.kind != "train":
        raise BadInput(f"run {run}: a {record.kind}, and only a training has a policy; `setpoint runs` lists them")
    plant = plant_with("" if file else record.plant, file, scenario)
    if plant.name != record.plant:
        raise BadInput(f"--plant {file}: {plant.name}, and run {run} was trained on {record.plant}")
    folder = policy or runs_folder() / run / "policy"
    if not folder.is_dir():
        raise BadInput(f"run {run}: no policy in {folder}; give the folder that `setpoint train --out` was given by --policy")
    return plant, folder


def _shield(plant: Plant, scenario: str) -> Calibration | None:
    """Return what the shield knows of a plant that has hard limits."""
    from controller.safety.trial import hard

    return shield_of(plant, plant.scenario(scenario)) if hard(plant).any() else None


def _show_judgement(plant: str, run: str, found: Judgement) -> None:
    rows = [
        [c.name, c.where, f"{c.value:.4g} {c.unit}", f"{c.sense} {c.limit:g}", "met" if c.passed else "NOT MET"]
        for c in found.criteria
    ]
    columns = ("criterion", "on", "figure", "limit", "verdict")
    terminal.show_table(f"{run} against {found.against} on {plant}", columns, rows)
    terminal.say(f"{'promoted' if found.accepted else 'refused'}: {found.reason}")


def rollback(
    context: typer.Context, plant: PlantName = "", scenario: Case = "", plant_file: PlantFile = None, as_json: Json = False
) -> None:
    """Make the champion before this one champion again."""
    from controller.champions import roll_back
    from controller.promotion import released

    name = plant_with(plant, plant_file, scenario).name
    with session(context).historian() as historian:
        of = scenario or released(historian.store, name).scenario
        former = roll_back(historian.store, name, of)
    if as_json:
        terminal.show_json({"plant": name, "scenario": of, "champion": None if former is None else _told(former)})
    elif former is None:
        terminal.say(f"{name}: no champion is left; the PID layer runs alone")
    else:
        terminal.say(f"{name}: champion is {former.run} again, policy {former.policy}")


def champion(context: typer.Context, plant: PlantName = "", plant_file: PlantFile = None, as_json: Json = False) -> None:
    """Show a plant's champions, and every verdict that the gate gave."""
    from controller.champions import champion as standing
    from controller.champions import held, promotions

    name = plant_with(plant, plant_file).name
    with session(context).historian() as historian:
        given = promotions(historian.store, name)
        champions = [standing(historian.store, name, case_) for case_ in {each.scenario for each in given}]
    now = {each.id for each in champions if each is not None}
    kept = {number for each in champions for number in held(each, given)}
    if as_json:
        terminal.show_json([_told(each) | {"champion": each.id in now, "standing": _standing(each, now, kept)} for each in given])
    elif not given:
        terminal.say(f"{name}: no policy was put through the gate yet; `setpoint promote RUN` does it")
    else:
        columns = ("run", "judged", "champion of", "verdict", "reason")
        terminal.show_table(f"Champions of {name}", columns, [_row(each, _standing(each, now, kept)) for each in given])


def _told(given: Promotion) -> dict[str, Any]:
    verdict = {key: value for key, value in given.verdict.items() if key != "reference"}
    return vars(given) | {"verdict": verdict}


def _standing(given: Promotion, now: set[int], kept: set[int]) -> str:
    if not given.accepted:
        return "refused"
    return "champion" if given.id in now else "promoted, replaced" if given.id in kept else "promoted, rolled back"


def _row(given: Promotion, verdict: str) -> list[str]:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(given.judged))
    return [given.run or "-", when, given.scenario or "every scenario", verdict, str(given.verdict.get("reason", ""))]


def drift(
    context: typer.Context,
    plant: PlantName = "",
    run: Annotated[str, typer.Argument(metavar="[RUN]", help="A recorded run of the champion, instead of new episodes.")] = "",
    scenario: ScenarioName = "",
    episodes: Annotated[int, typer.Option(min=2, max=10_000, help="New episodes.")] = 200,
    seed: Seed = 1,
    weather_file: WeatherFile = None,
    replay: ReplayLog = None,
    plant_file: PlantFile = None,
    as_json: Json = False,
) -> None:
    """Compare what the champion sees and does now with what it saw and did when it was released."""
    from controller.drift import drifts
    from controller.promotion import released
    from controller.release import kept_reference

    chosen, name = case(plant, plant_file, scenario, replay)
    with session(context).historian() as historian:
        of = released(historian.store, chosen.name, name)
        policy = _policy(of, chosen)
        records = _recorded(historian, run, of, policy) if run else []
    reference = kept_reference(of.verdict)
    if not run:
        shielded = any("interventions" in signal for signal in reference)
        known = _shield(plant_with(plant, plant_file), str(of.verdict["scenarios"][0])) if shielded else None
        records = _new(policy, chosen, name, episodes, seed, weather_file, known)
    found = drifts(reference, records)
    if as_json:
        terminal.show_json(
            {"plant": chosen.name, "run": of.run, "episodes": len(records), "drifts": [d.as_json() for d in found]}
        )
    else:
        _show_drift(f"{of.run} on {chosen.name}: {len(records)} episodes against those it was released on", found)
    if any(each.verdict == "act" for each in found):
        raise typer.Exit(REFUSED)


def _policy(of: Promotion, plant: Plant) -> Policy:
    from controller.policy import load

    return load(Path(of.policy), plant)


def _recorded(historian: Historian, run: str, of: Promotion, policy: Policy) -> list[EpisodeRecord]:
    """Return the episodes that a run recorded of a champion, behind the shield where it ran there too; raises BadInput."""
    from controller.benchmark import BEHIND
    from controller.promotion import check_driven
    from plant_models.core.errors import BadInput

    plant, controller = policy.plant.name, policy.name
    check_driven(historian.find(run), policy.plant, Path(of.policy))
    rows = [row for row in historian.episodes(run) if row.plant == plant]
    behind = [row for row in rows if row.controller == controller + BEHIND]
    chosen = behind or [row for row in rows if row.controller == controller]
    if len(chosen) < 2:
        raise BadInput(f"run {run}: {len(chosen)} episodes of {controller} on {plant}, at least 2 are needed; leave RUN out")
    return [historian.read_episode(row.id) for row in chosen]


def _new(
    policy: Policy, plant: Plant, scenario: str, episodes: int, seed: int, weather_file: Path | None, known: Calibration | None
) -> list[EpisodeRecord]:
    from controller.release import observed
    from plant_models.env.scenario import draw

    year = weather(weather_file, plant)
    return observed(policy, draw(plant, plant.scenario(scenario), seed, episodes, "judging", weather=year), known, seed)


def _show_drift(title: str, found: list[Drift]) -> None:
    rows = [[d.name, d.what, f"{d.psi:.3f}", f"{d.chance:.3f}", d.verdict] for d in found]
    terminal.show_table(title, ("signal", "kind", "PSI beyond chance", "PSI by chance", "verdict"), rows)
    terminal.say("PSI from 0.1 on is worth a look, above 0.25 (half a standard deviation) something has changed")
