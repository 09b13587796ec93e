"""The shield's estimator follows what no instrument shows, at no more error than the filter, and bears readings that fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from benchmarks.estimators import errors
from controller.safety.adversaries import channels, command, mixed
from controller.safety.estimator import WILD, Estimator, Gain, Unknowns, corrected, filled
from controller.safety.field import Field, Reading, unmoved
from controller.safety.learning_gain import Known, learn
from plant_models.catalogue import get
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.scenario import Episodes
from tests.safety import SHIELDED, episodes, quiet

N = 16
shielded = pytest.mark.parametrize("name", SHIELDED)


@cache
def learned(name: str) -> Known:
    return learn(get(name), get(name).scenario(), n=256)


@dataclass(frozen=True)
class Course:
    """Estimates, states and the surprises of each decision, (decisions, plants, ...), as shares of half a range."""

    states: Array
    surprises: Array
    z: Array
    episodes: Episodes

    def off(self, first: int) -> float:
        """Return the root mean square error of the states from a decision on."""
        return float(np.sqrt((self.states[first:] ** 2).mean()))


def unchanged(k: int, reading: Reading) -> Reading:
    return reading


def run(
    drawn: Episodes, gain: Gain, steps: int, shown: Callable[[int, Reading], Reading] = unchanged, moving: bool = True
) -> Course:
    """Run plants beside their estimator, which reads what ``shown(k, reading)`` returns."""
    plant, n = drawn.plant, len(drawn)
    field, estimator = Field(plant, drawn), Estimator(plant, n, gain)
    moves = mixed(n, steps, channels(plant), np.random.default_rng(0))
    half = np.array([q.half_range for q in plant.State.quantities().values()])
    spans = np.array([q.half_range for q in plant.Output.quantities().values()])
    reading = shown(0, field.read())
    estimator.begin(np.arange(n), reading)
    states, surprises, z = [], [], []
    for k in range(steps):
        surprises.append(estimator.surprise(reading) / spans)
        z.append(estimator.correct(reading).copy())
        states.append((z[-1][:, : len(half)] - field.simulator.S.read("x").T) / half)
        sent = command(plant, moves[:, k]) if moving else unmoved(field)
        estimator.predict(estimator.standing(reading), sent)
        field.command(sent)
        reading = shown(k + 1, field.read())
    return Course(np.array(states), np.array(surprises), np.array(z), drawn)


def offset(plant: Plant, n: int) -> Episodes:
    """Return plants without noise whose uncertain parameters all stand at an end of their range."""
    drawn = quiet(plant, n)
    half = np.array([q.uncertain for q in plant.Parameter.quantities().values()])
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (n, len(half)))
    return drawn.under(np.array(list(plant.Parameter.nominal())) * (1.0 + signs * half))


@shielded
def test_what_is_off_in_the_plant_leaves_no_lasting_offset_in_the_outputs(name: str) -> None:
    """Without noise, under steady commands: outputs come to be as expected, within their noise and a fifth of what it was."""
    plant, gain = get(name), learned(name).gain
    noise = np.array([q.noise / q.half_range for q in plant.Output.quantities().values()])
    kept, without = (run(offset(plant, N), g, 60, moving=False) for g in (gain, Gain(np.zeros_like(gain.K), gain.surprise)))
    settled, never = (np.abs(course.surprises[50:].mean(axis=0)).max(axis=0) for course in (kept, without))
    assert (settled < noise).all()
    assert (settled < 0.2 * never).all()
    assert (np.abs(kept.surprises[55:]).max(axis=(0, 1)) < np.abs(kept.surprises[15:20]).max(axis=(0, 1))).all()


@shielded
def test_it_is_nearly_as_good_as_the_filter(name: str) -> None:
    found = errors(get(name), learned(name).gain, 32)
    assert found["learned"].rms <= 1.5 * found["filter"].rms
    assert found["learned"].rms < 0.03


@shielded
def test_the_error_that_was_measured_is_that_of_other_episodes(name: str) -> None:
    """Of a hundred errors at most three are larger than 99 of a hundred were, on episodes that nobody has seen."""
    plant, known = get(name), learned(name)
    course = run(episodes(plant, 64, seed=9), known.gain, 40)
    half = np.array([q.half_range for q in plant.State.quantities().values()])
    bound = known.error[np.minimum(np.arange(40), len(known.error) - 1)][:, None, : len(half)]
    beyond = (np.abs(course.states * half) > bound).mean(axis=(0, 1))
    assert (beyond <= 0.03).all()


@shielded
def test_each_phase_has_its_gain(name: str) -> None:
    gain = learned(name).gain
    assert len(gain.K) == len(gain.surprise) == 10
    first = np.arange(len(gain.K))
    for phase in (*first, 25):
        one = np.full((1, gain.K.shape[2]), 1e-6) * gain.surprise[min(phase, 9)]
        unknowns = Unknowns.of(get(name))
        z = 0.5 * (unknowns.low + unknowns.high)[None]
        moved = corrected(gain, unknowns, z, one, np.array([phase]))
        np.testing.assert_allclose(moved - z, one @ gain.K[min(phase, 9)].T, rtol=1e-3, atol=1e-18)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_reading_that_is_none_moves_nothing(bad: float) -> None:
    gain, unknowns = learned("exothermic_cstr").gain, Unknowns.of(get("exothermic_cstr"))
    z, phase = np.tile(unknowns.nominal, (2, 1)), np.array([3, 3])
    surprise = np.array([[0.001, bad], [0.001, 0.0]])
    np.testing.assert_array_equal(*corrected(gain, unknowns, z, surprise, phase))


def test_a_wild_reading_counts_as_five_deviations() -> None:
    gain, unknowns = learned("exothermic_cstr").gain, Unknowns.of(get("exothermic_cstr"))
    z, phase, sigma = np.tile(unknowns.nominal, (3, 1)), np.full(3, 4), gain.surprise[4]
    surprise = np.array([[0.0, 1e12], [0.0, WILD * sigma[1]], [0.0, -WILD * sigma[1]]])
    wild, most, least = corrected(gain, unknowns, z, surprise, phase)
    np.testing.assert_array_equal(wild, most)
    assert wild[1] > z[0, 1] > least[1]


def test_an_estimate_stays_physical() -> None:
    """Within what is valid of states and what is declared of disturbances and parameters, whatever the gain says."""
    gain, unknowns = learned("exothermic_cstr").gain, Unknowns.of(get("exothermic_cstr"))
    steep = Gain(gain.K * 1e9, gain.surprise)
    for sign in (-1.0, 1.0):
        moved = corrected(steep, unknowns, unknowns.nominal[None], sign * gain.surprise[:1], np.array([0]))
        assert ((moved >= unknowns.low) & (moved <= unknowns.high)).all()
    broken = Gain(np.full_like(gain.K, np.nan), gain.surprise)
    np.testing.assert_array_equal(
        corrected(broken, unknowns, unknowns.nominal[None], gain.surprise[:1], np.array([0])), unknowns.nominal[None]
    )


def test_what_is_hidden_is_filled_in_and_what_is_read_is_kept() -> None:
    plant = get("exothermic_cstr")
    unknowns = Unknowns.of(plant)
    assert (unknowns.disturbances, unknowns.parameters) == ((1,), (6, 7))
    z = np.array([[0.9, 320.0, 1.01, 7.3e10, 4.9e4]])
    d, p = filled(plant, unknowns, z, np.array([[351.0, np.nan]]))
    assert d.tolist() == [[351.0, 1.01]]
    nominal = np.array(list(plant.Parameter.nominal()))
    nominal[[6, 7]] = 7.3e10, 4.9e4
    assert p.tolist() == [nominal.tolist()]
    d, _ = filled(plant, unknowns, z, np.array([[np.inf, np.nan]]))
    assert d.tolist() == [[350.0, 1.01]]


FAILURES: dict[str, Callable[[int, Reading], Reading]] = {
    "one instrument after the other": lambda k, r: blank(r, np.arange(r.y.shape[1]) == (k // 5) % r.y.shape[1]),
    "all, a fifth of the time": lambda k, r: blank(r, np.full(r.y.shape[1], k % 5 == 2)),
    "none at the start": lambda k, r: blank(r, np.full(r.y.shape[1], k < 3)),
    "wild": lambda k, r: replace(r, y=r.y + (1e6 if k % 11 == 5 else 0.0)),
    "inputs that are no numbers": lambda k, r: replace(r, u=r.u + (np.nan if k % 11 == 5 else 0.0)),
    "a memory that is none": lambda k, r: replace(r, memory=np.where(k % 11 == 5, np.inf, r.memory)),
    "disturbances off the scale": lambda k, r: replace(r, d=np.where(k % 11 == 5, 1e308, r.d)),
}


def blank(reading: Reading, which: Array) -> Reading:
    return replace(reading, y=np.where(which, np.nan, reading.y))


@shielded
@pytest.mark.parametrize("kind", FAILURES)
def test_readings_that_fail_are_borne(name: str, kind: str) -> None:
    plant, gain = get(name), learned(name).gain
    sound = run(episodes(plant, N), gain, 45).off(20)
    failing = run(episodes(plant, N), gain, 45, FAILURES[kind])
    assert np.isfinite(failing.z).all()
    assert failing.off(20) < 8.0 * sound


def test_without_any_reading_it_goes_on_by_the_equations() -> None:
    plant, gain = get("exothermic_cstr"), learned("exothermic_cstr").gain
    blind = run(episodes(plant, N), gain, 45, lambda k, r: r if k < 40 else blank(r, np.full(r.y.shape[1], fill_value=True)))
    assert blind.off(40) < 0.2


def test_an_episode_begins_for_some_plants_only() -> None:
    """Those that begin know nothing; the others go on as if nothing had happened."""
    plant, gain = get("exothermic_cstr"), learned("exothermic_cstr").gain
    field = Field(plant, episodes(plant, 4))
    estimator, other = Estimator(plant, 4, gain), Estimator(plant, 4, gain)
    reading = field.read()
    for each in (estimator, other):
        each.begin(np.arange(4), reading)
    for _ in range(6):
        for each in (estimator, other):
            each.correct(reading)
            each.predict(each.standing(reading), unmoved(field))
        field.command(unmoved(field))
        reading = field.read()
    estimator.begin(np.array([1, 3]), reading)
    assert (estimator.z[[1, 3]] == estimator.unknowns.nominal).all()
    np.testing.assert_allclose(estimator.surprise(reading)[[1, 3]], reading.y[[1, 3]] - [0.877, 324.5], atol=1e-12)
    np.testing.assert_array_equal(estimator.surprise(reading)[[0, 2]], other.surprise(reading)[[0, 2]])
    fresh = Estimator(plant, 2, gain)
    fresh.begin(np.arange(2), reading.of(np.array([1, 3])))
    found, going, new = estimator.correct(reading), other.correct(reading), fresh.correct(reading.of(np.array([1, 3])))
    np.testing.assert_array_equal(found[[0, 2]], going[[0, 2]])
    np.testing.assert_array_equal(found[[1, 3]], new)
