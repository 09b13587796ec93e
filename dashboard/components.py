"""The building blocks that pages share: panels, tables, badges, numbers, empty states."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component
from plotly.graph_objects import Figure

from controller.kpi import meaning
from controller.records import Outcome, RunRecord, Status
from dashboard.figures import SUPERSCRIPT, controller_colour, shown_name, unit_text

Children = Component | str | Sequence[Component | str]
Cell = Component | str

EXAMPLES = {
    "demo": "python3 run.py demo",
    "train": "setpoint train exothermic_cstr",
    "benchmark": "setpoint benchmark exothermic_cstr",
    "simulate": "setpoint simulate exothermic_cstr",
}
_STATUS = {"running": "●", "completed": "✓", "stopped": "■", "failed": "▲"}
_OUTCOME = {"completed": "completed", "tripped": "stopped", "integration failed": "failed"}
GRAPH: Any = {
    "displayModeBar": "hover",
    "displaylogo": False,
    "showSendToCloud": False,  # Plotly's own button for it would leave this machine
    "modeBarButtons": [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
    "topojsonURL": "/assets/",
}


def aria(label: str) -> dict[str, Any]:
    """What a screen reader says of a part; the name has a hyphen and so needs a dictionary."""
    return {"aria-label": label}


def page(title: str, *children: Cell, note: Children = "", actions: Children = "") -> Component:
    """A page with its heading, a line below it, and what can be done at its right."""
    words = html.Div([html.H1(title), html.Div(note, className="note")])
    return html.Div(
        [html.Div([words, html.Div(actions, className="actions")], className="page-head"), *children], className="page"
    )


def panel(title: str, *children: Cell, aside: Children = "") -> Component:
    """A titled area."""
    head = html.Div([html.H2(title), html.Div(aside, className="aside")], className="panel-head")
    body = html.Div(list(children), className="panel-body")
    return html.Section([head, body], className="panel")


def table(heads: Sequence[Cell], rows: Sequence[Sequence[Cell]], numeric: Sequence[int] = (), name: str = "table") -> Component:
    """A dense table; the columns in ``numeric`` are set flush right in tabular figures."""
    side = dict.fromkeys(numeric, "num")
    head = html.Thead(html.Tr([html.Th(cell, className=side.get(k), scope="col") for k, cell in enumerate(heads)]))
    body = html.Tbody([html.Tr([html.Td(cell, className=side.get(k)) for k, cell in enumerate(row)]) for row in rows])
    return html.Div(html.Table([head, body], className="data", **aria(name)), className="scroll")


def graph(figure: Figure, id: str | dict[str, str]) -> Component:  # noqa: A002 - Dash's own word
    """A figure."""
    return dcc.Graph(id=id, figure=figure, config=GRAPH, className="graph", style={"height": f"{figure.layout.height}px"})


def picker(
    id: str | dict[str, str],  # noqa: A002 - Dash's own word
    name: str,
    options: Sequence[Mapping[str, str]] | Sequence[str],
    value: str | None,
    *,
    width: int,
    empty: bool = False,
    label: str = "",
) -> Component:
    """A choice of one; ``empty`` lets it be none, which its placeholder then names. ``label``: what a screen reader says."""
    choice: Component = dmc.Select(
        id=id, data=options, value=value, searchable=True, allowDeselect=False, clearable=empty, size="xs", w=width,
        placeholder=name, maxDropdownHeight=420, **aria(label or name),
    )  # fmt: skip
    return choice


def labelled(words: str, control: Component) -> Component:
    """A control beside what it is."""
    return html.Div([html.Span(words, className="note"), control], className="labelled")


def status(value: Status) -> Component:
    """A run's status, told by word, shape and colour."""
    return html.Span([html.Span(_STATUS.get(value, "?"), className="mark"), value], className=f"status {value}")


def outcome(value: Outcome) -> Component:
    """How an episode ended."""
    return html.Span(value, className=f"status {_OUTCOME.get(value, 'failed')}")


def priority(value: int) -> Component:
    """An alarm's priority, told by number, shape and colour."""
    shape = {1: "▲", 2: "◆", 3: "●"}.get(value, "○")
    return html.Span([html.Span(shape, className="mark"), str(value)], className=f"status alarm-{value}")


def sparkline(values: Sequence[float], name: str) -> Component:
    """The course of a number, small; it takes the colour of the text around it."""
    if len(values) < 2:
        return html.Span("–")
    step = max(1, len(values) // 60)
    shown = [*values[:-1:step], values[-1]]
    low, span = min(shown), max(shown) - min(shown) or 1.0
    points = " ".join(
        f"{118 * k / (len(shown) - 1) + 1:.1f},{21 - 18 * (value - low) / span:.1f}" for k, value in enumerate(shown)
    )
    line = f"<polyline points='{points}' fill='none' stroke='black' stroke-width='1.5'/>"
    drawing = f"<svg xmlns='http://www.w3.org/2000/svg' width='120' height='24'>{line}</svg>"
    label = f"{name}: {number(values[0])} at first, {number(values[-1])} now, {number(min(values))} to {number(max(values))}"
    mask = f'url("data:image/svg+xml,{quote(drawing)}")'
    style = {"maskImage": mask, "WebkitMaskImage": mask}
    return html.Span(className="sparkline", style=style, title=label, role="img", **aria(label))


def controller(name: str, place: int = 0) -> Component:
    """A controller's name, or several with commas between, beside the colour it has in every figure."""
    names = name.split(",")
    swatches = [
        html.Span(className="swatch", style={"background": controller_colour(one, place + k)}) for k, one in enumerate(names)
    ]
    pairs = zip(swatches, names, strict=True)
    return html.Span([html.Span([swatch, shown_name(one)]) for swatch, one in pairs], className="controller")


def swatch(text: str, colour: str) -> Component:
    """A label beside the colour that it has in the figures of this page."""
    mark = html.Span(className="swatch", style={"background": colour})
    return html.Span(html.Span([mark, text]), className="controller")


def link(text: Cell, path: str, **query: object) -> Component:
    """A link inside the dashboard; its query is encoded."""
    return dcc.Link(text, href=href(path, **query), className="link")


def href(path: str, **query: object) -> str:
    """An address inside the dashboard; empty parts of the query are left out."""
    kept = {key: str(value) for key, value in query.items() if value not in (None, "")}
    return quote(path) + (f"?{urlencode(kept)}" if kept else "")


def button(text: str, path: str, **query: object) -> Component:
    """A link that looks like a button."""
    return dcc.Link(text, href=href(path, **query), className="button")


def button_like(id: str | dict[str, str], text: str) -> Component:  # noqa: A002 - Dash's own word
    """A button that a callback hears."""
    return html.Button(text, id=id, className="button")


def no_rival(plant: str) -> Component:
    """What stands where the way to PPO against PID would, as long as no run compares them."""
    return html.Div(["PPO against PID: ", html.Code(f"setpoint benchmark {plant} --controllers pid,ppo")], className="note rival")


def tabs(path: str, entries: Mapping[str, tuple[str, Mapping[str, object]]], chosen: str) -> Component:
    """A row of links of which one is where the reader is; each entry is its words and its address's query."""
    links = []
    for key, (words, query) in entries.items():
        here: dict[str, Any] = {"aria-current": "page"} if key == chosen else {}
        link = dcc.Link(words, href=href(path, **query), className="tab here" if here else "tab")
        links.append(html.Span(link, **here))
    return html.Nav(links, className="tabs", **aria("parts of this page"))


def waiting(id: str, words: str) -> Component:  # noqa: A002 - Dash's own word
    """A place for what takes a while, which says so until it is there."""
    note = html.P([dmc.Loader(size="xs"), f" {words} …"], className="note waiting", role="status")
    live: dict[str, Any] = {"aria-live": "polite"}
    return html.Div(note, id=id, className="stack", **live)


def empty(text: str, *commands: str, brief: bool = False) -> Component:
    """What stands where there is nothing yet: why, and the command that changes it; ``brief``, on one line."""
    lines = [html.Div(html.Code(command), className="command") for command in commands]
    return html.Div([html.P(_coded(text)), *lines], className="empty brief" if brief else "empty")


def code(command: str) -> Component:
    """A command that may be too long for a line."""
    return html.Code(words(command))


def words(text: str) -> list[Cell]:
    """The words of a command or of a list, none of which is broken over two lines as long as it fits on one."""
    parts: list[Cell] = []
    for word in text.split(" "):
        parts += [" ", html.Span(word, className="word")]
    return parts[1:]


def _coded(text: str) -> str | list[Cell]:
    """A message whose commands, between backticks, are set as code."""
    parts = text.split("`")
    return text if len(parts) == 1 else [html.Code(part) if k % 2 else part for k, part in enumerate(parts)]


def facts(pairs: Mapping[str, Cell]) -> Component:
    """Short facts in a row, each under its label."""
    return html.Dl([html.Div([html.Dt(label), html.Dd(value)]) for label, value in pairs.items()], className="facts")


def progress(run: RunRecord) -> Component:
    """How far a running job is and when it should be done."""
    total = total_steps(run)
    if total <= 0:
        return html.Div(f"{run.step:,} steps" if run.step else "starting", className="progress-text")
    share = min(run.step / total, 1.0)
    words = f"{share:.0%} · {run.step:,} of {total:,} steps{eta(run, share)}"
    bar = dmc.Progress(value=100 * share, size="sm", radius="xs", **aria("progress"))
    return html.Div([bar, html.Div(words, className="progress-text")], className="progress")


def total_steps(run: RunRecord) -> int:
    """How many steps the run is to take; 0 where it does not say."""
    total = run.config.get("total_steps")
    return int(total) if isinstance(total, (int, float)) and not isinstance(total, bool) else 0


def eta(run: RunRecord, share: float) -> str:
    """The time left, as far as the pace so far tells."""
    if run.status != "running" or share <= 0.01:
        return ""
    return f" · {duration(run.seconds * (1 - share) / share)} left"


def number(value: object, digits: int = 4) -> str:
    """Significant figures with a true minus sign; a dash for what is no finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return "–"
    size = abs(value)
    if isinstance(value, int) or not size:
        text = f"{value:,.0f}"
    elif 1e-3 <= size < 1e7:
        text = f"{value:,.{max(0, digits - 1 - math.floor(math.log10(size)))}f}"
    else:
        text = _powered(f"{value:.{digits - 1}e}")
    return text.replace("-", "−")


def exact(value: object) -> str:
    """A declared number as it was written: no digits added."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return "–"
    text = f"{value:,.6g}" if abs(value) >= 1e4 else f"{value:.6g}"
    return (_powered(text) if "e" in text else text).replace("-", "−")


def rounded(value: float, digits: int = 3) -> float:
    """A measured number with as many significant figures as it is worth."""
    return float(f"{value:.{digits - 1}e}") if math.isfinite(value) else value


def _powered(text: str) -> str:
    """1.5e-04 as 1.5×10⁻⁴."""
    mantissa, exponent = text.split("e")
    return f"{mantissa}×10{str(int(exponent)).translate(SUPERSCRIPT)}"


def signed(value: object, digits: int = 4) -> str:
    """A difference with its sign."""
    text = number(value, digits)
    return f"+{text}" if isinstance(value, (int, float)) and value > 0 and text != "–" else text


def within(value: float, low: float, high: float, digits: int = 3) -> str:
    """A difference with its sign, to the place at which half of the interval from ``low`` to ``high`` has ``digits`` figures."""
    half = (high - low) / 2.0
    if not 1e-3 <= half < 1e7:
        return signed(value, digits)
    text = f"{value:+,.{max(0, digits - 1 - math.floor(math.log10(half)))}f}"
    return text.replace("-", "−") if text.strip("+-0.,") else text.lstrip("+-")


def apart(value: float, reference: float, digits: int = 4) -> str:
    """A difference to the last place that :func:`number` shows of either; what is smaller is none."""
    difference, size = value - reference, max(abs(value), abs(reference))
    if not (math.isfinite(difference) and size):
        return signed(difference, digits)
    place = math.floor(math.log10(size)) - digits + 1
    rounded_off = round(difference, -place)
    return signed(rounded_off, max(1, math.floor(math.log10(abs(rounded_off))) - place + 1)) if rounded_off else "0"


def quantity(value: object, unit: str) -> str:
    """A declared number with its unit."""
    text = exact(value)
    return text if text == "–" or unit in ("", "1") else f"{text} {unit_text(unit)}"


def duration(seconds: float) -> str:
    """A length of time in its two largest units."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600:02d} h"


def moment(seconds: float) -> str:
    """A point in time by the clock of this machine."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def instant(seconds: float) -> str:
    """A point in time to the second, by the clock of this machine."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def kpi_heads(names: Sequence[str], units: Mapping[str, str]) -> list[str]:
    """KPI names with their units, each unit on one line."""
    shown = {name: unit_text(unit).replace(" ", "\u00a0") for name, unit in units.items() if unit not in ("", "1")}
    whole = {name: name.replace(" %", "\u00a0%") for name in names}
    return [f"{whole[name]} ({shown[name]})" if name in shown else whole[name] for name in names]


def explained(name: str, words: str) -> Cell:
    """A short name beside what it stands for, where that is known."""
    return html.Span([html.Span(name, className="nowrap"), html.Span(words, className="note meaning")]) if words else name


def kpi(name: str, of: Mapping[str, str]) -> Cell:
    """A KPI's name, a short one with what it stands for; ``of`` says what the plant's inputs and outputs are."""
    return explained(name, meaning(name, of))


def kpi_head(name: str, head: str, of: Mapping[str, str]) -> Cell:
    """A KPI's name at the head of a column, a short one with what it stands for when it is pointed at."""
    words = meaning(name, of)
    return html.Abbr(head, title=words) if words else head


def config_table(values: Mapping[str, Any]) -> Component:
    """Configuration as a table, nested keys joined by dots."""
    return table(["setting", "value"], [[key, _setting(value)] for key, value in flat(values)], name="configuration")


def _setting(value: object) -> Component:
    """A setting as it is given to a command; one with more figures than can be read has them all when it is pointed at."""
    short = f"{value:.7g}" if isinstance(value, float) else str(value)
    return html.Code(short, title=str(value) if len(short) < len(str(value)) else None)


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Nested settings as dotted keys."""
    pairs: list[tuple[str, Any]] = []
    for key, value in values.items():
        nested = isinstance(value, Mapping) and value
        pairs += flat(value, f"{prefix}{key}.") if nested else [(f"{prefix}{key}", value)]
    return pairs
