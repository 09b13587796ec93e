"""The shield at work: no hard violation under whatever is sent, and nothing sent that is not a number within its range."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from controller.safety.adversaries import channels, command, path
from controller.safety.corners import enforced, varied
from controller.safety.field import Field, Reading, unmoved
from controller.safety.governor import Calibration, Governor
from controller.safety.shield import HELD, SHARES, UNCERTIFIED
from plant_models.catalogue import get
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import LANES
from plant_models.env.lookahead import Command, Lookahead, Outlook, Standing
from tests import compiled
from tests.safety import SHIELDED, WORST, anywhere, certain, episodes, known

CSTR = get("exothermic_cstr")
EPISODES = 64
shielded = pytest.mark.parametrize("name", SHIELDED)


def lowest(name: str, adversary: str, known_: Calibration | None, n: int = EPISODES) -> tuple[Array, Array]:
    """Return the smallest enforced margin of each judged episode, and the shares of its decisions, (n, steps)."""
    plant = get(name)
    field = Field(plant, episodes(plant, n, seed=7))
    steps, governor = field.episodes.scenario.steps, Governor(plant, n, known_) if known_ else None
    if adversary == "worst":
        moves = np.broadcast_to(WORST[name][:steps], (n, steps, channels(plant)))
    else:
        moves = path(adversary, n, steps, channels(plant), 8, np.random.default_rng(0))  # type: ignore[arg-type]
    found, shares, reading = np.full(n, np.inf), [], field.read()
    if governor:
        governor.begin(np.arange(n), reading, unmoved(field))
    for k in range(steps):
        sent = command(plant, moves[:, k])
        if governor:
            decision = governor.allow(governor.estimate(reading), sent)
            sent = decision.sent
            shares.append(decision.share)
        running = field.running
        field.command(sent)
        reading = field.read()
        found[running] = np.minimum(found, field.lowest[:, enforced(plant)].min(axis=1))[running]
    return found, np.array(shares).T


@shielded
@pytest.mark.parametrize("adversary", ["random", "max", "bang-bang", "worst"])
def test_no_limit_is_crossed_whatever_is_sent(name: str, adversary: str) -> None:
    found, shares = lowest(name, adversary, known(name))
    assert (found >= 0.0).all()
    assert (shares != UNCERTIFIED).mean() > 0.9
    assert set(np.unique(shares)) <= {UNCERTIFIED, HELD, *SHARES}


@shielded
def test_without_the_shield_limits_are_crossed(name: str) -> None:
    """In nearly all episodes by the worst that can be sent, in many by what is sent at random."""
    assert (lowest(name, "worst", None)[0] < 0.0).mean() > 0.9
    assert (lowest(name, "random", None)[0] < 0.0).mean() > 0.1


def bare(known_: Calibration, margin: float = 0.0) -> Calibration:
    """Return a shield that knows of the nominal plant only, and keeps a margin, of a move as of what is held."""
    margins, slack = np.full_like(known_.margins, margin), np.zeros_like(known_.slack)
    return replace(known_, signs=np.zeros((1, known_.signs.shape[1])), margins=margins, slack=slack)


def test_a_shield_of_the_nominal_plant_alone_is_none_and_margins_mend_it() -> None:
    """Corners count; and the larger the margins, the fewer limits are crossed."""
    name = "exothermic_cstr"
    crossed = [int((lowest(name, "worst", bare(known(name), m))[0] < 0.0).sum()) for m in (0.0, 0.5, 1.0, 3.0)]
    assert crossed[0] > 5
    assert crossed == sorted(crossed, reverse=True)
    assert crossed[-1] == 0


@shielded
def test_what_hurts_nobody_is_let_through(name: str) -> None:
    """What the hierarchy itself sends is changed in few decisions."""
    plant = get(name)
    field, governor = Field(plant, episodes(plant, 32)), Governor(plant, 32, known(name))
    reading, whole = field.read(), []
    governor.begin(np.arange(32), reading, unmoved(field))
    for _ in range(field.episodes.scenario.steps):
        decision = governor.allow(governor.estimate(reading), unmoved(field))
        whole.append(decision.share == 1.0)
        field.command(decision.sent)
        reading = field.read()
    assert np.mean(whole) > 0.95


def test_an_episode_begins_for_some_plants_only() -> None:
    plant, n = CSTR, 4
    field, governor = Field(plant, episodes(plant, n)), Governor(plant, n, known(CSTR.name))
    reading = field.read()
    governor.begin(np.arange(n), reading, unmoved(field))
    for _ in range(5):
        decision = governor.allow(governor.estimate(reading), anywhere(plant, n, 3))
        field.command(decision.sent)
        reading = field.read()
    going = governor._estimator.z[[0, 2]].copy()
    fresh = Command(np.full((n, 1), 0.9), np.full((n, 1), 0.25), np.zeros(n, dtype=bool))
    governor.begin(np.array([1, 3]), reading, fresh)
    assert governor.phase.tolist() == [5, 0, 5, 0]
    np.testing.assert_array_equal(governor._estimator.z[[0, 2]], going)
    refused = Command(np.full((n, 1), np.nan), np.zeros((n, 1)), np.zeros(n, dtype=bool))
    sent = governor.allow(governor.estimate(reading), refused).sent
    assert sent.r[[1, 3], 0].tolist() == [0.9, 0.9]
    assert sent.a[[1, 3], 0].tolist() == [0.25, 0.25]
    np.testing.assert_array_equal(sent.r[[0, 2]], decision.safe.r[[0, 2]])


def test_what_is_expected_is_what_is_sent() -> None:
    """The estimate moves by the command that was let through, not by the one that was asked for."""
    plant, n = CSTR, 8
    field = Field(plant, episodes(plant, n))
    never = replace(known(CSTR.name), margins=np.array([1e3, 1e3]))
    one, other = Governor(plant, n, never), Governor(plant, n, never)
    reading = field.read()
    for governor in (one, other):
        governor.begin(np.arange(n), reading, unmoved(field))
    decisions = [g.allow(g.estimate(reading), anywhere(plant, n, seed)) for seed, g in enumerate((one, other))]
    assert all(decision.sent.safe.all() for decision in decisions)
    np.testing.assert_array_equal(one._estimator.z, other._estimator.z)
    np.testing.assert_array_equal(one._estimator._y, other._estimator._y)


@pytest.mark.parametrize("kind", ["held", "followed", "uncertified"])
def test_what_was_foreseen_is_the_least_of_all_corners(kind: str) -> None:
    """Of what is sent and of what follows, over the horizon; of what is held it is what :meth:`Governor.held` foresees."""
    plant, n, known_ = CSTR, 8, replace(known(CSTR.name), slack=np.zeros(2))
    known_ = replace(known_, margins=np.full(2, {"held": -1e3, "followed": 0.0, "uncertified": 1e3}[kind]))
    field, governor = Field(plant, episodes(plant, n)), Governor(plant, n, known_)
    governor.begin(np.arange(n), field.read(), unmoved(field))
    now = governor.estimate(field.read())
    asked = (
        anywhere(plant, n, 1)
        if kind != "followed"
        else Command(np.full((n, 1), 0.8), np.full((n, 1), 1.0), np.zeros(n, dtype=bool))
    )
    variants = varied(plant, now, known_.signs, known_.spread, governor.phase.copy())
    before = governor.safe
    np.testing.assert_array_equal(
        governor.held(now), Lookahead(plant).hold(variants, before, None, known_.horizon).lowest.min(axis=1)
    )
    decision = governor.allow(now, asked)
    if kind == "uncertified":
        assert np.isnan(decision.foreseen).all()
        return
    least = Lookahead(plant).hold(variants, decision.sent, decision.then, known_.horizon).lowest.min(axis=1)
    certified = decision.share > UNCERTIFIED
    np.testing.assert_array_equal(decision.foreseen[certified], least[certified])
    assert certified.all() if kind == "held" else True
    assert (least[certified] >= known_.margins).all()


@pytest.mark.parametrize("row", range(3))
def test_the_worst_corner_counts_wherever_it_stands(row: int) -> None:
    """In what is foreseen of what is held, and in a decision: of three plants one is hotter than it seems."""
    whole, n = known(CSTR.name), 4
    spread = replace(whole.spread, states=np.array([[0.0, 4.0]]))
    hot = np.zeros((3, spread.entries))
    hot[row, CSTR.State.names().index("T")] = 1.0
    field = Field(CSTR, episodes(CSTR, n))
    foreseen = []
    for signs in (hot, hot[row : row + 1], np.zeros_like(hot)):
        governor = Governor(CSTR, n, replace(bare(whole, -1e3), spread=spread, signs=signs))
        governor.begin(np.arange(n), field.read(), unmoved(field))
        standing = governor.estimate(field.read())
        foreseen.append((governor.held(standing), governor.would(standing, unmoved(field)).foreseen))
    among, alone, nominal = foreseen
    for one, other in zip(among, alone, strict=True):
        np.testing.assert_array_equal(one, other)
    assert all((one < other).all() for one, other in zip(among, nominal, strict=True))


@pytest.mark.parametrize("name", [pytest.param(name, marks=compiled.alone(name)) for name in SHIELDED])
def test_a_plant_among_many_gets_what_it_gets_alone(name: str) -> None:
    """Among many, look-aheads are made one after the other, alone at once; only rounding depends on how many there are."""
    plant, n = get(name), 24
    field, governor = Field(plant, episodes(plant, n)), Governor(plant, n, known(name))
    reading, which = field.read(), np.eye(n, dtype=bool)
    governor.begin(np.arange(n), reading, unmoved(field))
    ones = [Governor(plant, 1, known(name)) for _ in which]
    for one, at in zip(ones, which, strict=True):
        one.begin(np.arange(1), reading.of(at), unmoved(field).of(at))
    shares = set[float]()
    for k in range(12):
        proposed = command(plant, np.tile(WORST[name][k], (n, 1)) * np.linspace(0.1, 1.0, n)[:, None])
        made = governor.allow(governor.estimate(reading), proposed)
        for i, (one, at) in enumerate(zip(ones, which, strict=True)):
            mine = one.allow(one.estimate(reading.of(at)), proposed.of(at))
            assert mine.share[0] == made.share[i]
            for alone, among in zip(
                (mine.foreseen, *mine.sent, *mine.safe), (made.foreseen, *made.sent, *made.safe), strict=True
            ):
                np.testing.assert_allclose(alone[0], among[i], rtol=1e-9, atol=1e-12)
        shares |= set(made.share.tolist())
        field.command(made.sent)
        reading = field.read()
    assert len(shares) > 2


def test_a_governor_goes_on_bit_for_bit_from_its_parts() -> None:
    plant, n = CSTR, 8
    field, governor = Field(plant, episodes(plant, n)), Governor(plant, n, known(CSTR.name))
    reading = field.read()
    governor.begin(np.arange(n), reading, unmoved(field))
    for seed in range(4):
        field.command(governor.allow(governor.estimate(reading), anywhere(plant, n, seed)).sent)
        reading = field.read()
    other = Governor(plant, n, known(CSTR.name))
    for name, part in governor.parts().items():
        other.parts()[name][:] = part
    decisions = [each.allow(each.estimate(reading), anywhere(plant, n, 9)) for each in (governor, other)]
    for first, second in zip(*((d.share, d.foreseen, *d.sent, *d.safe, *d.then) for d in decisions), strict=True):
        np.testing.assert_array_equal(first, second)
    for name, part in governor.parts().items():
        np.testing.assert_array_equal(other.parts()[name], part)


@pytest.mark.every
def test_a_batch_is_never_left_with_one_command() -> None:
    plant, n = get("batch_crystallizer"), 4
    field = Field(plant, episodes(plant, n))
    governor, reading = Governor(plant, n, certain(plant, 3)), field.read()
    governor.begin(np.arange(n), reading, unmoved(field))
    asked = unmoved(field)
    decision = governor.allow(governor.estimate(reading), asked)
    assert decision.then.safe.all()
    assert (decision.share == 1.0).all()
    np.testing.assert_array_equal(decision.safe.r, asked.r)


WILD = np.array([np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, -5e-324, 1e30, -1e9, 0.0, -0.0, 1.0, 3.4e38, 1e-40])


def quick(plant: Plant) -> Calibration:
    """Return what makes decisions cheap: a short horizon, the nominal plant and one corner."""
    whole = known(plant.name)
    return replace(whole, signs=whole.signs[:2], horizon=2)


class Fuzz:
    """Puts numbers that are none, or far off, into a share of the places of arrays."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def __call__(self, values: Array, share: float = 0.2) -> Array:
        """Return an array with wild numbers in some places."""
        return np.where(self.rng.random(values.shape) < share, self.rng.choice(WILD, values.shape), values)

    def reading(self, reading: Reading, share: float = 0.1) -> Reading:
        """Return a reading in which anything may be wild."""
        return Reading(*(self(part, share * (self.rng.random() < 0.4)) for part in vars(reading).values()))


def checked(plant: Plant, sent: Command, u: Array, before: Array) -> None:
    """Check commands, and inputs against what they were a decision before."""
    low, high = (np.array([getattr(loop, side) for loop in plant.masters]) for side in ("low", "high"))
    assert np.isfinite(sent.r).all()
    assert np.isfinite(sent.a).all()
    assert ((sent.r >= low) & (sent.r <= high)).all()
    assert (np.abs(sent.a) <= 1.0).all()
    assert sent.safe.dtype == bool
    quantities = plant.Input.quantities().values()
    assert np.isfinite(u).all()
    for i, q in enumerate(quantities):
        span = q.high - q.low
        assert ((u[:, i] >= q.low - 1e-9 * span) & (u[:, i] <= q.high + 1e-9 * span)).all()
        assert (np.abs(u[:, i] - before[:, i]) <= q.rate * plant.decision * (1.0 + 1e-9)).all()


def fuzzed(name: str, n: int, decisions: int, seed: int = 0) -> int:
    """Send fuzzed proposals on fuzzed readings through the governor to plants in the field; return how many were checked."""
    plant, fuzz, checks = get(name), Fuzz(seed), 0
    governor = Governor(plant, n, quick(plant))
    for episode in range(-(-decisions // 20)):
        field = Field(plant, episodes(plant, n, seed + episode))
        reading = field.read()
        governor.begin(np.arange(n), fuzz.reading(reading), within(fuzz, unmoved(field)))
        for k in range(min(20, decisions - 20 * episode)):
            moved = anywhere(plant, n, 100 * episode + k, safe=bool(fuzz.rng.random() < 0.1))
            asked = Command(fuzz(moved.r), fuzz(moved.a), moved.safe)
            u = reading.u
            decision = governor.allow(governor.estimate(fuzz.reading(reading)), asked)
            field.command(decision.sent)
            reading = field.read()
            checked(plant, decision.sent, reading.u, u)
            checks += n
    return checks


def within(fuzz: Fuzz, sent: Command) -> Command:
    """Return what a hierarchy sends, with wild numbers in some places."""
    return Command(fuzz(sent.r), fuzz(sent.a), sent.safe)


@shielded
def test_whatever_is_read_and_asked_for_what_is_sent_is_sane(name: str) -> None:
    assert fuzzed(name, 128, 40) == 5120


@pytest.mark.slow
@shielded
def test_a_hundred_thousand_fuzzed_inputs_are_borne(name: str) -> None:
    assert fuzzed(name, 512, 200, seed=1) >= 100_000


FORMS: dict[str, Any] = {
    "nothing": None,
    "a number": 0.5,
    "text": "0.5",
    "texts": [["0.5"]] * 4,
    "too few": np.zeros((3, 1)),
    "too many": np.zeros((4, 2)),
    "flat": np.zeros(4),
    "deep": np.zeros((4, 1, 1)),
    "empty": np.zeros((0, 1)),
    "ragged": [[0.5], [0.5, 0.5], [0.5], [0.5]],
    "objects": np.array([[None]] * 4),
    "complex": np.full((4, 1), 1j),
    "times": np.zeros((4, 1), dtype="datetime64[s]"),
    "a dictionary": {"a": 1.0},
    "not a number": np.full((4, 1), np.nan),
    "longer than double": np.full((4, 1), np.longdouble("1e4000")),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("part", ["r", "a"])
def test_a_proposal_of_another_form_asks_for_what_is_safe(form: str, part: str) -> None:
    plant, n = CSTR, 4
    field, governor = Field(plant, episodes(plant, n)), Governor(plant, n, known(CSTR.name))
    reading = field.read()
    governor.begin(np.arange(n), reading, unmoved(field))
    asked = anywhere(plant, n, 1)._replace(**{part: FORMS[form]})
    decision = governor.allow(governor.estimate(reading), asked)
    np.testing.assert_array_equal(decision.sent.r, field.simulator.sent)
    np.testing.assert_array_equal(decision.sent.a, np.zeros((n, 1)))
    checked(plant, decision.sent, reading.u, reading.u)


@pytest.mark.parametrize("part", ["r", "a"])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_one_plants_number_that_is_not_finite_asks_for_what_is_safe_there_alone(wrong: float, part: str) -> None:
    field, now = standing()
    governor = Governor(CSTR, 4, bare(known(CSTR.name), -1e3))
    governor.begin(np.arange(4), field.read(), unmoved(field))
    asked = Command(np.full((4, 1), 0.9), np.full((4, 1), 0.5), np.zeros(4, dtype=bool))
    asked._asdict()[part][2] = wrong
    sent = governor.allow(now, asked).sent
    assert sent.r[:, 0].tolist() == [0.9, 0.9, field.simulator.sent[2, 0], 0.9]
    assert sent.a[:, 0].tolist() == [0.5, 0.5, 0.0, 0.5]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_numbers_of_any_precision_are_numbers(dtype: type) -> None:
    plant, n = CSTR, 4
    field, governor = Field(plant, episodes(plant, n)), Governor(plant, n, known(CSTR.name))
    reading = field.read()
    governor.begin(np.arange(n), reading, unmoved(field))
    asked = Command(np.full((n, 1), 0.9, dtype=dtype), np.full((n, 1), 1, dtype=np.int8), np.zeros(n, dtype=bool))
    decision = governor.allow(governor.estimate(reading), asked)
    assert decision.share.tolist() == [1.0] * n
    np.testing.assert_allclose(decision.sent.r, 0.9, rtol=1e-3)
    assert decision.sent.a.tolist() == [[1.0]] * n
    assert decision.sent.r.dtype == decision.sent.a.dtype == np.float64


@cache
def standing() -> tuple[Field, Standing]:
    field = Field(CSTR, episodes(CSTR, 4))
    governor = Governor(CSTR, 4, known(CSTR.name))
    governor.begin(np.arange(4), field.read(), unmoved(field))
    return field, governor.estimate(field.read())


def test_beyond_its_range_a_proposal_is_taken_back_to_it() -> None:
    field, now = standing()
    governor = Governor(CSTR, 4, bare(known(CSTR.name), -1e3))
    governor.begin(np.arange(4), field.read(), unmoved(field))
    offsets = np.array([[1e308], [-7.0], [1.5], [0.5]])
    asked = Command(np.array([[1e308], [-1e308], [0.9], [0.87]]), offsets, np.zeros(4, dtype=bool))
    sent = governor.allow(now, asked).sent
    assert sent.r[:, 0].tolist() == [0.95, 0.8, 0.9, 0.87]
    assert sent.a[:, 0].tolist() == [1.0, -1.0, 1.0, 0.5]


@compiled.alone("batch_crystallizer")
@pytest.mark.parametrize(("variants", "looks"), [(1, 2), (LANES // 32, 2), (LANES // 32 + 1, 4)])
def test_what_fits_a_chunk_is_looked_ahead_at_once(monkeypatch: pytest.MonkeyPatch, variants: int, looks: int) -> None:
    """All that four batches may be sent, eight commands each, and then what remains; else the stages, one after the other."""
    plant, n, seen = get("batch_crystallizer"), 4, list[int]()
    knows = certain(plant, 2)
    nothing = replace(knows, margins=np.full_like(knows.margins, 1e9), signs=np.repeat(knows.signs, variants, axis=0))
    field, hold = Field(plant, episodes(plant, n)), Lookahead.hold

    def counted(self: Lookahead, standing: Standing, *given: Any) -> Outlook:
        seen.append(standing.x.shape[1])
        return hold(self, standing, *given)

    governor = Governor(plant, n, nothing)
    governor.begin(np.arange(n), field.read(), unmoved(field))
    standing = governor.estimate(field.read())
    monkeypatch.setattr(Lookahead, "hold", counted)
    made = governor.would(standing, anywhere(plant, n))
    assert seen == [variants] * looks
    assert made.share.tolist() == [UNCERTIFIED] * n
