"""What a training logs while it learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dash.development.base_component import Component

from controller.records import RunRecord
from dashboard import components as ui
from dashboard import curves
from dashboard.data import Data


def body(data: Data, run: RunRecord, query: Mapping[str, str]) -> Sequence[Component]:
    """The learning curve, the reward by component, and the vital signs."""
    log = curves.log(run, data.metrics(run.id))
    if not log.last and run.status != "running":
        hint = "This run logged nothing: it ended before its first validation."
        return [ui.panel("Training", ui.empty(hint, f"setpoint train {run.plant}"))]
    return curves.panels(run, log, data.cost_unit(run.plant), data.meanings(run.plant))
