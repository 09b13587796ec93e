"""Where a plant comes to rest over the range of each input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import Dash, Input, Output, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import bench, ids
from dashboard import components as ui
from dashboard.data import Card, Data
from dashboard.plant_figures import grid
from plant_models.core.errors import SetpointError


def body(data: Data, card: Card, query: Mapping[str, str]) -> Sequence[Component]:
    """A place for the maps, which are computed once the page stands."""
    return [ui.waiting(ids.PLANT_MAP, "solving for the steady states"), dcc.Store(id=ids.PLANT_MAPPED, data=card["name"])]


def register(app: Dash, data: Data) -> None:
    """Compute the maps."""

    @app.callback(Output(ids.PLANT_MAP, "children"), Input(ids.PLANT_MAPPED, "data"))
    def solve(name: object) -> Any:
        return no_update if not isinstance(name, str) else _panels(str(data.card(name)["name"]))


def _panels(name: str) -> Component:
    try:
        found = bench.maps(name)
    except SetpointError as error:
        return ui.panel("Steady-state map", ui.empty(str(error)))
    note = "everything else is nominal; dotted: the nominal point; a gap: no steady state within the valid range"
    return html.Div(
        [
            ui.panel(f"{each.moved.name} · {each.moved.meaning}", ui.graph(grid(each.moved, each.outputs, each.nominal),
                                                                           {"type": "steady", "of": each.moved.name}), aside=note)
            for each in found
        ],
        className="stack",
    )  # fmt: skip
