"""The shield by itself, with certificates made by hand: what is tried in which order, what is sent, what is safe from then on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.safety.shield import (
    HELD,
    SHARES,
    UNCERTIFIED,
    Certificate,
    Certify,
    Decision,
    Flags,
    Index,
    Places,
    certified,
    decide,
    heard,
    nearest,
    stages,
)
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command, Outlook

MARGINS = 2
HARD = np.array([True, True])
BAD = (np.nan, np.inf, -np.inf)


def given_to(r: list[float], a: list[float] | None = None, safe: bool = False) -> Command:
    """Return a command to as many plants, one setpoint and two offsets each."""
    offsets = np.zeros(len(r)) if a is None else np.array(a, dtype=float)
    return Command(np.array(r, dtype=float)[:, None], np.column_stack([offsets, -offsets]), np.full(len(r), safe))


USUALLY = 90.0
"""The setpoint that every plant usually has, without any offset."""
REMAINS = [(0.0, "now"), (0.0, "held"), (USUALLY, "held")]
"""What is asked about at last of a plant whose setpoint of 0 was last safe."""
STOPPED, NOW = np.inf, -np.inf
"""What follows a command where the plant is stopped after it, or at once; a number is the setpoint that follows, None: held."""


@dataclass(frozen=True)
class Call:
    """One call for a certificate: the plants that were named, their setpoints, what was to follow, and whether they move."""

    plants: list[int]
    setpoints: list[float]
    kinds: list[str]
    moved: list[bool]


class Asked:
    """Certifies by a rule on each plant's number, its setpoint and what follows it; remembers what it was asked.

    The margins foreseen are the setpoint, and the count of what was asked so far.
    """

    def __init__(
        self, rule: Callable[[int, float, float | None], bool], room: Callable[[float, float | None], float] = lambda *_: -np.inf
    ) -> None:
        self._rule, self._room, self.calls = rule, room, list[Call]()

    def __call__(self, first: Command, then: Command, plants: Index, moved: Flags) -> Certificate:
        assert len(first.r) == len(then.r) == len(plants) == len(moved)
        held = (first.r == then.r).all(axis=1) & (first.a == then.a).all(axis=1) & ~then.safe
        told = zip(held, first.safe, then.safe, then.r[:, 0], strict=True)
        after = [NOW if f else None if h else STOPPED if s else float(r) for h, f, s, r in told]
        kinds = [{None: "held", STOPPED: "stopped", NOW: "now"}.get(a, "followed") for a in after]
        asked, counted = first.r[:, 0].tolist(), len(self.tried) + 1 + np.arange(len(plants))
        self.calls.append(Call(plants.tolist(), asked, kinds, moved.tolist()))
        found = [self._rule(i, r, a) for i, r, a in zip(plants.tolist(), asked, after, strict=True)]
        nearest = np.array([self._room(r, a) for r, a in zip(asked, after, strict=True)])
        return Certificate(np.array(found, dtype=bool), np.column_stack([asked, counted]), lambda rows: nearest[rows])

    @property
    def tried(self) -> list[tuple[float, str]]:
        """All that was tried, in the order in which it was."""
        return [pair for call in self.calls for pair in zip(call.setpoints, call.kinds, strict=True)]


def decided(certify: Certify, proposed: Command, safe: Command, batch: bool = False, at_once: bool = False) -> Decision:
    usual = Command(np.full_like(safe.r, USUALLY), np.zeros_like(safe.a), np.zeros(len(safe.r), dtype=bool))
    return decide(proposed, safe, usual, stages(batch, at_once), certify)


def test_what_is_kept_of_decisions_is_told_apart_by_these_numbers() -> None:
    """Runs on file say what was let through: all of the move, a part, nothing, or that not even the retreat was certified."""
    assert (SHARES, HELD, UNCERTIFIED) == ((1.0, 0.75, 0.5, 0.25), 0.0, -1.0)


def test_the_largest_share_is_tried_first_and_held_before_followed() -> None:
    """The whole move by itself, all other moves and what was last safe at once, and then how else a plant may retreat.

    At last it is asked what foretells most room.
    """
    never = Asked(lambda *_: False)
    decided(never, given_to([8.0]), given_to([0.0]))
    moves = [(8.0 * k, kind) for k in (1.0, 0.75, 0.5, 0.25) for kind in ("held", "followed")]
    everything = [*moves, (0.0, "held"), (USUALLY, "held"), (0.0, "stopped"), (0.0, "now")]
    assert never.tried == [*everything, *REMAINS]
    assert [len(call.plants) for call in never.calls] == [1, 8, 3, 3]
    once = Asked(lambda *_: False)
    decided(once, given_to([8.0]), given_to([0.0]), at_once=True)
    assert once.tried == [*everything, *REMAINS]
    assert [len(call.plants) for call in once.calls] == [12, 3]


def test_a_batch_is_stopped_after_every_move_that_is_tried() -> None:
    never = Asked(lambda *_: False)
    decided(never, given_to([8.0]), given_to([0.0]), batch=True)
    retreats = [(0.0, "held"), (USUALLY, "held"), (0.0, "stopped"), (0.0, "now")]
    assert never.tried == [*((8.0 * k, "stopped") for k in SHARES), *retreats, *REMAINS]
    assert [len(call.plants) for call in never.calls] == [1, 4, 3, 3]


@pytest.mark.parametrize("batch", [False, True])
def test_only_what_goes_some_of_the_way_is_a_move(batch: bool) -> None:
    """A retreat keeps no reserve, nor does what asks for what the plant has; a move does, of setpoints or of offsets."""
    never = Asked(lambda *_: False)
    proposed, safe = given_to([8.0, 1.0, 1.0], [0.5, 0.5, 0.2]), given_to([1.0, 1.0, 1.0], [0.5, 0.5, 0.5])
    decided(never, proposed, safe, batch)
    whole, rest, retreats, remains = never.calls
    assert whole.moved == [True, False, True]
    assert rest.moved == [True, False, True] * (3 if batch else 7) + [False] * 3
    assert retreats.moved == remains.moved == [False] * 9


def test_one_setpoint_or_one_offset_that_changes_is_enough_to_move() -> None:
    never, running = Asked(lambda *_: False), np.zeros(3, dtype=bool)
    safe = Command(np.ones((3, 2)), np.zeros((3, 2)), running)
    proposed = Command(np.array([[1.0, 2.0], [1.0, 1.0], [1.0, 1.0]]), np.array([[0.0, 0.0], [0.5, 0.0], [0.0, 0.0]]), running)
    decided(never, proposed, safe)
    whole, rest, *_ = never.calls
    assert whole.moved == [True, True, False]
    assert rest.moved == [True, True, False] * 7 + [False] * 3


def test_one_setpoint_of_several_that_is_no_number_asks_for_what_is_safe() -> None:
    running = np.zeros(1, dtype=bool)
    safe = Command(np.ones((1, 2)), np.zeros((1, 1)), running)
    assert heard(Command(np.array([[2.0, np.nan]]), np.zeros((1, 1)), running), safe).r.tolist() == [[1.0, 1.0]]


def test_what_asks_for_what_the_plant_has_is_let_through_as_a_whole_where_it_can_be_held() -> None:
    """Also where a move could not be."""
    asked = Asked(lambda *_: True)
    found = decided(asked, given_to([1.0], [0.5]), given_to([1.0], [0.5]))
    assert (found.share.tolist(), [call.moved for call in asked.calls]) == ([1.0], [[False]])


def test_a_share_is_a_share_of_the_way_from_what_is_safe() -> None:
    safe, proposed = given_to([1.0, 2.0], [0.1, 0.5]), given_to([9.0, 6.0], [0.1, -0.5])
    r, a = Places(proposed, safe, given_to([90.0, 90.0])).of(np.array([1, 0]))
    assert r[:, 0, 0].tolist() == [6.0, 5.0, 4.0, 3.0, 2.0, 90.0]
    assert a[:, 0, 0].tolist() == [-0.5, -0.25, 0.0, 0.25, 0.5, 0.0]
    assert r[:, 1, 0].tolist() == [9.0, 7.0, 5.0, 3.0, 1.0, 90.0]


@pytest.mark.parametrize("limit", [8.0, 6.0, 4.0, 2.0])
def test_what_is_held_is_safe_from_then_on(limit: float) -> None:
    held = Asked(lambda _, r, then: then is None and r <= limit)
    found = decided(held, given_to([8.0], [0.8]), given_to([0.0]))
    assert (found.share[0], found.sent.r[0, 0], found.safe.r[0, 0]) == (limit / 8.0, limit, limit)
    assert found.sent.a[0, 0] == found.safe.a[0, 0] == pytest.approx(limit / 10.0)
    assert not found.sent.safe[0]
    assert not found.safe.safe[0]
    assert not found.then.safe[0]
    assert found.then.r[0, 0] == limit
    assert found.foreseen.tolist() == [[limit, 1 + held.tried.index((limit, "held"))]]


@pytest.mark.parametrize("limit", [8.0, 6.0, 4.0, 2.0])
def test_what_is_followed_by_what_is_safe_leaves_that_as_it_is(limit: float) -> None:
    followed = Asked(lambda _, r, then: then == 0.0 and r <= limit)
    found = decided(followed, given_to([8.0], [0.8]), given_to([0.0]))
    assert (found.share[0], found.sent.r[0, 0]) == (limit / 8.0, limit)
    assert (found.safe.r[0, 0], found.safe.a.tolist(), found.then.r[0, 0]) == (0.0, [[0.0, 0.0]], 0.0)
    assert not found.then.safe[0]
    assert found.foreseen.tolist() == [[limit, 1 + followed.tried.index((limit, "followed"))]]


def test_held_and_followed_alike_are_held() -> None:
    assert decided(Asked(lambda *_: True), given_to([8.0]), given_to([0.0])).safe.r[0, 0] == 8.0


def test_in_a_batch_every_certified_move_is_what_the_next_begins_with() -> None:
    stopped = Asked(lambda _, r, then: r <= 4.0)
    found = decided(stopped, given_to([8.0]), given_to([0.0]), batch=True)
    assert (found.share[0], found.sent.r[0, 0], found.safe.r[0, 0]) == (0.5, 4.0, 4.0)
    assert (found.sent.safe[0], found.safe.safe[0], found.then.safe[0]) == (False, False, True)


@pytest.mark.parametrize("batch", [False, True])
def test_where_no_move_is_certified_the_retreat_is(batch: bool) -> None:
    found = decided(Asked(lambda _, r, then: r == 1.0), given_to([8.0]), given_to([1.0]), batch)
    assert (found.share[0], found.sent.r[0, 0], found.safe.r[0, 0]) == (HELD, 1.0, 1.0)
    assert not found.sent.safe[0]
    assert np.isfinite(found.foreseen).all()


def test_where_the_retreat_cannot_be_held_it_may_be_given_once_and_the_plant_stopped() -> None:
    """What is safe stays what it was; where it can be held, it is held."""
    once = Asked(lambda _, r, then: r == 1.0 and then == STOPPED)
    found = decided(once, given_to([8.0], [0.8]), given_to([1.0], [0.1]))
    assert (found.share[0], found.sent.r[0, 0], found.sent.a[0, 0], found.sent.safe[0]) == (HELD, 1.0, 0.1, False)
    assert (found.safe.r[0, 0], found.safe.safe[0], found.then.safe[0]) == (1.0, False, True)
    assert found.foreseen.tolist() == [[1.0, 11.0]]
    kept = decided(Asked(lambda _, r, then: r == 1.0), given_to([8.0]), given_to([1.0]))
    assert (kept.share[0], kept.then.safe[0], kept.foreseen[0, 1]) == (HELD, False, 9.0)


@pytest.mark.parametrize("batch", [False, True])
def test_where_nothing_is_certified_the_safe_action_is_taken(batch: bool) -> None:
    found = decided(Asked(lambda *_: False), given_to([8.0], [0.8]), given_to([1.0], [0.1]), batch)
    assert (found.share[0], found.sent.r[0, 0], found.safe.r[0, 0]) == (UNCERTIFIED, 1.0, 1.0)
    assert (found.sent.safe[0], found.safe.safe[0]) == (True, False)
    assert np.isnan(found.foreseen).all()


@pytest.mark.parametrize("batch", [False, True])
def test_a_safe_action_that_is_certified_is_a_retreat_like_another(batch: bool) -> None:
    found = decided(Asked(lambda _, r, then: then == NOW), given_to([8.0], [0.8]), given_to([1.0], [0.1]), batch)
    assert (found.share[0], found.sent.safe[0], found.then.safe[0]) == (HELD, True, True)
    assert (found.safe.r[0, 0], found.safe.safe[0]) == (1.0, False)


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize(
    ("held", "usual", "now", "sent"),
    [
        (-0.5, -0.7, -0.6, "held"), (-0.6, -0.7, -0.5, "stopped"), (-0.5, -0.6, -0.5, "stopped"), (-0.5, -0.5, -0.6, "held"),
        (-0.5, -0.4, -0.6, "usual"), (-0.6, -0.4, -0.5, "usual"), (-0.6, -0.5, -0.5, "stopped"), (-0.5, -0.5, -0.5, "stopped"),
    ],
)  # fmt: skip
def test_where_nothing_is_certified_what_foretells_most_room_is_sent(
    held: float, usual: float, now: float, sent: str, batch: bool
) -> None:
    """What is given once and then stopped is none of the three, however much room it foretells."""
    room = {(1.0, None): held, (USUALLY, None): usual, (1.0, NOW): now}
    asked = Asked(lambda *_: False, lambda r, then: room.get((r, then), 1.0))
    found = decided(asked, given_to([8.0, 8.0], [0.8, 0.8]), given_to([1.0, 1.0], [0.1, 0.1]), batch)
    command = (USUALLY, 0.0) if sent == "usual" else (1.0, 0.1)
    assert found.share.tolist() == [UNCERTIFIED] * 2
    assert found.sent.safe.tolist() == [sent == "stopped"] * 2
    assert found.returned.tolist() == [sent == "usual"] * 2
    for part in (found.sent, found.safe):
        assert list(zip(part.r[:, 0], part.a[:, 0], strict=True)) == [command] * 2
    assert not found.safe.safe.any()
    assert np.isnan(found.foreseen).all()


@pytest.mark.parametrize("batch", [False, True])
def test_where_what_was_last_safe_is_no_longer_the_plant_goes_back_to_what_it_usually_has(batch: bool) -> None:
    """It is held, before any stop, and counts as safe from then on; what was last safe comes before it."""
    usual = Asked(lambda _, r, then: r == USUALLY or (then in (STOPPED, NOW) and r == 1.0))
    found = decided(usual, given_to([8.0, 8.0], [0.8, 0.8]), given_to([1.0, 1.0], [0.1, 0.1]), batch)
    assert found.share.tolist() == [HELD, HELD]
    assert found.returned.tolist() == [True, True]
    for part in (found.sent, found.safe, found.then):
        assert (part.r[:, 0].tolist(), part.a.tolist()) == ([USUALLY] * 2, [[0.0, 0.0]] * 2)
        assert not part.safe.any()
    assert found.foreseen[:, 0].tolist() == [USUALLY] * 2
    either = decided(Asked(lambda _, r, then: r in (1.0, USUALLY) and then is None), given_to([8.0]), given_to([1.0]), batch)
    assert (either.sent.r[0, 0], either.returned[0]) == (1.0, False)
    moved = decided(Asked(lambda *_: True), given_to([8.0]), given_to([1.0]), batch)
    assert (moved.sent.r[0, 0], moved.returned[0]) == (8.0, False)


def test_room_is_the_smallest_enforced_share_in_any_variant_and_none_where_it_cannot_be_told() -> None:
    lowest = np.array([[[4.0, -9.0], [2.0, -9.0]], [[4.0, 1.0], [np.nan, 1.0]], [[4.0, 1.0], [3.0, 1.0]]])
    sound = np.array([[True, True], [True, True], [True, False]])
    outlook = Outlook(lowest, sound, np.zeros((3, 2, 1)), np.zeros((3, 2, 1)))
    found = nearest(outlook, np.array([4.0, 1.0]), np.array([True, False]))
    assert found.tolist() == [0.5, -np.inf, -np.inf]


def test_each_plant_is_on_its_own() -> None:
    """All, three quarters held, half followed, the retreat held, the retreat and then a stop, and nothing."""
    rules: list[Callable[[float, float | None], bool]] = [
        lambda r, then: True,
        lambda r, then: then is None and r <= 6.0,
        lambda r, then: then == 0.0 and r <= 4.0,
        lambda r, then: then is None and r <= 0.0,
        lambda r, then: then == STOPPED,
        lambda r, then: False,
    ]
    asked = Asked(lambda i, r, then: rules[i](r, then))
    found = decided(asked, given_to([8.0] * 6), given_to([0.0] * 6))
    assert found.share.tolist() == [1.0, 0.75, 0.5, HELD, HELD, UNCERTIFIED]
    assert found.sent.r[:, 0].tolist() == [8.0, 6.0, 4.0, 0.0, 0.0, 0.0]
    assert found.safe.r[:, 0].tolist() == [8.0, 6.0, 0.0, 0.0, 0.0, 0.0]
    assert found.sent.safe.tolist() == [False, False, False, False, False, True]
    assert found.then.safe.tolist() == [False, False, False, False, True, True]
    assert [call.plants for call in asked.calls] == [[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5] * 8, [4, 5] * 3, [5] * 3]
    assert found.foreseen[:, 0].tolist()[:5] == [8.0, 6.0, 4.0, 0.0, 0.0]
    assert np.isnan(found.foreseen[5]).all()


def test_once_all_are_certified_nothing_more_is_tried() -> None:
    """And what is left is tried only for those that it is left for."""
    asked = Asked(lambda _, r, then: r <= 6.0)
    decided(asked, given_to([8.0, 4.0]), given_to([0.0, 0.0]))
    assert [call.plants for call in asked.calls] == [[0, 1], [0] * 8]
    asked = Asked(lambda *_: True)
    decided(asked, given_to([8.0, 4.0]), given_to([0.0, 0.0]))
    assert [call.plants for call in asked.calls] == [[0, 1]]


def test_a_proposal_to_stop_is_none() -> None:
    """Only the shield takes the safe action; who is governed cannot ask for it, nor keep it away."""
    found = decided(Asked(lambda *_: True), given_to([8.0], safe=True), given_to([0.0]))
    assert (found.sent.r[0, 0], found.sent.safe[0]) == (8.0, False)


def test_nothing_that_was_given_is_changed() -> None:
    proposed, safe = given_to([8.0, 2.0], [0.8, 0.2]), given_to([1.0, 1.0], [0.1, 0.1])
    kept = [part.copy() for part in (*proposed, *safe)]
    found = decided(Asked(lambda i, r, then: i == 0 and r <= 4.5), proposed, safe)
    for part in (*found.sent, *found.safe, *found.then):
        part[:] = 7
    for part, before in zip((*proposed, *safe), kept, strict=True):
        np.testing.assert_array_equal(part, before)


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize("lenient", [False, True])
def test_a_proposal_that_is_not_finite_asks_for_what_is_safe(batch: bool, bad: float, part: int, lenient: bool) -> None:
    """Whatever is certified, and whether or not: what is sent is finite; the plant beside it gets what it asks for."""
    proposed, safe = given_to([8.0, 8.0], [0.8, 0.8]), given_to([1.0, 1.0], [0.1, 0.1])
    proposed[part][0, -1] = bad
    with np.errstate(all="raise"):
        found = decided(Asked(lambda i, r, then: lenient or (i == 0 and r == 1.0)), proposed, safe, batch)
    for sent in (found.sent, found.safe, found.then):
        assert np.isfinite(sent.r).all()
        assert np.isfinite(sent.a).all()
    assert (found.sent.r[0, 0], found.sent.a[0, 0], found.share[0], found.sent.safe[0]) == (1.0, 0.1, 1.0, False)
    assert (found.sent.r[1, 0], found.share[1]) == ((8.0, 1.0) if lenient else (1.0, UNCERTIFIED))


def test_what_is_finite_is_heard_as_it_is() -> None:
    proposed, safe = given_to([8.0, np.nan], [0.8, 0.2]), given_to([1.0, 2.0], [0.1, 0.3])
    found = heard(proposed, safe)
    assert (found.r[:, 0].tolist(), found.a[:, 0].tolist()) == ([8.0, 2.0], [0.8, 0.3])


numbers = st.lists(st.floats(width=64), min_size=6, max_size=6)
PATTERNS = st.lists(st.booleans(), min_size=36, max_size=36)


@given(numbers, st.lists(st.floats(-10.0, 10.0), min_size=6, max_size=6), PATTERNS, st.booleans(), st.booleans())
def test_whatever_is_proposed_and_certified_what_is_sent_is_finite_and_was_certified(
    proposed: list[float], safe: list[float], answers: list[bool], batch: bool, at_once: bool
) -> None:
    last = np.array(safe).reshape(3, 2)
    asked = np.array(proposed).reshape(3, 2).clip(-1e9, 1e9)
    said = np.array(answers).reshape(12, 3)
    turns, stops = np.full((12, 3), np.nan), np.zeros((12, 3), dtype=bool)
    calls: list[list[int]] = []
    begins = (0, 8 if batch else 12) if at_once else (0, 1, 5 if batch else 9, 8 if batch else 12)

    def certify(first: Command, then: Command, plants: Index, moved: Flags) -> Certificate:
        m = len(set(plants.tolist()))
        calls.append(plants.tolist())
        if len(calls) == len(begins):
            return Certificate(
                np.zeros(len(plants), dtype=bool), np.zeros((len(plants), 2)), lambda rows: np.full(len(rows), -np.inf)
            )
        options = begins[len(calls) - 1] + np.arange(len(plants)) // m
        assert sorted(zip(options.tolist(), plants.tolist(), strict=True)) == list(zip(options, plants, strict=True))
        turns[options, plants], stops[options, plants] = first.r[:, 0], first.safe
        foreseen = np.column_stack([options, plants]).astype(float)
        return Certificate(said[options, plants], foreseen, lambda rows: np.full(len(rows), np.nan))

    found = decide(
        Command(asked[:, :1], asked[:, 1:], np.zeros(3, dtype=bool)),
        Command(last[:, :1], last[:, 1:], np.zeros(3, dtype=bool)), given_to([USUALLY] * 3)._replace(a=np.zeros((3, 1))),
        stages(batch, at_once), certify,
    )  # fmt: skip
    options = begins[-1]
    left = [[i for i in range(3) if not said[:begin, i].any()] for begin in begins]
    many = [*(end - begin for begin, end in pairwise(begins)), 3]
    assert calls == [plants * count for plants, count in zip(left, many, strict=True) if plants]
    assert np.isfinite(np.hstack([*found.sent[:2], *found.safe[:2], *found.then[:2]])).all()
    for i in range(3):
        first = next((turn for turn in range(options) if said[turn, i]), None)
        if first is None:
            assert (found.share[i], found.sent.safe[i]) == (UNCERTIFIED, True)
            assert np.isnan(found.foreseen[i]).all()
        else:
            assert found.sent.r[i, 0] == turns[first, i]
            assert found.foreseen[i].tolist() == [first, i]
            assert (found.share[i] >= HELD, found.sent.safe[i]) == (True, stops[first, i])


@given(
    st.sets(st.tuples(st.integers(0, 2), st.sampled_from([0.0, 2.0, 4.0, 6.0, 8.0, USUALLY]), st.integers(0, 3))), st.booleans()
)
def test_all_at_once_decides_as_one_after_the_other_does(allowed: set[tuple[int, float, int]], batch: bool) -> None:
    kinds = {None: 0, STOPPED: 1, NOW: 2}

    def rule(i: int, r: float, then: float | None) -> bool:
        return (i, r, kinds.get(then, 3)) in allowed

    def room(r: float, then: float | None) -> float:
        return np.sin(7.0 * r + kinds.get(then, 3))

    proposed, safe = given_to([8.0] * 3, [0.8] * 3), given_to([0.0] * 3)
    one, other = (decided(Asked(rule, room), proposed, safe, batch, at_once) for at_once in (False, True))
    for part in ("sent", "safe", "then"):
        for ours, theirs in zip(getattr(one, part), getattr(other, part), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(one.share, other.share)
    np.testing.assert_array_equal(one.returned, other.returned)
    np.testing.assert_array_equal(one.foreseen[:, 0], other.foreseen[:, 0])


def outlook(lowest: Array, sound: bool = True) -> Outlook:
    n, variants = lowest.shape[:2]
    return Outlook(lowest, np.full((n, variants), sound), np.zeros((n, variants, 1)), np.zeros((n, variants, 1)))


def lowest(n: int = 1, variants: int = 3) -> Array:
    """Return smallest margins that are just kept, by themselves and with a margin of 0.5."""
    return np.full((n, variants, MARGINS), 0.5)


def kept(margins: Array | list[float], n: int) -> Array:
    """Return the margins that each of ``n`` plants must keep."""
    return np.tile(np.array(margins), (n, 1))


KEPT = [0.5, 0.5]


def test_a_margin_that_is_just_kept_is_kept() -> None:
    assert certified(outlook(lowest()), kept(KEPT, 1), HARD).tolist() == [True]


@pytest.mark.parametrize("variant", range(3))
@pytest.mark.parametrize("margin", range(MARGINS))
@pytest.mark.parametrize("value", [0.5 - 1e-9, -1.0, *BAD])
def test_every_enforced_margin_of_every_variant_counts(variant: int, margin: int, value: float) -> None:
    """Too small, and not finite on either side; the plant beside it keeps its certificate."""
    low = lowest(n=2)
    low[1, variant, margin] = value
    assert certified(outlook(low), kept(KEPT, 2), HARD).tolist() == [True, False]


@pytest.mark.parametrize("value", [-1.0, *BAD])
def test_a_margin_that_is_not_enforced_does_not_count(value: float) -> None:
    low = lowest()
    low[:, :, 1] = value
    assert certified(outlook(low), kept(KEPT, 1), np.array([True, False])).tolist() == [True]
    assert certified(outlook(low), kept(KEPT, 1), np.array([False, True])).tolist() == [False]


@pytest.mark.parametrize("margin", range(MARGINS))
def test_each_plant_keeps_its_own_margins(margin: int) -> None:
    """As one that is moved keeps more than one that is held."""
    own = kept(KEPT, 3)
    own[1, margin] += 1e-9
    assert certified(outlook(lowest(n=3)), own, HARD).tolist() == [True, False, True]
    own[1, margin] = np.nan
    assert certified(outlook(lowest(n=3)), own, HARD).tolist() == [True, False, True]


@pytest.mark.parametrize("variant", range(3))
def test_every_variant_must_be_sound(variant: int) -> None:
    found = outlook(lowest(n=2))
    found.sound[0, variant] = False
    assert certified(found, kept(KEPT, 2), HARD).tolist() == [False, True]


def test_a_margin_that_is_kept_is_kept_in_any_unit() -> None:
    rng = np.random.default_rng(0)
    low, own = rng.uniform(0.0, 1.0, (500, 3, MARGINS)), kept([0.3, 0.2], 500)
    unit = np.array([60.0, 2.0**-20])
    plain, scaled = certified(outlook(low), own, HARD), certified(outlook(low * unit), own * unit, HARD)
    assert 0 < plain.sum() < 500
    np.testing.assert_array_equal(plain, scaled)


def test_larger_margins_never_certify_more() -> None:
    rng = np.random.default_rng(1)
    low = rng.uniform(0.0, 1.0, (500, 3, MARGINS))
    certificates = [certified(outlook(low), np.full((500, MARGINS), m), HARD) for m in np.linspace(0.0, 1.0, 11)]
    assert all((less <= more).all() for more, less in pairwise(certificates))
    assert [int(found.sum()) for found in (certificates[0], certificates[-1])] == [500, 0]


def test_a_limit_that_others_imply_changes_nothing() -> None:
    rng = np.random.default_rng(2)
    low = rng.uniform(-0.5, 1.0, (500, 3, MARGINS))
    redundant = np.concatenate([low, low[:, :, :1] + 0.25], axis=2)
    found = certified(outlook(redundant), np.zeros((500, 3)), np.ones(3, dtype=bool))
    np.testing.assert_array_equal(found, certified(outlook(low), np.zeros((500, MARGINS)), HARD))
