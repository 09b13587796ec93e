"""The columns of the grid of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.figures import unit_text

Column = dict[str, Any]


def columns(shown: Sequence[str], units: Mapping[str, Mapping[str, str]], *, together: bool) -> list[Column]:
    """Columns for runs, or for the seeds of a configuration ``together``; ``shown`` names the figures."""
    many, wide, whole = ("runs", 114, "first") if together else ("run", 68, "id")
    course = _text("course", "course", 96, cellRenderer="RunCourse", sortable=False, headerTooltip="score over the training")
    return [
        _text("id", many, 226, cellRenderer="RunLink", pinned="left", tooltipField=whole),
        _text("status", "status", 100, cellRenderer="RunStatus"),
        _text("plant", "plant", 134),
        _text("kind", "kind", 96),
        _text("controller", "controller", 90, tooltipField="controller"),
        _number("seed", "seeds" if together else "seed", 52),
        _score("best", wide, "highest score on the validation scenarios"),
        _score("last", wide, "score of the newest policy"),
        _score("worst", wide, "lowest score on the validation scenarios"),
        {**course, "filter": False, "cellDataType": False},
        *(_figure(name, units) for name in shown),
        _number("episodes", "episodes", 76),
        _number("seconds", "duration", 88, valueFormatter={"function": "setpointDuration(params.value)"}),
        _number("started", "started", 138, valueFormatter={"function": "setpointMoment(params.value)"}),
        _text("tags", "tags", 60, flex=1),
    ]


def _text(field: str, head: str, width: int, **more: object) -> Column:
    return {"field": field, "headerName": head, "width": width, "filter": "agTextColumnFilter", **more}


def _number(field: str, head: str, width: int, **more: object) -> Column:
    return {"field": field, "headerName": head, "width": width, "filter": "agNumberColumnFilter", "type": "rightAligned", **more}


def _score(field: str, width: int, tip: str) -> Column:
    return _number(field, field, width, valueFormatter={"function": "setpointInterval(params)"}, headerTooltip=tip)


def _figure(name: str, units: Mapping[str, Mapping[str, str]]) -> Column:
    """A figure with its unit in the head where all plants share one, else in each cell."""
    several = {known[name] for known in units.values() if name in known}
    unit = unit_text(next(iter(several))) if len(several) == 1 else ""
    head = f"{name} ({unit})" if unit not in ("", "–") else name
    write = "setpointFigure(params)" if len(several) > 1 else "setpointInterval(params)"
    wrapped = {"wrapHeaderText": True, "autoHeaderHeight": True}
    return _number(f"kpi {name}", head, 90, valueFormatter={"function": write}, headerTooltip=head, **wrapped)
