"""What recorded episodes say of safety: limits crossed by controller, the worst episodes, and how much the shield cut away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from controller.records import EpisodeRecord, EpisodeRow, RunRecord
from controller.statistics import upper95
from dashboard.matrix import Row, episodes_of, rows

BEYOND, LIMIT = "time beyond ", " limit"


@dataclass(frozen=True)
class Standing:
    """A controller's judged episodes: how many crossed a hard limit and were tripped, mean hours beyond each limit.

    ``interventions`` and ``uncertified`` are in % of decisions, None where no episode ran behind a shield.
    """

    controller: str
    episodes: int
    violating: int
    trips: int
    hours: Mapping[str, float]
    interventions: float | None
    uncertified: float | None

    @property
    def bound(self) -> float:
        """The 95 % upper bound of the share of episodes that cross a hard limit."""
        return upper95(self.violating, self.episodes)


def standings(runs: Sequence[RunRecord], plant: str) -> list[Standing]:
    """What comparisons say of each controller on a plant, all its scenarios and variants together.

    Of each scenario and variant one run counts: the newest, a simulation only where nothing else ran. Another run has the same
    episodes, which are evidence once.
    """
    first: dict[tuple[str, str, str], Row] = {}
    for run in sorted(runs, key=lambda run: (run.kind == "simulate", -run.started)):
        for row in rows(run):
            if row["plant"] == plant and "hard-limit violations" in row["kpis"]:
                first.setdefault((str(row["controller"]), str(row["scenario"]), str(row["variant"])), row)
    grouped: dict[str, list[tuple[int, Mapping[str, float]]]] = {}
    for (controller, *_), row in first.items():
        grouped.setdefault(controller, []).append((episodes_of(row), row["kpis"]))
    return [_standing(controller, parts) for controller, parts in grouped.items()]


def _standing(controller: str, parts: Sequence[tuple[int, Mapping[str, float]]]) -> Standing:
    violating, trips = (round(sum(figures[name] for _, figures in parts)) for name in ("hard-limit violations", "trips"))
    names = {key: None for _, figures in parts for key in figures if _is_time(key)}
    hours = {key.removeprefix(BEYOND).removesuffix(LIMIT): _mean(parts, key) or 0.0 for key in names}
    shielded = (_mean(parts, "interventions"), _mean(parts, "uncertified"))
    return Standing(controller, sum(n for n, _ in parts), violating, trips, hours, *shielded)


def _is_time(key: str) -> bool:
    return key.startswith(BEYOND) and key.endswith(LIMIT)


def _mean(parts: Sequence[tuple[int, Mapping[str, float]]], name: str) -> float | None:
    """The mean of a figure over all episodes of the parts that have it."""
    having = [(n, figures[name]) for n, figures in parts if figures.get(name) is not None]
    return sum(n * value for n, value in having) / sum(n for n, _ in having) if having else None


def worst(episodes: Sequence[EpisodeRow], most: int = 12) -> list[EpisodeRow]:
    """The episodes that crossed limits worst: those tripped first, then hard limits, then by the time beyond any limit."""
    crossed = [row for row in episodes if _severity(row) > (0.0, 0.0, 0.0)]
    return sorted(crossed, key=_severity, reverse=True)[:most]


def _severity(row: EpisodeRow) -> tuple[float, float, float]:
    return row.kpis.get("trips", 0.0), row.kpis.get("hard-limit violations", 0.0), time_beyond(row)


def time_beyond(row: EpisodeRow) -> float:
    """Hours beyond limits, summed over limits."""
    return sum(value for key, value in row.kpis.items() if _is_time(key) and value > 0)


def cut_away(record: EpisodeRecord) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The share of the move that the shield cut away in each decision it intervened in; empty where none was recorded."""
    recorded = record.of_role("shield")
    through = record.values[recorded[0]] if recorded else np.ones(0)
    through = through[np.isfinite(through)]
    cut: np.ndarray[tuple[int], np.dtype[np.float64]] = 1.0 - np.clip(through[through < 1.0], 0.0, 1.0)
    return cut
