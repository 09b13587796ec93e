"""Whether what a controller sees and does is still what it saw and did when it was released: the population stability index.

PSI = sum (q - p) ln(q / p) over bins that hold a tenth of the reference each, with p the reference's share of a bin and q the
new one's. Two samples of one distribution have PSI (B - 1) (1 / n + 1 / m) on average, with B bins and n and m independent
samples (B. Yurdakul, Statistical properties of population stability index, 2018): that much is taken off. Samples of one episode
are no independent ones; they count for as many as the scatter of the episodes' means says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from controller.records import EpisodeRecord, Role
from plant_models.core.scenario import Array

BINS = 10
EMPTY = 1e-4
"""The share of a bin in which nothing was seen."""
WARN, ACT = 0.1, 0.25
"""PSI from which a shift is worth a look, and from which something has to be done: half a standard deviation."""
BLIND = 0.1
"""Mean PSI of samples without any shift, above which there are too few to tell."""
WATCHED: dict[Role, str] = {"pv": "observation", "target": "observation", "disturbance": "observation",
                            "offset": "action", "sp": "action", "op": "action"}  # fmt: skip
"""Signals of a record that are watched, and what they are to a controller."""
INTERVENTIONS = "interventions"
Verdict = Literal["ok", "warn", "act", "too few"]


@dataclass(frozen=True)
class Histogram:
    """The ``edges`` between bins, (bins - 1,), the ``shares`` of values in them, (bins,), and for how many ``n`` these count."""

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    n: float

    def as_json(self) -> dict[str, Any]:
        """Return the three by name."""
        return asdict(self)

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Histogram:
        """Return the histogram that :meth:`as_json` told of."""
        return cls(tuple(kept["edges"]), tuple(kept["shares"]), float(kept["n"]))


@dataclass(frozen=True)
class Drift:
    """How far one signal has moved: ``psi`` beyond what ``chance`` alone brings on average."""

    name: str
    what: str
    psi: float
    chance: float

    @property
    def verdict(self) -> Verdict:
        """What to make of it; a shift that is plain in few samples is one all the same."""
        if not self.psi <= ACT:
            return "act"
        return "too few" if self.chance > BLIND else "warn" if self.psi > WARN else "ok"

    def as_json(self) -> dict[str, Any]:
        """Return everything by name."""
        return asdict(self) | {"verdict": self.verdict}


def reference(values: Array) -> Histogram:
    """Return the histogram of values (episodes, samples) in its own tenths; a value met often has a bin of its own."""
    cuts = np.quantile(values, np.linspace(0.0, 1.0, BINS + 1)[1:-1])
    often = cuts[1:][np.diff(cuts) == 0.0]
    edges = np.unique(np.concatenate([cuts, np.nextafter(often, np.inf), _single(values)]))
    return along(tuple(edges.tolist()), values)


def _single(values: Array) -> Array:
    """Return the edges around a value that is the only one."""
    low, high = float(values.min()), float(values.max())
    return np.array([low, np.nextafter(high, np.inf)] if low == high else [])


def along(edges: Sequence[float], values: Array) -> Histogram:
    """Return the histogram of values (episodes, samples) in given bins."""
    counts = np.bincount(np.searchsorted(edges, values.ravel(), side="right"), minlength=len(edges) + 1)
    return Histogram(tuple(edges), tuple((counts / values.size).tolist()), independent(values))


def independent(values: Array) -> float:
    """Return for how many independent ones the samples of (episodes, samples) count."""
    episodes, samples = values.shape
    spread = float(values.var())
    if episodes < 2 or spread <= 0.0:
        return float(episodes)
    together = samples * float(values.mean(axis=1).var(ddof=1)) / spread
    return float(values.size / min(max(together, 1.0), float(samples)))


def psi(expected: Histogram, found: Histogram) -> tuple[float, float]:
    """Return the stability index less what chance brings, at least 0, and what chance brings on average."""
    p, q = np.maximum(expected.shares, EMPTY), np.maximum(found.shares, EMPTY)
    used = np.count_nonzero(np.asarray(expected.shares) + np.asarray(found.shares))
    chance = (used - 1) * (1.0 / expected.n + 1.0 / found.n)
    return max(float(((q - p) * np.log(q / p)).sum()) - chance, 0.0), chance


def signals(records: Sequence[EpisodeRecord]) -> dict[str, tuple[str, Array]]:
    """Return what each watched signal is to a controller, and its values (episodes, samples), by name and unit.

    Records may be of different length: as many samples are taken as the shortest has.
    """
    samples = min(len(record.time) for record in records)
    first = records[0].signals
    found = {
        f"{signal.name} [{signal.unit}]": (WATCHED[signal.role], np.stack([record.values[i, :samples] for record in records]))
        for i, signal in enumerate(first)
        if signal.role in WATCHED
    }
    if all(INTERVENTIONS in record.kpis for record in records):
        rates = np.array([[record.kpis[INTERVENTIONS]] for record in records])
        found[f"{INTERVENTIONS} [% of decisions]"] = ("intervention", rates)
    return found


def references(records: Sequence[EpisodeRecord]) -> dict[str, Histogram]:
    """Return the histograms of a champion's episodes, by signal."""
    return {name: reference(values) for name, (_, values) in signals(records).items()}


def drifts(expected: Mapping[str, Histogram], records: Sequence[EpisodeRecord]) -> list[Drift]:
    """Return how far every signal that both know has moved, the farthest first."""
    found = []
    for name, (what, values) in signals(records).items():
        if name in expected:
            found.append(Drift(name, what, *psi(expected[name], along(expected[name].edges, values))))
    return sorted(found, key=lambda drift: -drift.psi)
