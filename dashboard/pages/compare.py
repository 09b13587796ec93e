"""Compare: several controllers on the same scenario and seed, laid over each other, and what they scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import dash_mantine_components as dmc
from dash import Dash, html
from dash.development.base_component import Component

from controller.records import EpisodeRecord, EpisodeRow, RunRecord
from dashboard import components as ui
from dashboard import ids
from dashboard.data import Case, Data, cases
from dashboard.figures import shown_name, unit_text
from dashboard.trends import overlay

MOST = 8  # lines over each other that can still be told apart
_RUN_KEYS = ("run", *"abcdefgh")


@dataclass(frozen=True)
class Choice:
    """What the address chose: the runs, every comparable case with its episodes by label, and the case shown."""

    runs: tuple[RunRecord, ...]
    cases: Mapping[Case, Mapping[str, EpisodeRow]]
    case: Case
    labels: tuple[str, ...]


def layout(data: Data, query: Mapping[str, str]) -> Component:
    """The comparison that the query names, else the newest there is; raises UnknownName for an unknown run."""
    offered = data.comparable()
    runs = _runs(data, query, offered)
    if not runs:
        hint = "There is no run yet that holds two controllers on the same scenarios."
        return ui.page("Compare", ui.panel("Begin here", ui.empty(hint, ui.EXAMPLES["demo"], ui.EXAMPLES["benchmark"])))
    choice = _choice(data, runs, query)
    if choice is None:
        hint = "These runs hold no two controllers on the same scenario and seed."
        return ui.page(
            "Compare", _run_picker(offered, runs), ui.panel("Nothing to compare", ui.empty(hint, ui.EXAMPLES["benchmark"]))
        )
    records = {label: data.episode(choice.cases[choice.case][label].id) for label in choice.labels}
    return ui.page(
        "Compare",
        html.Div([_run_picker(offered, runs), _case_picker(choice), _controller_picker(choice)], className="filters"),
        ui.panel(_title(choice), ui.graph(overlay(records), ids.COMPARE_FIGURE), aside=_neighbours(choice, query)),
        html.Div([_this_case(choice, records), _all_cases(choice)], className="columns wide" if len(records) < 3 else "stack"),
        note=[*_links(runs), " · zoom one row and all follow; double click to see it whole"],
    )


def register(app: Dash, data: Data) -> None:
    """Nothing: the pickers change the address, which every page has in common."""


def _runs(data: Data, query: Mapping[str, str], offered: Sequence[RunRecord]) -> tuple[RunRecord, ...]:
    named = [*query.get("runs", "").split(","), *(query[key] for key in _RUN_KEYS if query.get(key))]
    return tuple(data.run(name) for name in dict.fromkeys(named) if name) or tuple(offered[:1])


def _choice(data: Data, runs: Sequence[RunRecord], query: Mapping[str, str]) -> Choice | None:
    """What to show; None where no two labels share a case."""
    shared = {case: rows for case, rows in _labelled(data, runs).items() if len(rows) > 1}
    fitting = [case for case in shared if all(query.get(key) in (None, str(value)) for key, value in case._asdict().items())]
    if not shared:
        return None
    case = next(iter(fitting or shared))
    wanted = [label for label in query.get("controllers", "").split(",") if label in shared[case]]
    return Choice(tuple(runs), shared, case, tuple((wanted or _usual(list(shared[case])))[:MOST]))


def _usual(labels: list[str]) -> list[str]:
    """What is compared unless the address says otherwise: PPO with PID where there are both, else all."""
    pair = [label for label in labels if label in ("pid", "ppo")]
    return list(pair) if len(pair) > 1 else labels


def _labelled(data: Data, runs: Sequence[RunRecord]) -> dict[Case, dict[str, EpisodeRow]]:
    """Every case of the runs, its episodes by controller, and by run too where there are several runs."""
    found: dict[Case, dict[str, EpisodeRow]] = {}
    for run in runs:
        for case, rows in cases(data.episodes(run.id)).items():
            labels = {(row.controller if len(runs) == 1 else f"{row.controller} {run.id[-6:]}"): row for row in rows}
            found.setdefault(case, {}).update(labels)
    return found


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
    cleared = dict.fromkeys((*_RUN_KEYS, "runs", "plant", "scenario", "seed", "controllers"), "")
    data = [{"value": _patch(**{**cleared, "run": name}), "label": name} for name in listed]
    return ui.picker(ids.choice("run", data[0]["value"]), "run", data, data[0]["value"], width=330)


def _case_picker(choice: Choice) -> Component:
    several = len({case.plant for case in choice.cases}) > 1
    data = [{"value": _patch(**case._asdict()), "label": _name(case, several=several)} for case in choice.cases]
    chosen = _patch(**choice.case._asdict())
    return ui.picker(ids.choice("case", chosen), "scenario and seed", data, chosen, width=300)


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


def _neighbours(choice: Choice, query: Mapping[str, str]) -> list[ui.Cell]:
    """The way to the case before and after."""
    ordered = list(choice.cases)
    here = ordered.index(choice.case)
    parts: list[ui.Cell] = [f"{here + 1} of {len(ordered)} "]
    for text, place in (("‹ previous", here - 1), ("next ›", here + 1)):
        if 0 <= place < len(ordered):
            parts.append(ui.link(text, "/compare", **{**query, **ordered[place]._asdict()}))
    return parts


def _baseline(labels: Sequence[str]) -> str:
    """Differences are to PID where there is one."""
    return next((label for label in labels if label.split()[0] == "pid"), labels[0])


def _this_case(choice: Choice, records: Mapping[str, EpisodeRecord]) -> Component:
    values = {label: record.kpis for label, record in records.items()}
    units = {name: unit for record in records.values() for name, unit in record.kpi_units.items()}
    outcomes = [f"{shown_name(label)} {record.outcome}" for label, record in records.items() if record.outcome != "completed"]
    return ui.panel("KPIs of this episode", _differences(values, units), aside=", ".join(outcomes))


def _all_cases(choice: Choice) -> Component:
    """Means over the cases that all shown controllers share."""
    shared = [rows for rows in choice.cases.values() if all(label in rows for label in choice.labels)]
    names = list(dict.fromkeys(name for rows in shared for label in choice.labels for name in rows[label].kpis))
    values = {label: {name: _mean([rows[label].kpis.get(name) for rows in shared]) for name in names} for label in choice.labels}
    units = {name: unit for rows in shared for row in rows.values() for name, unit in row.kpi_units.items()}
    return ui.panel(
        f"Mean over {len(shared)} episodes", _differences(values, units), aside="scenarios and seeds that all of them ran"
    )


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else float("nan")


def _differences(values: Mapping[str, Mapping[str, float]], units: Mapping[str, str]) -> Component:
    """KPIs down, controllers across, then each controller's difference to the baseline."""
    labels = list(values)
    base = _baseline(labels)
    others = [label for label in labels if label != base]
    names = list(dict.fromkeys(name for label in labels for name in values[label]))
    heads: list[ui.Cell] = ["KPI", "unit", *(ui.controller(label, k) for k, label in enumerate(labels))]
    heads += [f"{shown_name(label)} − {shown_name(base)}" for label in others]
    rows: list[list[ui.Cell]] = []
    for name in names:
        reference = values[base].get(name, float("nan"))
        row: list[ui.Cell] = [name, unit_text(units.get(name, ""))]
        row += [ui.number(values[label].get(name)) for label in labels]
        rows.append(row + [_difference(values[label].get(name, float("nan")), reference) for label in others])
    return ui.table(heads, rows, range(2, len(heads)), "KPIs by controller")


def _difference(value: float, reference: float) -> Component:
    """The difference, and its share of the reference where that is not zero."""
    share = (value - reference) / abs(reference) if reference else float("nan")
    text = f"{100 * share:+.1f} %".replace("-", "−") if value != reference and abs(share) < 100 else ""
    return html.Span([ui.signed(value - reference), html.Span(text, className="share")])
