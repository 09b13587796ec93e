"""The columns of the grid of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.figures import unit_text

Column = dict[str, Any]


def columns(shown: Sequence[str], units: Mapping[str, Mapping[str, str]], *, together: bool) -> list[Column]:
    """Columns for runs, or for the seeds of a configuration ``together``; ``shown`` names the figures."""
    first = _text("id", "runs" if together else "run", 258, cellRenderer="RunLink", pinned="left")
    found = [
        first,
        _text("status", "status", 104, cellRenderer="RunStatus"),
        _text("plant", "plant", 146),
        _text("kind", "kind", 92),
    ]
    found += [_text("controller", "controller", 112), _number("seed", "seeds" if together else "seed", 62)]
    wide = 122 if together else 80
    found += [
        _score("best", wide, "highest score on the validation scenarios"),
        _score("last", wide, "score of the newest policy"),
    ]
    found += [_score("worst", wide, "lowest score on the validation scenarios")]
    course = _text("course", "course", 130, cellRenderer="RunCourse", sortable=False, headerTooltip="score over the training")
    found += [{**course, "filter": False, "cellDataType": False}, *(_figure(name, units) for name in shown)]
    found.append(_number("episodes", "episodes", 86))
    found.append(_number("seconds", "duration", 92, valueFormatter={"function": "setpointDuration(params.value)"}))
    found.append(_number("started", "started", 132, valueFormatter={"function": "setpointMoment(params.value)"}))
    return [*found, _text("tags", "tags", 120)]


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
    return _number(f"kpi {name}", head, 108, valueFormatter={"function": write}, headerTooltip=head, **wrapped)
