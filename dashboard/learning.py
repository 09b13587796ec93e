"""Figures of a training as pure Plotly: the learning curve, what an episode costs by term, and the vital signs with their limits.

Limits and remedies are those of :mod:`controller.stability`, by which updates are judged.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from controller.stability import REMEMBERED, SIGNS, Sign
from dashboard.figures import CONTROLLERS, OTHERS, axis_text, controller_colour, dressed, shown_name, unit_text

WARNS, HARMS = "#c9791a", "#d0504a"
Curve = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True)
class Vital:
    """One of a training's vital signs: what it is called, its unit, what it says, and its limits where it has some."""

    title: str
    unit: str
    says: str = ""
    sign: Sign | None = None
    log: bool = False

    def limits(self, values: Sequence[float]) -> tuple[float, float]:
        """From where on values like these are unusual, and do harm; not a number where there is no such limit."""
        if self.sign is None:
            return math.nan, math.nan
        recent = [value for value in values[-REMEMBERED:] if math.isfinite(value)]
        scale = (float(np.median(recent)) if recent else math.nan) if self.sign.relative else 1.0
        return self.sign.warns * scale, self.sign.harms * scale

    def crossed(self, values: Sequence[float]) -> bool:
        """Whether the last value is beyond the limit from which it is unusual."""
        limit, last = self.limits(values)[0], next((v for v in reversed(values) if math.isfinite(v)), math.nan)
        return last < limit if self.sign is not None and self.sign.low else last > limit

    @property
    def rule(self) -> str:
        """The limits in words."""
        if self.sign is None:
            return self.says
        side, unit = ("below" if self.sign.low else "above"), "× its median" if self.sign.relative else self._unit()
        warns = "" if math.isnan(self.sign.warns) else f"unusual {side} {self.sign.warns:g}{unit}"
        words = " ".join(part for part in (warns or "unusual:", self.sign.when) if part)
        harms = "" if math.isnan(self.sign.harms) else f"; taken back {side} {self.sign.harms:g}{unit}"
        return (words if warns or self.sign.when else "") + harms

    @property
    def remedy(self) -> str:
        """What to do where the limit is crossed."""
        return "" if self.sign is None else self.sign.remedy

    def _unit(self) -> str:
        return "" if self.unit in ("", "1") or self.unit.startswith("share") else f" {unit_text(self.unit)}"


def _of(name: str, unit: str, *, log: bool = False) -> Vital:
    sign = SIGNS[name]
    return Vital(sign.name[0].upper() + sign.name[1:], unit, "", sign, log)


VITALS = {
    "train/kl": _of("kl", "nat", log=True),
    "train/clip_fraction": _of("clip_fraction", "share of samples"),
    "train/entropy": _of("entropy", "nat"),
    "train/explained_variance": _of("explained_variance", "share"),
    "train/gradient_norm": _of("gradient_norm", "1"),
    "train/value_loss": _of("value_loss", "reward²"),
    "train/behaviour": _of("behaviour", "share of range"),
    "train/spread_low": _of("spread_low", "share of authority"),
    "train/steps_per_s": Vital("Training speed", "steps/s", "environment steps learned from per second"),
    "train/hard_violations": Vital("Hard-limit violations", "count", "while exploring; should fall to zero"),
}
BUDGET = {
    "train/limit_cost": Vital("Time beyond limits while learning", "share of time", "should come down to the budget"),
    "train/multiplier": Vital("Lagrange multiplier", "1", "rises while the budget is exceeded, falls to zero while it is kept"),
    "validation/limit_cost": Vital("Time beyond limits, validation", "share of time", "that of the policy offered last"),
}
SHIELD = {
    "train/interventions": Vital("Shield interventions", "% of decisions", "moves cut while learning; should become rare"),
    "train/uncertified": Vital("Nothing certified", "% of decisions", "the declared safe action was sent"),
}


def vitals_of(safety: str) -> dict[str, Vital]:
    """The vital signs of a training by what keeps its limits: ``none``, ``lagrangian``, ``shield`` or ``both``."""
    budget = BUDGET if safety in ("lagrangian", "both") else {}
    shield = SHIELD if safety in ("shield", "both") else {}
    return {**VITALS, **budget, **shield}


def learning_curve(curves: Mapping[str, Curve], baselines: Mapping[str, float], total_steps: float, unit: str) -> go.Figure:
    """Score over environment steps: the policy now, the best so far, and a line for each baseline.

    ``curves`` maps a legend text to its steps and scores; they come first, in order, so that a reader can extend them.
    """
    figure = go.Figure()
    styles = (
        {"color": CONTROLLERS["ppo"], "width": 2},
        {"color": CONTROLLERS["ppo"], "width": 1.2, "dash": "dot", "shape": "hv"},
    )
    for (text, curve), line in zip(curves.items(), styles, strict=False):
        figure.add_trace(_line(text, curve, line, unit))
    for place, (name, value) in enumerate(baselines.items()):
        line = {"color": controller_colour(name, place), "width": 1.6, "dash": "dash"}
        figure.add_trace(_line(shown_name(name), ([0, total_steps], [value, value]), line, unit))
    figure.update_yaxes(title_text=f"score on validation scenarios ({unit})")
    return _over_steps(figure, total_steps, 320, "learning")


def several_curves(curves: Mapping[str, Curve], baselines: Mapping[str, float], unit: str) -> go.Figure:
    """The learning curves of several trainings over each other, and a line for each baseline."""
    figure = go.Figure()
    palette = (CONTROLLERS["ppo"], *OTHERS, *(CONTROLLERS[name] for name in ("nmpc", "rule", "schedule", "constant")))
    last = max((steps[-1] for steps, _ in curves.values() if steps), default=0.0)
    for place, (text, curve) in enumerate(curves.items()):
        figure.add_trace(_line(text, curve, {"color": palette[place % len(palette)], "width": 1.8}, unit))
    for name, value in baselines.items():
        line = {"color": controller_colour(name), "width": 1.6, "dash": "dash"}
        figure.add_trace(_line(shown_name(name), ([0, last], [value, value]), line, unit))
    figure.update_yaxes(title_text=f"score on validation scenarios ({unit})")
    return _over_steps(figure, last, 380, "learning")


def cost_terms(curves: Mapping[str, Curve], total_steps: float, unit: str) -> go.Figure:
    """What an episode costs on average by term, over environment steps; the reward is their sum over the plant's scale."""
    return _over_steps(_parted(curves, unit, "mean cost of an episode"), total_steps, 320, "cost terms")


def savings(curves: Mapping[str, Curve], total_steps: float) -> go.Figure:
    """What the policy saves against PID in each scenario that it learns on, in % of PID's cost, over environment steps."""
    figure = _parted(curves, "%", "saved against PID").add_hline(0.0, line_color=CONTROLLERS["pid"], line_dash="dash")
    return _over_steps(figure, total_steps, 320, "saved by scenario")


def _parted(curves: Mapping[str, Curve], unit: str, what: str) -> go.Figure:
    figure = go.Figure()
    palette = (CONTROLLERS["ppo"], CONTROLLERS["pid"], CONTROLLERS["nmpc"], CONTROLLERS["schedule"], *OTHERS)
    for place, (name, curve) in enumerate(curves.items()):
        figure.add_trace(_line(name, curve, {"color": palette[place % len(palette)], "width": 1.8}, unit_text(unit)))
    return figure.update_yaxes(title_text=what if unit in ("", "1") else f"{what} ({unit_text(unit)})")


def vital(vital_sign: Vital, curve: Curve, total_steps: float, key: str) -> go.Figure:
    """One vital sign over environment steps, with the limits from which it is unusual and does harm."""
    figure = go.Figure()
    line = {"color": CONTROLLERS["ppo"], "width": 1.6}
    figure.add_trace(_line(vital_sign.title, curve, line, unit_text(vital_sign.unit), digits=".4g"))
    warns, harms = vital_sign.limits(curve[1])
    end = max([total_steps, *curve[0]], default=1.0)
    for name, value, colour, dash in (("unusual", warns, WARNS, "dash"), ("taken back", harms, HARMS, "dot")):
        if math.isfinite(value):
            style = {"color": colour, "width": 1.4, "dash": dash}
            figure.add_trace(_line(name, ([0, end], [value, value]), style, unit_text(vital_sign.unit), digits=".4g"))
    figure.update_yaxes(title_text=axis_text(vital_sign.unit, vital_sign.title.lower()), title_standoff=4)
    if vital_sign.unit in ("1", "count", "steps/s") or vital_sign.unit.startswith(("share of", "%")):
        figure.update_yaxes(rangemode="tozero")
    if vital_sign.log:
        figure.update_yaxes(type="log", dtick=1)
    _over_steps(figure, total_steps, 170, key)
    figure.update_xaxes(tickformat="~s", tickangle=0, nticks=5)
    return figure.update_layout(showlegend=False, margin={"l": 62, "r": 10, "t": 8, "b": 36})


def _line(text: str, curve: Curve, line: dict[str, object], unit: str, digits: str = ".5g") -> go.Scatter:
    """A line made of lists, which a browser can extend."""
    shown = "" if unit == "–" else f" {unit}"
    hover = f"{text} %{{y:{digits}}}{shown}<extra></extra>"
    return go.Scatter(x=list(curve[0]), y=list(curve[1]), name=text, mode="lines", line=line, hovertemplate=hover)


def _over_steps(figure: go.Figure, total_steps: float, height: int, revision: str) -> go.Figure:
    figure.update_xaxes(title_text="environment steps", range=[0, total_steps] if total_steps > 0 else None)
    return dressed(figure, height=height, revision=revision)
