"""What the kept policy decides: a map over two observed quantities at an operating point, and how often it decides what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dash import html
from dash.development.base_component import Component

from controller.records import RunRecord
from dashboard import components as ui
from dashboard import ids
from dashboard.data import Data
from dashboard.figures import unit_text, worded
from dashboard.policies import Decisions, decisions
from dashboard.policy_figures import Scale, at_ends, histogram, section
from plant_models.core.errors import SetpointError

FIVE = 5  # operating points of the first episode that are offered


def body(data: Data, run: RunRecord, query: Mapping[str, str]) -> Sequence[Component]:
    """The map and the histogram of each action; where no policy is kept here, the command that trains one."""
    if run.status == "running":
        return [ui.panel("Policy map", ui.empty("The policy is kept when the training ends; this tab then shows it."))]
    try:
        found = decisions(run)
    except SetpointError as error:
        return [ui.panel("Policy map", ui.empty(f"{error}.", f"setpoint train {run.plant}"))]
    x, y = _chosen(found, query)
    of = data.meanings(run.plant)
    place = query.get("at", "") if query.get("at", "").isdigit() else "median"
    return [
        html.Div([_entry(found, of, "x", x), _entry(found, of, "y", y), _place(found, place)], className="filters"),
        *_maps(found, of, x, y, place),
        _histograms(found),
    ]


def _chosen(found: Decisions, query: Mapping[str, str]) -> tuple[int, int]:
    """The two entries of the address; else the first that the decision depends on, which are instruments."""
    names = [axis.name for axis in found.axes]
    x = names.index(query["x"]) if query.get("x") in names else 0
    y = names.index(query["y"]) if query.get("y") in names else min(1, len(names) - 1)
    return x, y if y != x or len(names) == 1 else (x + 1) % len(names)


def _entry(found: Decisions, of: Mapping[str, str], field: str, chosen: int) -> Component:
    options = [{"value": axis.name, "label": worded(axis.name, of)} for axis in found.axes]
    words, name = {"x": "across", "y": "upwards"}[field], found.axes[chosen].name
    return ui.labelled(words, ui.picker(ids.choice(field, name), f"{words}, observed", options, name, width=250))


def _place(found: Decisions, place: str) -> Component:
    steps = len(found.visited.observations)
    options = [{"value": "median", "label": "at the median of all visited points"}]
    for k in sorted({int(place) if place.isdigit() else 0, *(steps * part // FIVE for part in range(FIVE))}):
        when = f"{ui.exact(k * found.decision)} {found.time_unit}"
        options.append({"value": str(k), "label": f"as in the first episode after {when}"})
    return ui.labelled("everything else", ui.picker(ids.choice("at", place), "operating point", options, place, width=300))


def _maps(found: Decisions, of: Mapping[str, str], x: int, y: int, place: str) -> list[Component]:
    cut = found.section(place, x, y)
    across, along = (Scale(worded(found.axes[k].name, of), found.axes[k].unit) for k in (x, y))
    seen, point = found.visited.observations, found.visited.at(place)
    dots = tuple(found.axes[k].value(seen[..., k].ravel()) for k in (x, y))
    where = float(found.axes[x].value(point[x])), float(found.axes[y].value(point[y]))
    maps = []
    for axis, values in zip(found.reach, cut.moves, strict=True):
        figure = section((across, cut.x), (along, cut.y), Scale(axis.name, axis.unit), values, (dots[0], dots[1]), where)
        title = f"{axis.name} ({unit_text(axis.unit)})" if axis.unit not in ("", "1") else axis.name
        maps.append(ui.panel(title, ui.graph(figure, {"type": "map", "of": axis.name})))
    note = (
        "What the policy proposes before its rate limit and any shield, over the declared ranges; everything else stays as at "
        "the operating point (cross). Dots: where it has been in its validation episodes; far from them it was never judged."
    )
    return [html.P(note, className="note"), html.Div(maps, className="columns")]


def _histograms(found: Decisions) -> Component:
    episodes = found.visited.actions.shape[1]
    parts = []
    for k, axis in enumerate(found.reach):
        taken = found.visited.actions[..., k].ravel()
        ends = float(axis.value(taken.dtype.type(-1.0))), float(axis.value(taken.dtype.type(1.0)))
        figure = histogram(Scale(axis.name, axis.unit), axis.value(taken), ends)
        words = f"{at_ends(taken):.3g} % of decisions at an end of the authority"
        parts.append(
            html.Div([html.H3(axis.name), html.Div(words, className="note"), ui.graph(figure, {"type": "bars", "of": axis.name})])
        )
    return ui.panel("How often it decides what", html.Div(parts, className="columns"), aside=f"{episodes} validation episodes")
