"""What a comparison's result says of PPO against PID, read from the run that recorded it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controller.records import RunRecord

HEADLINES = ("cost", "score", "return")
"""What a controller is judged by, under the names it goes by in results."""
BESIDE = ("discomfort", "hard-limit violations", "trips")
"""What must be seen beside the headline: a gain that was bought with one of these is none."""


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


def verdicts(run: RunRecord) -> list[Verdict]:
    """The comparisons in a run's result, which is one plant's, or several under ``plants``."""
    several = run.result.get("plants")
    parts = several if isinstance(several, Mapping) else {run.plant: run.result}
    found = [_verdict(str(plant), run, part) for plant, part in parts.items() if isinstance(part, Mapping)]
    return [verdict for verdict in found if verdict is not None]


def _verdict(plant: str, run: RunRecord, part: Mapping[str, Any]) -> Verdict | None:
    difference = part.get("paired_difference") or _mapping(part.get("against_pid")).get("ppo")
    mean, low, high = (_real(_mapping(difference).get(key)) for key in ("mean", "low", "high"))
    if mean is None or low is None or high is None:
        return None
    table = _mapping(part.get("controllers")) or part
    units = {str(key): str(unit) for key, unit in _mapping(part.get("units")).items()}
    headline = next((name for name in HEADLINES if any(name in _mapping(entry) for entry in table.values())), HEADLINES[0])
    figures = {str(name): numbers for name, entry in table.items() if (numbers := _figures(entry, headline))}
    unit = str(_mapping(difference).get("unit") or units.get(headline, ""))
    episodes = part.get("episodes", _mapping(difference).get("n"))
    count = episodes if isinstance(episodes, int) else None
    return Verdict(plant, run, mean, low, high, unit, count, headline, figures, units)


def _figures(entry: object, headline: str) -> dict[str, float]:
    """A controller's numbers worth showing; empty for an entry that is no controller."""
    numbers = {name: _real(_mapping(entry).get(name)) for name in (headline, *BESIDE)}
    return {name: value for name, value in numbers.items() if value is not None} if numbers[headline] is not None else {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _real(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
