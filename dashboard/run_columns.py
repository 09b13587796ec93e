"""The columns of the grid of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from controller.kpi import meaning
from dashboard.figures import unit_text

Column = dict[str, Any]
_WRAPPED = {"wrapHeaderText": True, "autoHeaderHeight": True}
_SAVED = (
    "what its PPO, else its NMPC, saves on the same held-out episodes, in per cent of PID's figure, with half the 95 % interval; "
    "of several plants the interquartile mean"
)
_WRITE_MOMENT = {"function": "setpointMoment(params.value)"}
_MOMENT = {"valueFormatter": _WRITE_MOMENT, "tooltipValueGetter": _WRITE_MOMENT}
_NO_PID = "no comparison with PID on held-out episodes was recorded here"
_NO_SCORE = "only a training has scores on validation scenarios"
_NO_FIGURE = "its episodes have no such figure, or it recorded none"


def columns(shown: Sequence[str], units: Mapping[str, Mapping[str, str]], *, together: bool) -> list[Column]:
    """Columns for runs, or for the seeds of a configuration ``together``; ``shown`` names the figures."""
    many, wide, whole = ("runs", 96, "first") if together else ("run", 64, "id")
    course = _text("course", "course", 88, cellRenderer="RunCourse", sortable=False, headerTooltip="score over the training")
    return [
        _text("id", many, 222, cellRenderer="RunLink", pinned="left", tooltipField=whole),
        _text("status", "status", 100, cellRenderer="RunStatus"),
        _text("plant", "plant", 134),
        _text("kind", "kind", 88),
        _text("controller", "controller", 86, tooltipField="controller", headerTooltip="figures are those of the first"),
        _number("seed", "seeds" if together else "seed", 58 if together else 52),
        _number("saved", "saves vs PID (%)", 106, **_written("setpointSaved(params)", _NO_PID), **_WRAPPED, headerTooltip=_SAVED),
        _score("best", wide, "highest score on the validation scenarios"),
        _score("last", wide, "score of the newest policy"),
        _score("worst", wide, "lowest score on the validation scenarios"),
        {**course, "filter": False, "cellDataType": False},
        *(_figure(name, units) for name in shown),
        _number("episodes", "episodes", 74),
        _number("seconds", "duration", 84, valueFormatter={"function": "setpointDuration(params.value)"}),
        _number("started", "started", 100, cellRenderer="RunMoment", **_MOMENT),
        _text("tags", "tags", 50, flex=1),
    ]


def _text(field: str, head: str, width: int, **more: object) -> Column:
    return {"field": field, "headerName": head, "width": width, "filter": "agTextColumnFilter", **more}


def _number(field: str, head: str, width: int, **more: object) -> Column:
    return {"field": field, "headerName": head, "width": width, "filter": "agNumberColumnFilter", "type": "rightAligned", **more}


def _written(text: str, reason: str) -> Column:
    """How a cell is written, and the ``reason`` why it may be empty, as one sees who rests on it."""
    return {"valueFormatter": {"function": text}, "tooltipValueGetter": {"function": f"setpointReason(params, {reason!r})"}}


def _score(field: str, width: int, tip: str) -> Column:
    return _number(field, field, width, **_written("setpointInterval(params)", _NO_SCORE), headerTooltip=tip)


def _figure(name: str, units: Mapping[str, Mapping[str, str]]) -> Column:
    """A figure with its unit in the head where all plants share one, else in each cell."""
    several = {known[name] for known in units.values() if name in known}
    unit = unit_text(next(iter(several))) if len(several) == 1 else ""
    head = f"{name} ({unit})" if unit not in ("", "–") else name
    write = "setpointFigure(params)" if len(several) > 1 else "setpointInterval(params)"
    return _number(
        f"kpi {name}",
        head,
        85,
        **_written(write, _NO_FIGURE),
        headerTooltip=": ".join(filter(None, (head, meaning(name)))),
        **_WRAPPED,
    )
