"""Whatever is looked ahead at first, what is found is what looking ahead at everything finds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from controller.safety.certifier import Certifier
from controller.safety.shield import Certificate, Flags, Index, certified, nearest
from plant_models.core.scenario import Array
from plant_models.derive.layout import LANES
from plant_models.env.lookahead import Command, Outlook, Standing

VARIANTS, MARGINS, OPTIONS = 5, 3, 8
ENFORCED, SCALES = np.array([True, False, True]), np.array([2.0, 1.0, 0.5])
KEPT, SLACK = np.array([0.1, 9.0, 0.0]), np.array([0.3, 9.0, 0.2])


@dataclass
class World:
    """What is foreseen: of plant ``i`` under command ``c`` in variant ``j``, lowest[c, i, j] and sound[c, i, j]."""

    lowest: Array
    sound: Flags
    seen: list[tuple[int, int, int]] = field(default_factory=list)

    @classmethod
    def of(cls, n: int, seed: int, level: float = 0.4) -> World:
        rng = np.random.default_rng(seed)
        size = OPTIONS + 1, n, VARIANTS
        # What is bad for a plant in one variant under one command mostly is under another.
        alike = rng.normal(level, 0.4, (1, n, VARIANTS, 1)) + rng.normal(0.0, 0.3, (*size, MARGINS))
        lowest = np.where(rng.random((*size, MARGINS)) < 0.02, np.nan, alike)
        return cls(lowest, rng.random(size) > 0.02)

    def foresee(self, all_: Standing, first: Command, then: Command, plants_: Index) -> Outlook:
        """Plants know who they are by their first state and their variant by the second; parameters and disturbances agree."""
        standing = all_.of(plants_)
        plants, variants = standing.x[:, :, 0].astype(int), standing.x[:, :, 1].astype(int)
        assert (standing.d[:, :, 0, 0] == variants).all()
        assert np.broadcast_to(standing.p[:, :, 0] == variants, variants.shape).all()
        assert (standing.u[:, 0] == plants[:, 0]).all()
        commands = np.repeat(first.r[:, :1].astype(int), variants.shape[1], axis=1)
        assert (then.r[:, 0] == -commands[:, 0]).all()
        self.seen += zip(commands.ravel().tolist(), plants.ravel().tolist(), variants.ravel().tolist(), strict=True)
        return Outlook(self.lowest[commands, plants, variants], self.sound[commands, plants, variants], standing.x, standing.y)


def standing(n: int, own: bool, variants: int = VARIANTS) -> Standing:
    """Return plants whose states say who they are; ``own`` parameters, or the same for all of them."""
    x = np.stack(np.meshgrid(np.arange(n), np.arange(variants), indexing="ij"), axis=-1).astype(float)
    d = x[:, :, None, 1:]
    p = x[:, :, 1:] if own else x[:1, :, 1:]
    each = np.arange(n, dtype=float)[:, None]
    return Standing(x, p, d, each, each, each, each, each)


def commands(options: Index, plants: Index) -> tuple[Command, Command]:
    c = np.repeat(options, len(plants)).astype(float)[:, None]
    quiet = np.zeros((len(c), 1)), np.zeros(len(c), dtype=bool)
    return Command(c, *quiet), Command(-c, *quiet)


def asked(world: World, n: int, left: Index, moved: Flags, own: bool = False) -> tuple[Certificate, Certificate]:
    """Ask about the whole move of all plants, then about options of those that are left; ``moved`` (1 + options,)."""
    certifier = Certifier(world.foresee, standing(n, own), KEPT, SLACK, ENFORCED, SCALES)
    whole = certifier.certify(*commands(np.zeros(1, dtype=int), np.arange(n)), np.arange(n), np.repeat(moved[:1], n))
    world.seen.clear()
    given = commands(1 + np.arange(OPTIONS), left)
    return whole, certifier.certify(*given, np.tile(left, OPTIONS), np.repeat(moved[1:], len(left)))


def everything(world: World, left: Index, moved: Flags) -> tuple[Flags, Array, Array]:
    """Return what looking ahead at all options in all variants finds of these plants: found, foreseen and room, (options, m)."""
    lowest, sound = world.lowest[1:, left], world.sound[1:, left]
    outlooks = [
        Outlook(*both, np.zeros((len(left), VARIANTS, 0)), np.zeros((len(left), VARIANTS, 0)))
        for both in zip(lowest, sound, strict=True)
    ]
    distance = KEPT + moved[1:, None] * SLACK
    found = [certified(o, np.tile(kept, (len(left), 1)), ENFORCED) for o, kept in zip(outlooks, distance, strict=True)]
    return np.array(found), lowest.min(axis=2), np.array([nearest(o, SCALES, ENFORCED) for o in outlooks])


MOVED = np.array([True] * 6 + [False] * 3)
FEW, MANY = LANES // (OPTIONS * VARIANTS), 40


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("n", "m"), [(1, 1), (MANY, FEW), (MANY, FEW + 1), (MANY, 17), (MANY, MANY)])
def test_the_first_command_that_is_safe_is_found_and_nothing_that_is_not(n: int, m: int, seed: int) -> None:
    world, left = World.of(n, seed), np.sort(np.random.default_rng(seed).permutation(n)[:m])
    whole, rest = asked(world, n, left, MOVED, own=bool(seed % 2))
    found, foreseen, _ = everything(world, left, MOVED)
    told, told_lowest = rest.found.reshape(OPTIONS, m), rest.foreseen.reshape(OPTIONS, m, MARGINS)
    some = found.any(axis=0)
    np.testing.assert_array_equal(told.any(axis=0), some)
    np.testing.assert_array_equal(told.argmax(axis=0), found.argmax(axis=0))
    assert (found | ~told).all()
    first = found.argmax(axis=0)[some], np.flatnonzero(some)
    np.testing.assert_array_equal(told_lowest[first], foreseen[first])
    by_itself = Outlook(world.lowest[0], world.sound[0], np.zeros((n, VARIANTS, 0)), np.zeros((n, VARIANTS, 0)))
    np.testing.assert_array_equal(whole.found, certified(by_itself, np.tile(KEPT + SLACK, (n, 1)), ENFORCED))


@pytest.mark.parametrize(("n", "m"), [(1, 1), (MANY, FEW), (MANY, MANY)])
def test_room_is_that_of_all_variants_for_the_entries_that_are_asked_for(n: int, m: int) -> None:
    world, left = World.of(n, 3), np.arange(m)
    whole, rest = asked(world, n, left, MOVED)
    _, _, room = everything(world, left, MOVED)
    rows = np.array([OPTIONS * m - 1, 0, 3 * m])
    np.testing.assert_array_equal(rest.nearest(rows), room.ravel()[rows])
    by_itself = Outlook(world.lowest[0], world.sound[0], np.zeros((n, VARIANTS, 0)), np.zeros((n, VARIANTS, 0)))
    np.testing.assert_array_equal(whole.nearest(np.arange(n)[::-1]), nearest(by_itself, SCALES, ENFORCED)[::-1])


@pytest.mark.parametrize(("m", "at_once"), [(FEW, True), (FEW + 1, False), (MANY, False)])
def test_many_plants_are_looked_ahead_at_half_as_often_at_most_and_a_few_at_once(m: int, at_once: bool) -> None:
    world = World.of(MANY, 0, level=-0.4 if m == FEW + 1 else 0.0)
    asked(world, MANY, np.arange(m), MOVED)
    if at_once:
        assert len(world.seen) == len(set(world.seen)) == m * OPTIONS * VARIANTS
    else:
        assert len(world.seen) < 0.5 * m * OPTIONS * VARIANTS


@pytest.mark.parametrize("at_once", [True, False])
def test_what_just_fits_a_chunk_is_looked_ahead_at_once(at_once: bool) -> None:
    """Two commands each for plants that fail in every variant: all of it at once, or one variant for each command."""
    variants = LANES // 8
    world = World(np.full((3, MANY, variants, MARGINS), -1.0), np.ones((3, MANY, variants), dtype=bool))
    certifier = Certifier(world.foresee, standing(MANY, own=False, variants=variants), KEPT, SLACK, ENFORCED, SCALES)
    certifier.certify(*commands(np.zeros(1, dtype=int), np.arange(MANY)), np.arange(MANY), np.zeros(MANY, dtype=bool))
    world.seen.clear()
    left = np.arange(4 if at_once else 5)
    certifier.certify(*commands(1 + np.arange(2), left), np.tile(left, 2), np.zeros(2 * len(left), dtype=bool))
    assert len(world.seen) == (LANES if at_once else 2 * len(left))


def test_what_failed_in_a_variant_is_tried_in_that_one_first_afterwards() -> None:
    """A plant that is bad in its third variant alone is seen in it once for each option, and in no other."""
    world = World(np.ones((OPTIONS + 1, MANY, VARIANTS, MARGINS)), np.ones((OPTIONS + 1, MANY, VARIANTS), dtype=bool))
    world.lowest[:, :, 2, 0] = -1.0
    world.lowest[:, 1, 2, 0], world.sound[:, 1, 3] = 1.0, False
    world.lowest[:, 2, 2, 0], world.lowest[:, 2, 4, 2] = 1.0, np.nan
    world.lowest[:, 3, 2, 0], world.lowest[:, 3, 1] = 1.0, np.inf
    asked(world, MANY, np.arange(MANY), MOVED)
    looked = {0: 2, 1: 3, 2: 4, 3: 1}
    assert sorted(place for place in world.seen if place[1] < 4) == [
        (1 + c, i, looked[i]) for c in range(OPTIONS) for i in range(4)
    ]
    assert len(world.seen) == MANY * OPTIONS


def test_a_variant_that_turns_out_worse_on_the_way_takes_its_place() -> None:
    """The whole move is bad in the second variant, all that is less of it in the fourth alone: that is found once."""
    world = World(np.ones((OPTIONS + 1, MANY, VARIANTS, MARGINS)), np.ones((OPTIONS + 1, MANY, VARIANTS), dtype=bool))
    world.lowest[0, :, 1, 2] = -0.1
    world.lowest[1:, :, 3, 0] = -1.0
    _, rest = asked(world, MANY, np.arange(MANY), MOVED)
    assert not rest.found.any()
    assert len(world.seen) == MANY * (1 + VARIANTS + OPTIONS - 1)


def test_how_bad_a_variant_is_counts_as_a_share_beyond_its_distance_of_what_is_enforced() -> None:
    """The third margin is 0.2 short of 0.5, the first 0.6 short of 2: the third tells, and the second, not enforced, nothing."""
    world = World(np.full((OPTIONS + 1, MANY, VARIANTS, MARGINS), 5.0), np.ones((OPTIONS + 1, MANY, VARIANTS), dtype=bool))
    world.lowest[:, :, 0, 0], world.lowest[:, :, 3, 2], world.lowest[:, :, 4, 1] = 0.4 - 0.6, 0.2 - 0.2, -99.0
    asked(world, MANY, np.arange(MANY), np.ones(OPTIONS + 1, dtype=bool))
    assert {variant for _, _, variant in world.seen} == {3}
