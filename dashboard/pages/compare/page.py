"""The comparison's page: its pickers, its views, and the tables that stand below every view."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode

import dash_mantine_components as dmc
from dash import Dash, html
from dash.development.base_component import Component

from controller.records import RunRecord
from dashboard import components as ui
from dashboard import ids
from dashboard.data import Case, Data
from dashboard.figures import shown_name
from dashboard.pages import zoom
from dashboard.pages.compare import learning, tables
from dashboard.pages.compare.choice import MOST, Choice, choose, named
from dashboard.pages.compare.spread import fronts, seeds
from dashboard.results import said, saving
from dashboard.verdict import verdicts

View = Callable[[Data, Choice, Mapping[str, str]], Sequence[Component]]


def layout(data: Data, query: Mapping[str, str]) -> Component:
    """The comparison that the query names, else the newest there is; raises UnknownName for an unknown run."""
    offered = data.comparable()
    runs = named(data, query) or tuple(offered[:1])
    if not runs:
        hint = "There is no run yet that holds two controllers on the same scenarios."
        return ui.page("Compare", ui.panel("Begin here", ui.empty(hint, ui.EXAMPLES["demo"], ui.EXAMPLES["benchmark"])))
    curves = learning.trainings(runs)
    choice = choose(data, runs, query)
    if choice is None:
        return ui.page("Compare", _run_picker(offered, runs), *_alone(data, curves), note=_links(runs))
    views = {key: words for key, (words, _) in VIEWS.items()} | ({"learning": "Learning curves"} if curves else {})
    view = query["view"] if query.get("view") in views else "trends"
    shown = learning.body(data, curves) if view == "learning" else VIEWS[view][1](data, choice, query)
    return ui.page(
        "Compare",
        html.Div([_run_picker(offered, runs), _case_picker(choice), _controller_picker(choice), _base_picker(choice)],
                 className="filters"),
        ui.tabs("/compare", {key: (words, {**query, "view": key}) for key, words in views.items()}, view),
        *shown,
        html.Div([tables.this_case(data, choice), tables.all_cases(data, choice)], className=_width(choice)),
        note=[*_links(runs), " · zoom one row and all follow; double click to see it whole"],
        actions=_saved(choice),
    )  # fmt: skip


def register(app: Dash, data: Data) -> None:
    """Nothing: the pickers change the address, which every page has in common, and trends refine themselves everywhere."""


def _saved(choice: Choice) -> list[Component]:
    """What PPO saves against PID, where the comparison is the two of one run: lines that lie close hide it."""
    if len(choice.runs) > 1 or not {"pid", "ppo"} <= set(choice.labels):
        return []
    found = next((each for each in verdicts(choice.runs[0]) if each.plant == choice.case.plant), None)
    return [] if found is None else [saving(found, html.B(said(found), className="nowrap"))]


def _width(choice: Choice) -> str:
    return "columns wide" if len(choice.labels) < 3 else "stack"


def _trends(data: Data, choice: Choice, query: Mapping[str, str]) -> list[Component]:
    return [_figure(data, choice, query, "overlay", _title(choice))]


def _difference(data: Data, choice: Choice, query: Mapping[str, str]) -> list[Component]:
    title = f"Difference to {shown_name(choice.base)} · {_title(choice)}"
    return [_figure(data, choice, query, "difference", title)]


def _cumulative(data: Data, choice: Choice, query: Mapping[str, str]) -> list[Component]:
    return [_figure(data, choice, query, "cumulative", f"Cumulative cost · {_title(choice)}")]


VIEWS: Mapping[str, tuple[str, View]] = {
    "trends": ("Trends", _trends),
    "difference": ("Difference", _difference),
    "cumulative": ("Cumulative cost", _cumulative),
    "fronts": ("Pareto fronts", fronts),
    "seeds": ("Spread over seeds", seeds),
}


def _figure(data: Data, choice: Choice, query: Mapping[str, str], view: str, title: str) -> Component:
    numbers = {label: choice.cases[choice.case][label].id for label in choice.labels}
    figure = zoom.graph(data, view, numbers, choice.base)
    return ui.panel(title, html.Div(figure, id=ids.COMPARE_FIGURE), aside=_neighbours(choice, query))


def _alone(data: Data, curves: Sequence[RunRecord]) -> list[Component]:
    """What can be said of runs that share no episodes: their learning curves, and the commands that judge them."""
    hint = "These runs hold no two controllers on the same scenario and seed. A benchmark judges trained policies beside PID:"
    judged = [f"setpoint benchmark {run.plant} --controllers pid,{run.controller}" for run in curves]
    told = ui.panel("Episodes", ui.empty(hint, *(list(dict.fromkeys(judged)) or [ui.EXAMPLES["benchmark"]])))
    return [*learning.body(data, curves), told]


def _links(runs: Sequence[RunRecord]) -> list[ui.Cell]:
    parts: list[ui.Cell] = []
    for run in runs:
        parts += [", " if parts else "", ui.link(run.id, f"/runs/{run.id}")]
    return parts


def _title(choice: Choice) -> str:
    return f"{choice.case.plant} · {choice.case.scenario} · seed {choice.case.seed}"


def _patch(**query: object) -> str:
    """A picker's value that changes several parts of the address at once."""
    return "?" + urlencode(query)


def _run_picker(offered: Sequence[RunRecord], runs: Sequence[RunRecord]) -> Component:
    listed = {run.id: run for run in (*runs, *offered)}
    data = [{"value": name, "label": name} for name in listed]
    chosen = [run.id for run in runs]
    several: Component = dmc.MultiSelect(
        id=ids.choice("runs", ",".join(chosen)), data=data, value=chosen, maxValues=MOST, size="xs", miw=330, searchable=True,
        **ui.aria("runs"),
    )  # fmt: skip
    return several


def _case_picker(choice: Choice) -> Component:
    several = len({case.plant for case in choice.cases}) > 1
    data = [{"value": _patch(**case._asdict()), "label": _name(case, several=several)} for case in choice.cases]
    chosen = _patch(**choice.case._asdict())
    return ui.picker(ids.choice("case", chosen), "scenario and seed", data, chosen, width=260)


def _name(case: Case, *, several: bool) -> str:
    """The case for people; the plant only where there are several."""
    return f"{case.plant} · {case.scenario} · seed {case.seed}" if several else f"{case.scenario} · seed {case.seed}"


def _controller_picker(choice: Choice) -> Component:
    data = [{"value": label, "label": shown_name(label)} for label in choice.cases[choice.case]]
    shown = ids.choice("controllers", ",".join(choice.labels))
    several: Component = dmc.MultiSelect(
        id=shown, data=data, value=list(choice.labels), maxValues=MOST, size="xs", miw=220,
        **ui.aria("controllers"),
    )  # fmt: skip
    return several


def _base_picker(choice: Choice) -> Component:
    data = [{"value": label, "label": f"baseline {shown_name(label)}"} for label in choice.labels]
    return ui.picker(ids.choice("base", choice.base), "baseline of differences", data, choice.base, width=170)


def _neighbours(choice: Choice, query: Mapping[str, str]) -> list[ui.Cell]:
    """The way to the case before and after."""
    ordered = list(choice.cases)
    here = ordered.index(choice.case)
    parts: list[ui.Cell] = [f"{here + 1} of {len(ordered)} "]
    for text, place in (("‹ previous", here - 1), ("next ›", here + 1)):
        if 0 <= place < len(ordered):
            parts.append(ui.link(text, "/compare", **{**query, **ordered[place]._asdict()}))
    return parts
