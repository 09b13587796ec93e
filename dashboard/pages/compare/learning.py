"""The learning curves of several trainings over each other."""

from __future__ import annotations

from collections.abc import Sequence

from dash.development.base_component import Component

from controller.records import RunRecord
from dashboard import components as ui
from dashboard import curves
from dashboard.data import Data
from dashboard.figures import shown_name
from dashboard.learning import several_curves


def trainings(runs: Sequence[RunRecord]) -> list[RunRecord]:
    """Those of the runs that trained something."""
    return [run for run in runs if run.kind == "train"]


def body(data: Data, runs: Sequence[RunRecord]) -> list[Component]:
    """One figure a plant, since scores of different plants have no common scale; nothing without trainings."""
    plants = dict.fromkeys(run.plant for run in runs)
    return [_of(data, plant, [run for run in runs if run.plant == plant]) for plant in plants]


def _of(data: Data, plant: str, runs: Sequence[RunRecord]) -> Component:
    logs = [(run, curves.log(run, data.metrics(run.id))) for run in runs]
    shown = {f"{shown_name(run.controller)} {run.id[-6:]} seed {run.seed}": log.curves.get(curves.SCORE, curves.NOTHING)
             for run, log in logs}  # fmt: skip
    levels = {name: value for run, log in logs for name, value in curves.score_levels(run, log).items()}
    units = sorted({str(run.config.get("score_unit", "return")) for run in runs})
    figure = several_curves(shown, levels, ", ".join(units))
    return ui.panel(f"Learning curves · {plant}", ui.graph(figure, {"type": "curves", "of": plant}))
