"""The stability index: numbers worked out by hand, what chance alone brings, and what a shift of known size brings."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from controller.drift import ACT, Drift, Histogram, along, drifts, independent, psi, reference, references
from controller.records import EpisodeRecord, Signal
from plant_models.core.scenario import Array

MANY = 1e12


def pairs_of(n: int, shift: float = 0.0, repeats: int = 200) -> tuple[Array, Array]:
    """Return index and chance of samples of a normal distribution against a shifted one, n of each."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(repeats):
        expected = reference(rng.normal(size=(n, 1)))
        found.append(
            psi(replace(expected, n=math.inf), replace(along(expected.edges, shift + rng.normal(size=(n, 1))), n=math.inf))
        )
    return np.array(found).T[0], np.array([9.0 * 2.0 / n])


def test_index_is_the_sum_over_bins() -> None:
    expected, found = Histogram((0.0,), (0.5, 0.5), MANY), Histogram((0.0,), (0.6, 0.4), MANY)
    assert psi(expected, found)[0] == pytest.approx(0.1 * math.log(1.2) - 0.1 * math.log(0.8))


def test_chance_is_taken_off() -> None:
    expected, found = Histogram((0.0,), (0.5, 0.5), 200.0), Histogram((0.0,), (0.6, 0.4), 50.0)
    index, chance = psi(expected, found)
    assert chance == pytest.approx(1.0 / 200.0 + 1.0 / 50.0)
    assert index == pytest.approx(0.1 * math.log(1.5) - 0.025)


@pytest.mark.parametrize(("n", "measured"), [(100, 0.196), (300, 0.060), (1000, 0.018)])
def test_what_chance_brings_is_what_the_correction_takes_off(n: int, measured: float) -> None:
    """Uncorrected, a hundred samples without any shift would ask for a look every time."""
    raw, chance = pairs_of(n)
    assert raw.mean() == pytest.approx(measured, rel=0.12)
    assert raw.mean() == pytest.approx(chance[0], rel=0.2)


@pytest.mark.parametrize(("shift", "measured"), [(0.3, 0.091), (0.5, 0.247)])
def test_half_a_standard_deviation_is_where_action_begins(shift: float, measured: float) -> None:
    raw, _ = pairs_of(20_000, shift, repeats=10)
    assert raw.mean() == pytest.approx(measured, rel=0.05)


def test_a_constant_has_a_bin_of_its_own() -> None:
    expected = reference(np.full((100, 1), 7.0))
    assert psi(expected, along(expected.edges, np.full((100, 1), 7.0)))[0] == 0.0
    for other in (6.999, 7.001):
        assert psi(expected, along(expected.edges, np.full((100, 1), other)))[0] > ACT


def test_an_action_often_at_its_end_has_a_bin_there() -> None:
    rng = np.random.default_rng(1)
    clipped = np.clip(rng.normal(size=(1000, 1)), -0.5, 0.5)
    expected = reference(clipped)
    assert psi(expected, along(expected.edges, np.clip(rng.normal(size=(1000, 1)), -0.5, 0.5)))[0] < 0.02
    assert psi(expected, along(expected.edges, np.clip(clipped, -0.49, 0.49)))[0] > ACT


def test_samples_of_one_episode_count_as_what_their_scatter_says() -> None:
    rng = np.random.default_rng(2)
    alone = rng.normal(size=(200, 50))
    assert independent(alone) == pytest.approx(200 * 50, rel=0.2)
    assert independent(np.repeat(rng.normal(size=(200, 1)), 50, axis=1)) == pytest.approx(200, rel=0.05)


@pytest.mark.parametrize(
    ("index", "chance", "verdict"),
    [
        (0.05, 0.01, "ok"),
        (0.2, 0.01, "warn"),
        (0.3, 0.01, "act"),
        (0.05, 0.2, "too few"),
        (0.3, 0.2, "act"),
        (math.nan, 0.0, "act"),
    ],
)
def test_verdicts(index: float, chance: float, verdict: str) -> None:
    assert Drift("T [K]", "observation", index, chance).verdict == verdict


def record(values: Array, kpis: dict[str, float] | None = None) -> EpisodeRecord:
    """Return a record of two signals, of which a limit is none that is watched."""
    signals = (Signal("T", "K", "pv"), Signal("T_max", "K", "limit_high"))
    return EpisodeRecord(
        "p", "ppo", "tracking 1", 0, kpis or {}, "completed", np.arange(len(values)), "min", signals, np.stack([values, values])
    )


def test_a_shifted_signal_is_found_by_name_and_limits_are_not_watched() -> None:
    rng = np.random.default_rng(3)
    kept = references([record(rng.normal(size=50), {"interventions": 0.0}) for _ in range(100)])
    assert set(kept) == {"T [K]", "interventions [% of decisions]"}
    same = drifts(kept, [record(rng.normal(size=50), {"interventions": 0.0}) for _ in range(100)])
    assert [d.verdict for d in same] == ["ok", "ok"]
    moved = drifts(kept, [record(1.0 + rng.normal(size=40), {"interventions": 5.0}) for _ in range(100)])
    assert {d.name: d.verdict for d in moved} == {"T [K]": "act", "interventions [% of decisions]": "act"}
    assert [d.psi for d in moved] == sorted([d.psi for d in moved], reverse=True)


def test_a_reference_survives_being_kept() -> None:
    histogram = reference(np.random.default_rng(4).normal(size=(30, 5)))
    assert Histogram.of_json(histogram.as_json()) == histogram
