"""Safety: limits crossed by controller, worst episodes, what the shield does, learning against judging, stress and faults."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from dash import Dash, html
from dash.development.base_component import Component

from controller.records import EpisodeRow, RunRecord
from dashboard import components as ui
from dashboard import findings, ids, incidents
from dashboard.data import Data
from dashboard.incidents import Standing
from dashboard.renew import Renewed
from dashboard.safety_figures import crossed, sizes
from dashboard.standings import rounded_percent

RUNS, LEARNING, READ = 40, 12, 16
"""The newest runs that are looked at, trainings that are listed, and episodes whose shield is read."""
LEARNED = ("train/hard_violations", "train/interventions", "train/uncertified")
"""Of a training: decisions beyond a hard limit so far, then shares of its last decisions in %."""


def layout(data: Data, query: Mapping[str, str]) -> Component:
    """What is known of one plant, the address's or the one worked on last."""
    plants = list(dict.fromkeys(run.plant for run in data.runs()))
    if not plants:
        return ui.page(
            "Safety", ui.panel("Begin here", ui.empty("Nothing has been recorded yet.", *_commands("exothermic_cstr")))
        )
    plant = query.get("plant") or plants[0]
    choose = ui.picker(ids.choice("plant", plant), "plant", sorted({*plants, plant}), plant, width=240)
    return ui.page(
        "Safety",
        *_renewed(data).placed(plant),
        note=["limits, shield and stress of ", ui.link(plant, f"/plants/{plant}")],
        actions=choose,
    )


def register(app: Dash, data: Data) -> None:
    """Renew the page when something was recorded."""
    _renewed(data).register(app)


def _renewed(data: Data) -> Renewed[str]:
    return Renewed("safety", lambda _: data.pulse(), lambda pulse: pulse, lambda _, plant: _body(data, plant), every=4000)


def _commands(plant: str) -> tuple[str, str]:
    return f"setpoint stress {plant}", f"setpoint benchmark {plant} --safety shield"


def _body(data: Data, plant: str) -> list[Component]:
    runs = [run for run in data.runs() if plant == run.plant or plant in run.result.get("plants", ())][:RUNS]
    compared = [run for run in runs if run.kind in ("benchmark", "demo", "simulate")]
    judged = [row for run in compared for row in data.episodes(run.id) if row.plant == plant]
    found = incidents.standings(compared, plant)
    panels = [_judged(plant, found), _worst(judged), _sizes(data, judged), _learning(data, runs)]
    stressed = {key: next((run for run in runs if run.kind == "stress" and run.result.get(key)), None) for key in findings.STRESS}
    if stressed["supervisors"] is None:
        panels.append(ui.panel("Under attack", ui.empty("The plant has not been put under stress yet.", _commands(plant)[0])))
    return [*panels, *(panel for run in stressed.values() if run for panel in findings.panels(data, run))]


def _judged(plant: str, found: Sequence[Standing]) -> Component:
    if not found:
        return ui.panel("Limits by controller", ui.empty("No episode of this plant has been judged yet.", _commands(plant)[1]))
    heads = ["controller", "episodes", "beyond a hard limit", "at most (95 %)", "trips", "interventions (%)", "uncertified (%)"]
    rows: list[list[ui.Cell]] = [
        [ui.controller(each.controller, k), str(each.episodes), findings.count(each.violating), rounded_percent(each.bound),
         findings.count(each.trips), ui.number(each.interventions, 3), ui.number(each.uncertified, 3)]
        for k, each in enumerate(found)
    ]  # fmt: skip
    note = "held-out episodes, of each scenario and variant the newest run's"
    table = ui.table(heads, rows, range(1, len(heads)), "limits by controller")
    figure = [ui.graph(crossed(found), "safety-crossed")] if any(any(each.hours.values()) for each in found) else []
    return ui.panel("Limits by controller", table, *figure, aside=note)


def _worst(rows: Sequence[EpisodeRow]) -> Component:
    found = incidents.worst(rows)
    if not found:
        words = (
            f"None of the {len(rows)} episodes that were kept with their signals crossed a limit; the counts above are of all."
        )
        return ui.panel("Worst episodes", html.P(words, className="note"))
    heads = ["episode", "controller", "scenario", "seed", "beyond limits (h)", "hard limit", "outcome"]
    listed: list[list[ui.Cell]] = [
        [ui.link(f"{row.run} · {row.id}", f"/runs/{row.run}", tab="episodes", episode=row.id), ui.controller(row.controller),
         row.scenario, str(row.seed), ui.number(incidents.time_beyond(row), 3),
         "crossed" if row.kpis.get("hard-limit violations") else "kept", ui.outcome(row.outcome)]
        for row in found
    ]  # fmt: skip
    return ui.panel("Worst episodes", ui.table(heads, listed, (3, 4), "worst episodes"))


def _sizes(data: Data, rows: Sequence[EpisodeRow]) -> Component:
    shielded = [row for row in rows if row.kpis.get("interventions", 0.0) > 0.0][:READ]
    cut: dict[str, list[Any]] = {}
    for row in shielded:
        cut.setdefault(row.controller, []).append(incidents.cut_away(data.episode(row.id)))
    joined = {name: np.concatenate(parts) for name, parts in cut.items()}
    drawn = {name: values for name, values in joined.items() if values.size}
    if not drawn:
        return ui.panel("Size of interventions", html.P("No recorded episode shows the shield at work.", className="note"))
    words = f"from {len(shielded)} recorded episodes; 100 %: nothing of the move was let through"
    return ui.panel("Size of interventions", ui.graph(sizes(drawn), "safety-sizes"), aside=words)


def _learning(data: Data, runs: Sequence[RunRecord]) -> Component:
    trained = [run for run in runs if run.kind in ("train", "demo") and run.step][:LEARNING]
    if not trained:
        return ui.panel(
            "While learning", ui.empty("No training of this plant has been recorded.", "setpoint train --safety shield")
        )
    heads = [
        "training",
        "safety",
        "decisions",
        "beyond a hard limit",
        "per 1,000",
        "interventions (%)",
        "uncertified (%)",
        "score",
    ]
    return ui.panel(
        "While learning", ui.table(heads, [_learned(data, run) for run in trained], range(2, len(heads)), "while learning"),
        aside="decisions of exploration beyond a hard limit; judged episodes stand above",
    )  # fmt: skip


def _learned(data: Data, run: RunRecord) -> list[ui.Cell]:
    last = data.last_metrics(run.id, LEARNED)
    violations, *shares = (last.get(key, float("nan")) for key in LEARNED)
    count = ui.number(round(violations)) if math.isfinite(violations) else "–"
    return [
        ui.link(run.id, f"/runs/{run.id}"), str(run.config.get("safety", "none")), f"{run.step:,}", count,
        ui.number(1000.0 * violations / run.step, 3), *(ui.number(share, 3) for share in shares), ui.number(run.best),
    ]  # fmt: skip
