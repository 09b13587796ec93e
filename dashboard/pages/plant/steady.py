"""Where a plant comes to rest over the range of each input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from dash import Dash, Input, Output, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import bench, ids
from dashboard import components as ui
from dashboard.data import Card, Data
from dashboard.plant_figures import grid
from plant_models.core.errors import SetpointError

_NOTE = (
    "the rest is nominal; dotted: the nominal point; red: beyond a limit (arrow: off the axis); grey: out of range; gap: no rest"
)
_NO_REST = "The plant comes to rest nowhere else when this input alone leaves its nominal value: something in it integrates."


def body(data: Data, card: Card, query: Mapping[str, str]) -> Sequence[Component]:
    """A place for the maps, which are computed once the page stands."""
    return [ui.waiting(ids.PLANT_MAP, "solving for the steady states"), dcc.Store(id=ids.PLANT_MAPPED, data=card["name"])]


def register(app: Dash, data: Data) -> None:
    """Compute the maps."""

    @app.callback(Output(ids.PLANT_MAP, "children"), Input(ids.PLANT_MAPPED, "data"))
    def solve(name: object) -> Any:
        return no_update if not isinstance(name, str) else panels(str(data.card(name)["name"]))


def panels(name: str) -> Component:
    """The maps of a plant, one panel an input, or why there are none."""
    try:
        found = bench.maps(name)
    except SetpointError as error:
        return ui.panel("Steady-state map", ui.empty(str(error)))
    return html.Div([_panel(each) for each in found], className="stack")


def _panel(each: bench.Map) -> Component:
    """The maps over one input; an axis around no more than the nominal point would show rounding errors."""
    title = f"{each.moved.name} · {each.moved.meaning}"
    if max(np.isfinite(line.values).sum() for line in each.outputs) < 2:
        return ui.panel(title, html.P(_NO_REST, className="note"))
    figure = grid(each.moved, each.outputs, each.nominal)
    return ui.panel(title, ui.graph(figure, {"type": "steady", "of": each.moved.name}), aside=_NOTE)
