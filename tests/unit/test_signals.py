"""Whatever an instrument shows, what is used is a measurement; and every fault of an instrument is found, noise is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from controller.baselines import Pid, Replay
from controller.rollout import rollout
from controller.safety import ne107, signal_limits
from controller.safety.cusum import FULL, LIMITS, MEAN_SCATTER, SLACK, WILD, summed
from controller.safety.instrument import NOISE, OVER, RESOLUTION, UNDER, Instruments
from controller.safety.ne107 import FATAL, TESTS, Reason, Status, said, statuses
from controller.safety.signals import CURRENT, HELD, NEVER, STILL, Findings, Memory, begin, validate
from plant_models.catalogue import get
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.env.scenario import draw

TRUE = np.array([50.0, 350.0])
NOISES = np.array([0.5, 0.1])
WIDE = (-np.inf, np.inf)
TINY = float(np.finfo(float).tiny)


def instruments(noise: Array = NOISES, valid: tuple[float, float] = WIDE, rate: float = 4.0) -> Instruments:
    """A level of 0 to 100 % and a temperature of 300 to 400 K, which move by up to 4 in a decision."""
    two = np.ones(2)
    return Instruments(("LI-1", "TI-1"), TRUE.copy(), np.array([0.0, 300.0]), np.array([100.0, 400.0]), valid[0] * two,
                       valid[1] * two, noise.copy(), rate * two)  # fmt: skip


EXACT = instruments(noise=np.zeros(2))


def step(
    of: Instruments, memory: Memory, y: object, age: float = 0.0, expected: object = TRUE, spread: object = NOISES
) -> tuple[Memory, Findings]:
    """Validate one sample of as many plants as are remembered; numbers are spread over plants and outputs."""
    shape = memory.last.shape
    return validate(of, memory, *(np.broadcast_to(np.asarray(part, dtype=float), shape) for part in (y, age, expected, spread)))


def settled(of: Instruments | None = None, n: int = 1, y: Array = TRUE) -> Memory:
    """What is remembered after one good reading."""
    return step(of or instruments(), begin(of or instruments(), n), y, expected=y)[0]


def readings(rng: np.random.Generator, n: int, samples: int, true: Array | float = TRUE, noise: Array = NOISES) -> Array:
    return true + noise * rng.standard_normal((samples, n, 2))


def watch(of: Instruments, y: Array, expected: Array | None = None, spread: Array = NOISES) -> tuple[Memory, list[Findings]]:
    """Validate readings (samples, n, 2) one after another, by default against the true value."""
    memory, found = begin(of, y.shape[1]), []
    for k in range(len(y)):
        memory, each = step(of, memory, y[k], expected=TRUE if expected is None else expected[k], spread=spread)
        found.append(each)
    return memory, found


# --- what is always so ---------------------------------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.floats(),
    st.floats(-20.0, 420.0),
    st.sampled_from([np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, -5e-324, 0.0, -0.0, 50.0, 350.0]),
)
SAMPLES = st.lists(st.tuples(*[st.tuples(NUMBERS, NUMBERS)] * 4), min_size=1, max_size=30)


@given(SAMPLES, st.sampled_from([0.0, 0.5]), st.sampled_from([WIDE, (0.0, 390.0)]))
def test_what_is_used_is_a_measurement_whatever_comes(
    samples: list[tuple[tuple[float, float], ...]], noise: float, valid: tuple[float, float]
) -> None:
    of = instruments(noise=np.full(2, noise), valid=valid)
    memory = begin(of, 1)
    for y, age, expected, spread in samples:
        memory, found = validate(of, memory, [y], [age], [expected], [spread])
        kept = [found.used, memory.last, memory.sums, memory.run.first, memory.run.low, memory.run.high]
        assert all(np.isfinite(part).all() for part in kept)
        assert (of.lowest <= found.used).all()
        assert (found.used <= of.highest).all()
        assert ((found.used == 0.0) | (np.abs(found.used) >= TINY)).all()
        assert ((found.status == Status.GOOD) == (found.reason == Reason.NONE)).all()
        assert not found.status[~np.isfinite([y])].any() or (found.status[~np.isfinite([y])] == Status.FAILURE).all()


@given(SAMPLES)
def test_plants_and_outputs_are_judged_alone_and_the_memory_is_left_as_it_was(
    samples: list[tuple[tuple[float, float], ...]],
) -> None:
    rows = np.array(samples)
    of, both = instruments(), begin(instruments(), len(rows))
    before = [part.copy() for part in (both.last, both.age, both.run.first, both.run.count, both.sums, both.lasted)]
    together = validate(of, both, *rows.transpose(1, 0, 2))[1]
    for part, kept in zip((both.last, both.age, both.run.first, both.run.count, both.sums, both.lasted), before, strict=True):
        np.testing.assert_array_equal(part, kept)
    for i, row in enumerate(rows):
        alone = validate(of, begin(of, 1), *row[:, None])[1]
        for name in ("status", "reason", "used"):
            np.testing.assert_array_equal(getattr(together, name)[i], getattr(alone, name)[0])


def test_a_shape_that_is_another_is_refused() -> None:
    of = instruments()
    with pytest.raises(ValueError, match="shape"):
        validate(of, begin(of, 2), np.zeros(2), *np.zeros((3, 2, 2)))
    with pytest.raises(ValueError, match="could not convert"):
        validate(of, begin(of, 1), [["a", "b"]], *np.zeros((3, 1, 2)))


@pytest.mark.parametrize(
    "wrong",
    [{"low": np.array([np.nan, 0.0])}, {"high": np.array([0.0, 400.0])}, {"noise": np.array([-0.1, 0.1])},
     {"rate": np.zeros(2)}, {"rate": np.array([0.0, 4.0])}, {"rate": np.full(2, np.inf)},
     {"nominal": np.array([-2.0, 350.0])}, {"nominal": np.array([50.0, 404.0])},
     {"low": np.array([50.0, 300.0]), "high": np.array([50.0, 400.0])}],
)  # fmt: skip
def test_instruments_out_of_order_are_refused(wrong: dict[str, Array]) -> None:
    with pytest.raises(ValueError, match="LI-1"):
        replace(instruments(), **wrong)


def test_instruments_on_the_edge_are_allowed_and_cannot_be_written() -> None:
    of = instruments()
    assert replace(of, nominal=of.lowest).nominal[0] == of.lowest[0]
    assert replace(of, nominal=of.highest).nominal[0] == of.highest[0]
    with pytest.raises(ValueError, match="read-only"):
        of.rate[0] = 5.0


# --- one test after another ----------------------------------------------------------------------------------------------------


def reason_of(of: Instruments, memory: Memory, y: float, **given: object) -> Reason:
    """What is found of the first instrument, the second being good."""
    found = step(of, memory, [y, TRUE[1]], **given)[1]
    assert found.status[0, 1] == Status.GOOD
    return Reason(int(found.reason[0, 0]))


@pytest.mark.parametrize("y", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_a_failure(y: float) -> None:
    assert reason_of(instruments(), settled(), y) == Reason.NOT_FINITE


@pytest.mark.parametrize(("y", "good"), [(-1.25, True), (103.1, True), (-1.26, False), (103.11, False), (1e308, False)])
def test_the_range_is_that_of_ne_43(y: float, good: bool) -> None:
    of = instruments(rate=1000.0)
    reason = reason_of(of, settled(of), y, expected=[np.clip(y, 0.0, 100.0), TRUE[1]], spread=10.0)
    assert reason == (Reason.NONE if good else Reason.OUT_OF_RANGE)


def test_physics_narrows_the_range_but_for_noise() -> None:
    of = instruments(valid=(0.0, 390.0))
    np.testing.assert_allclose(of.lowest, [-UNDER * 100.0, 300.0 - UNDER * 100.0])
    np.testing.assert_allclose(of.highest, [100.0 + OVER * 100.0, 390.0 + NOISE * NOISES[1]])
    np.testing.assert_allclose(instruments(valid=(10.0, 390.0)).lowest[0], 10.0 - NOISE * NOISES[0])


@pytest.mark.parametrize("sign", [-1.0, 1.0])
@pytest.mark.parametrize("missed", [0, 1, 5])
def test_a_reading_moves_no_faster_than_the_plant_can(sign: float, missed: int) -> None:
    """A reading that was missed gives the plant the more time to move; without noise the limit is the rate itself."""
    memory, far = settled(EXACT), 4.0 * (missed + 1)
    for _ in range(missed):
        memory = step(EXACT, memory, [np.nan, TRUE[1]])[0]
    near = TRUE[0] + sign * np.array([far, far + 1e-9])
    assert reason_of(EXACT, memory, near[0], expected=[near[0], TRUE[1]]) == Reason.NONE
    assert reason_of(EXACT, memory, near[1], expected=[near[1], TRUE[1]]) == Reason.TOO_FAST


def test_noise_of_two_readings_is_no_rate() -> None:
    of, far = instruments(), 4.0 + NOISE * np.sqrt(2.0) * NOISES[0]
    y = TRUE[0] + far * np.array([1.0 - 1e-9, 1.0 + 1e-9])
    assert reason_of(of, settled(), y[0], expected=[y[0], TRUE[1]]) == Reason.NONE
    assert reason_of(of, settled(), y[1], expected=[y[1], TRUE[1]]) == Reason.TOO_FAST


def test_the_first_reading_may_be_anywhere() -> None:
    of = instruments(rate=1e-3)
    assert begin(of, 1).age[0, 0] == NEVER
    for y in (0.0, 100.0):
        assert reason_of(of, begin(of, 1), y, expected=[y, TRUE[1]]) == Reason.NONE


@pytest.mark.parametrize(("age", "good"), [(0.0, True), (CURRENT, True), (-CURRENT, True), (2.01, False), (-2.01, False),
                                           (np.nan, False), (np.inf, False)])  # fmt: skip
def test_a_time_stamp_is_at_most_two_periods_from_now(age: float, good: bool) -> None:
    found = step(instruments(), settled(), TRUE + 0.1, age=age)[1]
    assert (found.reason == (Reason.NONE if good else Reason.STALE)).all()


@pytest.mark.parametrize(("expected", "spread"), [(np.nan, 1.0), (np.inf, 1.0), (50.0, np.nan), (50.0, np.inf), (50.0, 0.0),
                                                  (50.0, -1.0), (50.0, 100.1)])  # fmt: skip
def test_a_model_that_says_nothing_leaves_a_reading_in_doubt(expected: float, spread: float) -> None:
    memory, found = step(instruments(), settled(), [50.1, 350.0], expected=[expected, 350.0], spread=[spread, 0.1])
    assert found.reason.tolist() == [[Reason.UNCHECKED, Reason.NONE]]
    assert found.status[0, 0] == Status.OUT_OF_SPECIFICATION
    assert found.used[0, 0] == 50.1
    assert (memory.sums[0, 0] == settled().sums[0, 0]).all()
    assert not step(instruments(), settled(), TRUE, spread=100.0)[1].status.any()
    assert (step(instruments(), settled(), TRUE, spread=100.1)[1].reason == Reason.UNCHECKED).all()


def test_a_prediction_is_no_surer_than_its_instrument() -> None:
    memory = step(instruments(), settled(), TRUE + 2.0 * NOISES, spread=1e-12)[0]
    np.testing.assert_allclose(memory.sums[0, :, 0], 2.0 - SLACK)
    exact = step(EXACT, settled(EXACT), TRUE + 2.0 * RESOLUTION * 100.0, spread=1e-300)[0]
    np.testing.assert_allclose(exact.sums[0, :, 0], 2.0 - SLACK)
    np.testing.assert_allclose(step(instruments(), settled(), TRUE + 2.0, spread=1.0)[0].sums[0, :, 0], 2.0 - SLACK)


def test_a_reading_that_fails_tells_nothing_of_bias() -> None:
    memory = settled()
    for y in ([np.nan, 500.0], [80.0, 320.0]):
        after = step(instruments(), memory, y)[0]
        np.testing.assert_array_equal(after.sums, memory.sums)


def test_the_first_test_failed_is_named_and_every_one_is_counted() -> None:
    memory, of = settled(), instruments()
    for k in range(1, 4):
        memory, found = step(of, memory, [np.nan, 99.0], age=9.0, expected=np.nan)
        assert found.reason.tolist() == [[Reason.NOT_FINITE, Reason.OUT_OF_RANGE]]
        both = {Reason.OUT_OF_RANGE, Reason.STALE, Reason.UNCHECKED}
        for i, failed in enumerate((both | {Reason.NOT_FINITE}, both)):
            assert memory.lasted[0, i].tolist() == [k * (reason in failed) for reason in list(Reason)[1:]]
        assert found.status.tolist() == [[Status.FAILURE, Status.FAILURE]]
    assert not step(of, memory, TRUE)[0].lasted.any()


# --- the value to go on with ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [1, 2, 3, 4, 30])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e308, -1e308])
def test_f1_the_last_good_value_is_held_for_three_samples_then_the_model_stands_in(missing: int, wrong: float) -> None:
    memory, of, good = settled(), instruments(), TRUE + 0.3
    memory = step(of, memory, good)[0]
    for k in range(1, missing + 1):
        memory, found = step(of, memory, wrong, expected=TRUE - 0.2)
        assert (found.status == Status.FAILURE).all()
        np.testing.assert_array_equal(found.used[0], good if k <= HELD else TRUE - 0.2)
        assert (memory.age == k).all()
    memory, found = step(of, memory, TRUE + 0.1)
    assert (found.status == Status.GOOD).all()
    assert (memory.age == 0).all()
    np.testing.assert_array_equal(found.used[0], TRUE + 0.1)


def test_before_anything_is_read_the_model_stands_in_and_without_a_model_the_nominal_value() -> None:
    np.testing.assert_array_equal(
        step(instruments(), begin(instruments(), 1), np.nan, expected=[40.0, 360.0])[1].used, [[40, 360]]
    )
    np.testing.assert_array_equal(step(instruments(), begin(instruments(), 1), np.nan, expected=np.nan)[1].used[0], TRUE)


def test_an_expectation_beyond_the_range_is_used_at_its_end() -> None:
    of = instruments()
    np.testing.assert_array_equal(step(of, begin(of, 1), np.nan, expected=1e308)[1].used[0], of.highest)
    np.testing.assert_array_equal(step(of, begin(of, 1), np.nan, expected=-1e308)[1].used[0], of.lowest)


@pytest.mark.parametrize(("y", "used"), [(5e-324, 0.0), (-5e-324, 0.0), (0.5 * TINY, 0.0), (TINY, TINY), (-TINY, -TINY)])
def test_denormal_readings_are_zero(y: float, used: float) -> None:
    of = instruments(rate=1000.0)
    assert step(of, settled(of), [y, 350.0], expected=[0.0, 350.0])[1].used[0, 0] == used
    assert step(of, begin(of, 1), np.nan, expected=[y, 350.0])[1].used[0, 0] == used


# --- frozen --------------------------------------------------------------------------------------------------------------------


def frozen(of: Instruments, count: int, wobble: float = 0.0, drift: float = 0.0) -> bool:
    """Whether a reading that is repeated so often, while the model's expectation moves by ``drift`` in all, is frozen."""
    memory, expected = begin(of, 1), TRUE[0] + drift * np.linspace(0.0, 1.0, max(count, 2))
    for k in range(count):
        y = [TRUE[0] + wobble * (k % 2), TRUE[1] + 0.1 * (-1) ** k]
        memory, found = step(of, memory, y, expected=[expected[k], TRUE[1]], spread=[1.0, 0.1])
    assert (found.reason[0, 0] == Reason.FROZEN) == (memory.lasted[0, 0, Reason.FROZEN - 1] == 1)
    return bool(found.reason[0, 0] == Reason.FROZEN)


@pytest.mark.parametrize(("wobble", "held"), [(0.0, True), (0.0049, True), (-0.0049, True), (0.0051, False), (-0.0051, False)])
def test_an_instrument_with_noise_is_frozen_once_twenty_readings_are_identical(wobble: float, held: bool) -> None:
    assert not frozen(instruments(), STILL - 1, wobble)
    assert frozen(instruments(), STILL, wobble) == held


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_one_without_noise_is_frozen_only_where_the_model_moves_by_three_deviations(sign: float) -> None:
    assert not frozen(EXACT, STILL, drift=sign * 3.0)
    assert frozen(EXACT, STILL, drift=sign * 3.01)
    assert not frozen(EXACT, STILL - 1, drift=sign * 3.01)
    assert not frozen(EXACT, 200)


def test_what_the_model_did_before_the_run_does_not_freeze_an_instrument() -> None:
    memory = step(EXACT, begin(EXACT, 1), TRUE - 1.0, expected=TRUE - 10.0)[0]
    for _ in range(STILL):
        memory, found = step(EXACT, memory, TRUE, spread=1.0)
    assert not found.status.any()
    for _ in range(2):
        memory, found = step(EXACT, memory, TRUE, expected=np.nan)
    assert (found.reason == Reason.UNCHECKED).all()


def test_what_is_no_measurement_neither_ends_nor_lengthens_a_run() -> None:
    memory, of = begin(instruments(), 1), instruments()
    for k in range(STILL - 1):
        memory = step(of, memory, TRUE)[0]
        memory = step(of, memory, np.nan if k % 2 else 1e6)[0]
    assert (memory.run.count == STILL - 1).all()
    memory, found = step(of, memory, TRUE)
    assert (found.reason == Reason.FROZEN).all()
    memory, found = step(of, memory, TRUE + 0.01)
    assert (found.status == Status.GOOD).all()
    assert (memory.run.count == 1).all()


# --- the cumulative sums -------------------------------------------------------------------------------------------------------


def test_the_sums_are_pages() -> None:
    z = np.array([0.0, 1.0, -1.0, 3.0, -30.0, 30.0])
    found = summed(np.full((6, 3), 2.0), z)
    wild = np.array([0.0, 1.0, -1.0, 3.0, -WILD, WILD])
    plain = np.stack([1.5 + wild, 1.5 - wild, 1.5 + np.abs(wild) - MEAN_SCATTER], axis=1)
    np.testing.assert_allclose(found, np.maximum(plain, 0.0))
    np.testing.assert_allclose(summed(np.zeros((1, 3)), np.zeros(1)), 0.0)
    np.testing.assert_allclose(summed(FULL * LIMITS[None], np.array([5.0]))[0, [0, 2]], FULL * LIMITS[[0, 2]])


def run_length(limit: float, cdf: Callable[[Array], Array], cells: int = 800) -> float:
    """Mean samples until a sum from zero exceeds its limit (Brook and Evans 1972); ``cdf`` is that of a step."""
    width = 2.0 * limit / (2 * cells - 1)
    ends = width * (np.arange(cells)[None, :] - np.arange(cells)[:, None] + 0.5)
    moves = cdf(ends) - np.where(np.arange(cells) > 0, cdf(ends - width), 0.0)
    return float(np.linalg.solve(np.eye(cells) - moves, np.ones(cells))[0])


def bias(step: Array) -> Array:
    return np.asarray(norm.cdf(step + SLACK))


def scatter(step: Array) -> Array:
    return np.maximum(2.0 * norm.cdf(step + SLACK + MEAN_SCATTER) - 1.0, 0.0)


def test_false_alarms_are_as_rare_as_is_said() -> None:
    assert run_length(5.0, bias) == pytest.approx(930.9, rel=1e-3)
    assert run_length(5.0, scatter) == pytest.approx(7.2e4, rel=0.02)
    up, both = run_length(float(LIMITS[0]), bias), run_length(float(LIMITS[2]), scatter)
    assert up == pytest.approx(1.04e6, rel=0.01)
    assert both == pytest.approx(4.8e5, rel=0.01)
    assert 1.0 / (2.0 / up + 1.0 / both) == pytest.approx(2.5e5, rel=0.01)


@pytest.mark.parametrize(("column", "cdf"), [(0, bias), (1, bias), (2, scatter)])
def test_the_simulated_run_length_is_that_of_the_chain(column: int, cdf: Callable[[Array], Array]) -> None:
    """At half the limit, where alarms are many enough to be counted."""
    rng, limit, n, samples = np.random.default_rng(column), 0.5 * LIMITS[column], 1000, 4000
    sums, alarms = np.zeros((n, 3)), 0
    for _ in range(samples):
        sums = summed(sums, rng.standard_normal(n))
        over = sums[:, column] > limit
        alarms += int(over.sum())
        sums[over] = 0.0
    assert n * samples / alarms == pytest.approx(run_length(float(limit), cdf), rel=0.1)


def test_noise_alone_raises_nothing_over_a_hundred_thousand_samples() -> None:
    y = readings(np.random.default_rng(0), 50, 1000)
    memory, found = watch(instruments(), y)
    assert not np.any([each.status for each in found])
    np.testing.assert_array_equal(np.array([each.used for each in found]), y)
    assert not memory.lasted.any()


def test_noise_alone_raises_alarms_at_the_documented_rate() -> None:
    """In a million samples four are due, and more than ten in three of a thousand such runs."""
    y = readings(np.random.default_rng(1), 1000, 500)
    _, found = watch(instruments(), y)
    raised = np.array([each.status for each in found]) > Status.GOOD
    onsets = int((raised[1:] & ~raised[:-1]).sum() + raised[0].sum())
    assert onsets <= 10
    assert {int(r) for each in found for r in np.unique(each.reason)} <= {
        0,
        Reason.READS_HIGH,
        Reason.READS_LOW,
        Reason.SCATTERED,
    }


@pytest.mark.parametrize(("size", "reason"), [(1.0, Reason.READS_HIGH), (-1.0, Reason.READS_LOW)])
def test_a_bias_of_one_deviation_is_found_and_forgotten_once_it_is_gone(size: float, reason: Reason) -> None:
    y = readings(np.random.default_rng(2), 200, 300)
    y[:200] += size * NOISES
    _, found = watch(instruments(), y)
    reasons = np.array([each.reason for each in found])
    first = (reasons > 0).argmax(axis=0)
    assert np.mean(np.take_along_axis(reasons, first[None], axis=0) == reason) > 0.9
    assert np.mean(first) + 1.0 == pytest.approx(24.3, rel=0.05)  # D. Siegmund, Sequential analysis, Springer 1985
    status = np.array([each.status for each in found])
    assert (status == np.where(reasons > 0, Status.OUT_OF_SPECIFICATION, Status.GOOD)).all()
    np.testing.assert_array_equal(np.array([each.used for each in found]), y)
    assert (reasons[200] > 0).mean() > 0.9
    assert (reasons[250:] > 0).mean() < 1e-3


def test_scatter_is_found() -> None:
    _, found = watch(instruments(), readings(np.random.default_rng(3), 200, 60, noise=2.0 * NOISES))
    reasons = np.array([each.reason for each in found])
    assert (reasons == Reason.SCATTERED).any(axis=0).mean() > 0.95
    assert np.mean((reasons > 0).argmax(axis=0)) < 30


def test_a_sum_at_its_limit_is_good() -> None:
    at = replace(settled(), sums=np.tile(LIMITS + SLACK, (1, 2, 1)) + np.array([0.0, 0.0, MEAN_SCATTER]))
    assert (step(instruments(), at, TRUE)[1].reason == Reason.NONE).all()
    over = replace(at, sums=at.sums + 1e-9)
    assert (step(instruments(), over, TRUE)[1].reason == Reason.READS_HIGH).all()


# --- the faults of instruments -------------------------------------------------------------------------------------------------


def test_f2_a_stuck_instrument_is_found_within_twenty_samples() -> None:
    rng = np.random.default_rng(4)
    y = readings(rng, 300, 60)
    y[30:] = y[29]
    _, found = watch(instruments(), y)
    status = np.array([each.status for each in found])
    assert not status[:30].any()
    assert (status[30 : 27 + STILL] < Status.FAILURE).all()  # one more reading may be identical by chance
    assert (status[28 + STILL :] == Status.FAILURE).all()
    late = np.array([each.used for each in found])[28 + STILL + HELD :]
    np.testing.assert_array_equal(late, np.broadcast_to(TRUE, late.shape))


@pytest.mark.parametrize(("name", "size"), [("wafer_furnace", 5.0), ("exothermic_cstr", 4.0), ("distillation_column", 2.0),
                                             ("data_hall", 1.0), ("heat_pump_house", 0.6)])  # fmt: skip
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_f3_a_drift_of_two_per_cent_of_span_an_hour_is_found_before_five(name: str, size: float, sign: float) -> None:
    """With decisions from a second to half an hour apart; the more there are in five per cent, the less sure may the model be."""
    hours, rng, spread = get(name).decision * get(name).hours, np.random.default_rng(5), np.full(2, size)
    memory, of, drift, late = begin(instruments(), 20), instruments(), 0.0, np.zeros((20, 2), dtype=bool)
    while drift < 5.0 and not late.all():
        drift += 2.0 * hours
        error = rng.normal(0.0, 1.0, (20, 2)) * np.sqrt(spread**2 - NOISES**2)
        y = readings(rng, 20, 1)[0] + sign * drift
        memory, found = step(of, memory, y, expected=TRUE + error, spread=spread)
        late |= found.reason == (Reason.READS_HIGH if sign > 0 else Reason.READS_LOW)
    assert late.all()


def test_f4_a_spike_is_rejected_and_what_follows_is_good() -> None:
    y = readings(np.random.default_rng(6), 100, 40)
    y[20, :50] += 15.0
    y[20, 50:] -= 500.0
    _, found = watch(instruments(), y)
    status, used = np.array([each.status for each in found]), np.array([each.used for each in found])
    assert (found[20].reason[:50] == Reason.TOO_FAST).all()
    assert (found[20].reason[50:] == Reason.OUT_OF_RANGE).all()
    assert not np.delete(status, 20, axis=0).any()
    np.testing.assert_array_equal(used[20], y[19])


def test_f5_readings_replayed_are_stale_and_the_model_stands_in() -> None:
    y, memory, of = readings(np.random.default_rng(7), 10, 30), begin(instruments(), 10), instruments()
    for k in range(30):
        age = float(max(0, k - 19))
        memory, found = step(of, memory, y[k], age=age)
        assert (found.reason == (Reason.STALE if age > CURRENT else Reason.NONE)).all()
        if age > CURRENT + HELD:
            np.testing.assert_array_equal(found.used, np.broadcast_to(TRUE, found.used.shape))


# --- words ---------------------------------------------------------------------------------------------------------------------


def test_every_status_and_reason_has_words_of_its_own() -> None:
    assert set(ne107.NAMES) == set(Status)
    assert set(ne107.WORDS) == set(Reason)
    assert len(set(ne107.WORDS.values())) == len(Reason)
    assert len(LIMITS) + FATAL + 1 == TESTS == len(Reason) - 1


def test_an_operator_reads_one_line_for_each_finding() -> None:
    found = step(instruments(), settled(), [np.nan, 350.0], expected=[50.0, np.nan])[1]
    assert said(("LI-1", "TI-1"), found.status[0], found.reason[0]) == (
        "LI-1: failure (F), the reading is not a number",
        "TI-1: out of specification (S), the model gives nothing to check the reading against",
    )
    assert said(("LI-1",), np.array([Status.GOOD]), np.array([Reason.NONE])) == ()


def test_failures_are_worse_than_what_the_model_doubts() -> None:
    raised = statuses(np.arange(len(Reason)))
    assert raised.tolist() == [Status.GOOD, *[Status.FAILURE] * FATAL, *[Status.OUT_OF_SPECIFICATION] * (TESTS - FATAL)]
    assert Status.GOOD < Status.MAINTENANCE < Status.OUT_OF_SPECIFICATION < Status.CHECK < Status.FAILURE


# --- a plant's instruments -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["exothermic_cstr", "batch_crystallizer", "quadruple_tank"])
def test_a_plants_own_readings_are_measurements_and_possible(name: str) -> None:
    """Of other episodes than those from which ranges and rates come."""
    plant = get(name)
    of = signal_limits.instruments(plant)
    for scenario in plant.scenarios:
        y = rollout(Pid(plant), draw(plant, scenario, 1, 20, "judging")).path["y"]
        memory = begin(of, 20)
        for k in range(y.shape[1]):
            memory, found = validate(of, memory, y[:, k], np.zeros_like(y[:, k]), y[:, k], np.tile(of.least, (20, 1)))
            assert not found.status.any()


def test_what_is_declared_stands_and_what_is_reached_widens_the_range() -> None:
    plant = get("exothermic_cstr")
    of, seen = signal_limits.instruments(plant), [signal_limits._seen(plant, scenario) for scenario in plant.scenarios]
    low, high, fast = (np.array([each[i] for each in seen]) for i in range(3))
    reserve = signal_limits.RESERVE * (high.max(axis=0) - low.min(axis=0))
    np.testing.assert_array_equal(of.nominal, list(plant.Output.nominal()))
    np.testing.assert_array_equal(of.noise, [0.001, 0.1])
    np.testing.assert_allclose(of.rate, signal_limits.FASTER * fast.max(axis=0))
    np.testing.assert_allclose(of.low, [low.min(axis=0)[0] - 0.006 - reserve[0], 310.0])
    np.testing.assert_allclose(of.high, [0.95, high.max(axis=0)[1] + 0.6 + reserve[1]])
    assert of.tags == ("AI-101", "TI-101")
    assert signal_limits.instruments(plant) is of


def test_what_noise_adds_is_no_part_of_what_the_plant_does() -> None:
    """Here the outputs are the states."""
    plant = get("exothermic_cstr")
    episodes = draw(plant, plant.scenario(), 0, signal_limits.LANES, "tuning")
    actions = signal_limits._adversaries(signal_limits.LANES, plant.scenario().steps, len(plant.acted))
    x = rollout(Replay(plant, "setpoint", actions), episodes).path["x"]
    expected = x.min(axis=(0, 1)), x.max(axis=(0, 1)), np.abs(np.diff(x, axis=1)).max(axis=(0, 1))
    for seen, states in zip(signal_limits._seen(plant, plant.scenario()), expected, strict=True):
        np.testing.assert_allclose(seen, states, rtol=1e-9)


def declaring(plant: Plant, **declared: Any) -> Plant:
    """The plant with other declarations of all its outputs."""
    output = type("Output", (plant.Output,), {})
    output._declared = tuple((name, replace(q, **declared)) for name, q in plant.Output.quantities().items())
    return replace(plant, Output=output)


def test_a_plant_at_rest_within_its_ranges_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    plant = get("exothermic_cstr")
    low, high = np.array([(q.low, q.high) for q in plant.Output.quantities().values()]).T
    monkeypatch.setattr(signal_limits, "_seen", lambda plant, scenario: (low, high, np.zeros(2)))
    of = signal_limits.instruments(declaring(plant, noise=0.0))
    np.testing.assert_array_equal((of.low, of.high), (low, high))
    np.testing.assert_allclose(of.rate, signal_limits.SLOWEST * (high - low))


def test_a_declared_rate_and_a_valid_range_stand() -> None:
    plant = get("exothermic_cstr")
    of = signal_limits.instruments(declaring(plant, rate=6.0, valid=(0.0, 400.0)))
    np.testing.assert_allclose(of.rate, 6.0 * plant.decision)
    np.testing.assert_array_equal((of.valid_low, of.valid_high), [[0.0, 0.0], [400.0, 400.0]])


def test_an_adversary_tries_every_way_to_act() -> None:
    actions = signal_limits._adversaries(60, 100, 2)
    assert actions.shape == (60, 100, 2)
    for k, held in enumerate((0.0, 1.0, -1.0)):
        assert (actions[12 * k : 12 * (k + 1)] == held).all()
    assert (np.abs(actions[36:]) == 1.0).all()
    turns = (np.diff(actions[36:48, :, 0], axis=1) != 0.0).sum(axis=1)
    assert turns.tolist() == [99 // 2**i for i in (0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4)]
    assert (np.abs(actions[48:].mean(axis=(1, 2))) < 0.5).all()
