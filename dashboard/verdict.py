"""What a comparison's result says of PPO against PID, read from the run that recorded it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controller.records import RunRecord
from dashboard.subject import subject

HEADLINES = ("cost", "score", "return")
"""What a controller is judged by, under the names it goes by in results."""
BESIDE = ("discomfort", "hard-limit violations", "trips")
"""What must be seen beside the headline: a gain that was bought with one of these is none."""
REFERENCES = ("optimum",)
"""What knows the future and so is no controller."""


@dataclass(frozen=True)
class Verdict:
    """PPO's gain over PID on one plant, positive where PPO is better, in ``unit``, with its 95 % interval.

    ``figures`` holds the headline and what belongs beside it, by controller, in ``units``.
    """

    plant: str
    run: RunRecord
    mean: float
    low: float
    high: float
    unit: str
    episodes: int | None
    headline: str
    figures: Mapping[str, Mapping[str, float]]
    units: Mapping[str, str]

    @property
    def share(self) -> float | None:
        """The gain as a share of PID's headline figure; None where there is none to compare with."""
        pid = self.figures.get("pid", {}).get(self.headline)
        return self.mean / abs(pid) if pid else None


@dataclass(frozen=True)
class Standing:
    """Every controller's figures on one plant in one comparison: the ``headline`` and what belongs beside it, in ``units``."""

    plant: str
    run: RunRecord
    headline: str
    figures: Mapping[str, Mapping[str, float]]
    units: Mapping[str, str]

    @property
    def best(self) -> str:
        """The controller with the best headline among those that did not buy it with what must be seen beside it."""
        names = [name for name in self.figures if name not in REFERENCES and self.is_fair(name)]
        return max(names, key=lambda name: self.sign * self.figures[name][self.headline])

    @property
    def sign(self) -> float:
        """1 where more of the headline is better, else -1."""
        return -1.0 if self.headline == "cost" else 1.0

    def is_fair(self, name: str) -> bool:
        """Whether a controller has no more violations and trips than PID, and at most 1.05 of its discomfort."""
        pid = self.figures.get("pid", {})
        allowed = {key: pid[key] * (1.05 if key == "discomfort" else 1.0) for key in BESIDE if key in pid}
        return all(self.figures[name].get(key, 0.0) <= limit for key, limit in allowed.items())

    def gain(self, other: str) -> float | None:
        """The best controller's gain over another as a share of the other's figure; None where that says nothing."""
        value = self.figures.get(other, {}).get(self.headline)
        if not value:
            return None
        return self.sign * (self.figures[self.best][self.headline] - value) / abs(value)


@dataclass(frozen=True)
class Judged:
    """What a comparison says of the controller that it is about: mean figures, of how many episodes, what it saves against PID.

    ``saved`` is the mean and half its 95 % interval, in per cent of PID's headline figure; None where PID did not run.
    """

    figures: Mapping[str, float]
    episodes: int | None
    saved: tuple[float, float] | None


NOT_JUDGED = Judged({}, None, None)


def judged(run: RunRecord) -> Judged:
    """What a run's result says of its controller; of several plants only what it typically saves."""
    parts, name = _parts(run), subject(run)
    if len(parts) != 1:
        gain = _bounds(_mapping(_mapping(_mapping(run.result.get("overall")).get(name)).get("iqm")))
        return Judged({}, None, _share(gain, 1.0))
    (part,) = parts.values()
    table, (headline, figures, _) = _mapping(part.get("controllers")) or part, _table(part)
    numbers = {key: value for key, each in _mapping(table.get(name)).items() if (value := _real(each)) is not None}
    if not numbers:
        return NOT_JUDGED
    count = part.get("episodes")
    saved = _share(_bounds(_difference(part, name)), figures.get("pid", {}).get(headline))
    return Judged(numbers, count if isinstance(count, int) else None, saved)


def _share(gain: tuple[float, float, float] | None, of: float | None) -> tuple[float, float] | None:
    return (100.0 * gain[0] / abs(of), 50.0 * (gain[2] - gain[1]) / abs(of)) if gain and of else None


def standings(run: RunRecord) -> list[Standing]:
    """The comparisons in a run's result, whichever controllers they have; one that ran on other episodes than PID is left out."""
    found = []
    for plant, part in _parts(run).items():
        headline, table, units = _table(part)
        counts = _counts(run, plant, part)
        figures = {name: numbers for name, numbers in table.items() if counts.get(name) == counts.get("pid")}
        if len(figures) > 1 and "pid" in figures:
            found.append(Standing(plant, run, headline, figures, units))
    return found


def verdicts(run: RunRecord) -> list[Verdict]:
    """The comparisons of PPO with PID in a run's result."""
    found = [_verdict(plant, run, part) for plant, part in _parts(run).items()]
    return [verdict for verdict in found if verdict is not None]


def _parts(run: RunRecord) -> dict[str, Mapping[str, Any]]:
    """A run's result by plant: one, or several under ``plants``."""
    several = run.result.get("plants")
    parts = several if isinstance(several, Mapping) else {run.plant: run.result}
    return {str(plant): part for plant, part in parts.items() if isinstance(part, Mapping)}


def _table(part: Mapping[str, Any]) -> tuple[str, dict[str, dict[str, float]], dict[str, str]]:
    """The headline's name, every controller's figures worth showing, and their units."""
    table = _mapping(part.get("controllers")) or part
    units = {str(key): str(unit) for key, unit in _mapping(part.get("units")).items()}
    headline = next((name for name in HEADLINES if any(name in _mapping(entry) for entry in table.values())), HEADLINES[0])
    return headline, {str(name): numbers for name, entry in table.items() if (numbers := _figures(entry, headline))}, units


def _counts(run: RunRecord, plant: str, part: Mapping[str, Any]) -> dict[str, int]:
    """The episodes of each controller, where the result says them one by one; a dear one may have run on fewer."""
    rows = [row for row in run.result.get("standings") or () if (row["plant"], row["scenario"]) == (plant, part.get("scenario"))]
    counts = {str(row["controller"]): int(row["episodes"]) for row in rows if row.get("variant", "none") == "none"}
    return counts or dict.fromkeys(_table(part)[1], 0)


def _verdict(plant: str, run: RunRecord, part: Mapping[str, Any]) -> Verdict | None:
    difference = _difference(part, "ppo")
    bounds = _bounds(difference)
    if bounds is None:
        return None
    headline, figures, units = _table(part)
    unit = str(difference.get("unit") or units.get(headline, ""))
    episodes = part.get("episodes", difference.get("n"))
    count = episodes if isinstance(episodes, int) else None
    return Verdict(plant, run, *bounds, unit, count, headline, figures, units)


def _difference(part: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What a controller saves against PID; a demonstration has but one such, PPO's."""
    return _mapping(_mapping(part.get("against_pid")).get(name) or (name == "ppo" and part.get("paired_difference")))


def _bounds(difference: Mapping[str, Any]) -> tuple[float, float, float] | None:
    """The mean of a difference and its 95 % interval."""
    mean, low, high = (_real(difference.get(key)) for key in ("mean", "low", "high"))
    return None if mean is None or low is None or high is None else (mean, low, high)


def _figures(entry: object, headline: str) -> dict[str, float]:
    """A controller's numbers worth showing; empty for an entry that is no controller."""
    numbers = {name: _real(_mapping(entry).get(name)) for name in (headline, *BESIDE)}
    return {name: value for name, value in numbers.items() if value is not None} if numbers[headline] is not None else {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _real(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
