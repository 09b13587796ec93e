"""The corners are the worst of what is declared, found by simulation; a linear tank says the same by formula."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from controller.contract import template
from controller.safety import corners
from controller.safety.adversaries import channels, command, mixed
from controller.safety.calibration import drift, horizon, situations
from controller.safety.corners import IDLE, NEAR, Situations, Spread, enforced, further, sensitivities, shares, varied, worst
from controller.safety.estimator import Gain
from controller.safety.field import Reading
from controller.safety.governor import Calibration, Governor
from controller.safety.shield import HELD, SHARES, UNCERTIFIED
from plant_models import catalogue
from plant_models.catalogue import get
from plant_models.core.plant import Margin, Plant, hard, soft
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command, Lookahead, Outlook, Standing
from tests.compiled import alone
from tests.safety import SHIELDED, episodes, known

CSTR = get("exothermic_cstr")
shielded = pytest.mark.parametrize("name", [pytest.param(name, marks=alone(name)) for name in SHIELDED])


@cache
def met(name: str) -> Situations:
    """Return situations of all kinds, met on the way by estimate."""
    plant = get(name)
    return situations(plant, plant.scenario(), known(name).gain, 3, 48, 12)


def test_what_must_hold_are_hard_limits_and_trips() -> None:
    assert enforced(CSTR).tolist() == [True, True]
    assert enforced(get("quadruple_tank")).tolist() == [True] * 6
    both = replace(CSTR, margins=lambda x, u, d, p: {"warm": soft(p.T_max - 1.0 - x.T)} | CSTR.margins(x, u, d, p))
    assert enforced(both).tolist() == [False, True, True]


def test_parameters_spread_as_declared() -> None:
    assert shares(CSTR).tolist() == [0.0] * 6 + [0.05, 0.05] + [0.0] * 3


def standing(n: int = 2) -> Standing:
    """Return reactors near their nominal state."""
    x = np.array([[0.877, 324.5]]) + np.arange(n)[:, None] * [[0.001, 0.5]]
    p = np.array([list(CSTR.Parameter.nominal())])
    return Standing(
        x[:, None], np.repeat(p[None], n, axis=0), np.tile([350.0, 1.0], (n, 1, 1, 1)), np.full((n, 1), 300.0), x,
        np.zeros((n, 10)), np.zeros((n, 1)), np.zeros((n, 2)),
    )  # fmt: skip


RAMP = np.array([[0.0, 0.002], [1.0, 0.01], [2.0, 0.01]])
SPREAD = Spread(np.array([[0.01, 1.0], [0.002, 0.2]]), RAMP, shares(CSTR))


def test_a_sign_moves_what_it_stands_for_by_its_spread_and_nothing_else() -> None:
    signs = np.concatenate([np.zeros((1, SPREAD.entries)), np.eye(SPREAD.entries), -np.eye(SPREAD.entries)])
    given, nominal = standing(), np.array(list(CSTR.Parameter.nominal()))
    found = varied(CSTR, given, signs, SPREAD, np.array([0, 5]))
    assert SPREAD.entries == 15
    for plant, phase in ((0, 0), (1, 1)):
        assert found.d.shape == (2, len(signs), len(RAMP), 2)
        for sample, moved in enumerate(RAMP):
            off = np.concatenate([SPREAD.states[phase], moved, nominal * SPREAD.parameters])
            middle = np.concatenate([given.x[plant, 0], given.d[plant, 0, 0], nominal])
            together = np.hstack([found.x[plant], found.d[plant, :, sample], found.p[0]])
            np.testing.assert_allclose(together, middle + signs * off, rtol=1e-14)


def test_what_is_varied_stays_within_what_is_valid_and_declared() -> None:
    """A disturbance that is measured beyond its range stays where it is, and is not taken farther."""
    wide = Spread(np.array([[10.0, 1000.0]]), np.array([[0.0, 0.0], [100.0, 1.0]]), shares(CSTR))
    given = standing()
    given.d[1, 0, 0] = [360.0, 0.9]
    signs = np.repeat([[1.0], [-1.0]], wide.entries, axis=1)
    found = varied(CSTR, given, signs, wide, np.array([0, 0]))
    np.testing.assert_array_equal(found.x[0], [[1.5, 650.0], [0.0, 250.0]])
    np.testing.assert_array_equal(found.d[0, :, 0], [[350.0, 1.0], [350.0, 1.0]])
    np.testing.assert_array_equal(found.d[0, :, 1], [[356.0, 1.03], [344.0, 0.97]])
    np.testing.assert_array_equal(found.d[1, :, 0], [[360.0, 0.9], [360.0, 0.9]])
    np.testing.assert_array_equal(found.d[1, :, 1], [[360.0, 1.03], [344.0, 0.9]])


@shielded
def test_a_corner_of_what_spreads_by_nothing_is_the_nominal_plant(name: str) -> None:
    plant, all_, known_ = get(name), met(name), known(name)
    nothing = Spread(np.zeros_like(known_.spread.states), 0.0 * known_.spread.disturbances, 0.0 * known_.spread.parameters)
    ahead = Lookahead(plant)
    found = ahead.hold(varied(plant, all_.standing, known_.signs, nothing, all_.phase), all_.sent, None, 4)
    nominal = int(np.flatnonzero((known_.signs == 0.0).all(axis=1))[0])
    for variant in range(len(known_.signs)):
        np.testing.assert_array_equal(found.lowest[:, variant], found.lowest[:, nominal])


def test_a_direction_lowers_the_margin_whichever_way_that_is() -> None:
    """Up lowers the first, down the second, the third does too little to count, nothing moves the last."""
    low = np.array([[5.0, 4.0, 6.0, 5.0 + 0.4 * IDLE, 5.0, 6.0, 4.0, 5.0 - 0.4 * IDLE, 5.0]])
    assert corners._direction(low).tolist() == [1.0, -1.0, 0.0, 0.0]
    assert corners._direction(np.repeat(low, 7, axis=0)).tolist() == [1.0, -1.0, 0.0, 0.0]
    strong = low.copy()
    strong[0, [3, 7]] = 5.0 + 2.0 * IDLE, 5.0 - 2.0 * IDLE
    assert corners._direction(strong).tolist() == [1.0, -1.0, -1.0, 0.0]
    assert corners._direction(np.array([[5.0, 4.0, 2.0 * IDLE, 6.0, 0.0]])).tolist() == [1.0, 0.0]
    assert corners._direction(np.full((3, 9), 5.0)).tolist() == [0.0] * 4
    assert corners._direction(np.full((3, 9), np.nan)).tolist() == [0.0] * 4


def test_a_direction_is_that_of_most_situations() -> None:
    low = np.array([[5.0, 4.0, 6.0], [5.0, 4.0, 6.0], [5.0, 5.5, 4.5], [5.0, np.nan, 6.0]])
    assert corners._direction(low).tolist() == [1.0]
    assert corners._direction(np.concatenate([low, low[2:3], low[2:3]])).tolist() == [1.0]
    assert corners._direction(np.concatenate([low, *[low[2:3]] * 4])).tolist() == [-1.0]


@shielded
def test_the_corners_lower_every_margin_that_must_hold(name: str) -> None:
    """In the situations nearest to each limit, some corner is nearer to it than the nominal plant in all but a few."""
    plant, all_, spread = get(name), met(name), known(name).spread
    signs = worst(plant, all_, spread, 6)
    nominal = int(np.flatnonzero((signs == 0.0).all(axis=1))[0])
    ahead = Lookahead(plant)
    low = ahead.hold(varied(plant, all_.standing, signs, spread, all_.phase), all_.sent, None, 6).lowest
    limits = np.flatnonzero(enforced(plant))
    assert len(signs) > 1
    assert len(signs) <= 1 + len(limits)
    for c in limits:
        near = low[:, nominal, c] <= np.quantile(low[:, nominal, c], NEAR)
        assert (low[near, :, c].min(axis=1) < low[near, nominal, c]).mean() > 0.95, c


@shielded
def test_what_is_worst_for_one_situation_lowers_its_margin(name: str) -> None:
    plant, all_, spread = get(name), met(name), known(name).spread
    some = np.zeros(len(all_.phase), dtype=bool)
    some[::9] = True
    part = Situations(all_.standing.of(some), all_.phase[some], all_.sent.of(some), None)
    count = int(some.sum())
    signs = further(plant, part, np.zeros(count, dtype=np.intp), spread, 6)
    assert signs.shape == (count, spread.entries)
    low = sensitivities(plant, part, spread, 6)[:, 0, 0]
    lower = 0
    for i in range(count):
        one = np.arange(count) == i
        corner = varied(plant, part.standing.of(one), signs[i : i + 1], spread, part.phase[one])
        lower += Lookahead(plant).hold(corner, part.sent.of(one), None, 6).lowest[0, 0, 0] < low[i]
    assert lower >= 0.95 * count


def test_one_situation_is_enough() -> None:
    all_, spread = met("exothermic_cstr"), known("exothermic_cstr").spread
    one = np.arange(len(all_.phase)) == 7
    part = Situations(all_.standing.of(one), all_.phase[one], all_.sent.of(one), None)
    rows = [further(CSTR, part, np.array([c]), spread, 6)[0] for c in (0, 1)]
    expected = np.unique(np.stack([np.zeros(spread.entries), *rows]), axis=0)
    np.testing.assert_array_equal(worst(CSTR, part, spread, 6), expected)


def test_only_what_is_sound_or_crosses_a_limit_tells_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    given, spread = met("exothermic_cstr"), known("exothermic_cstr").spread
    lowest = np.array([[[3.0, 9.0], [0.0, 7.0], [-1e-9, 7.0], [1e300, 1e300], [-2.0, np.nan]]])
    sound = np.array([[True, False, False, False, False]])

    class Foreseen:
        def __init__(self, *_: object) -> None:
            pass

        def hold(self, *_: object) -> Outlook:
            return Outlook(lowest, sound, lowest, lowest)

    monkeypatch.setattr(corners, "Lookahead", Foreseen)
    found = sensitivities(CSTR, given, spread, 6)
    nothing = [np.nan, np.nan]
    np.testing.assert_array_equal(found[0], [[3.0, 9.0], nothing, [-1e-9, 7.0], nothing, [-2.0, np.nan]])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e308])
def test_what_cannot_be_reckoned_with_has_no_margin_and_is_nobodys_worst(bad: float) -> None:
    all_, spread = met("exothermic_cstr"), known("exothermic_cstr").spread
    some = np.arange(len(all_.phase)) < 20
    part = Situations(all_.standing.of(some), all_.phase[some], all_.sent.of(some), None)
    d = part.standing.d.copy()
    d[3] = bad
    broken = replace(part, standing=part.standing._replace(d=d))
    low = sensitivities(CSTR, broken, spread, 6)
    assert np.isnan(low[3]).all()
    assert np.isfinite(np.delete(low, 3, axis=0)).all()
    assert np.isfinite(worst(CSTR, broken, spread, 6)).all()


def test_an_end_that_trips_the_plant_is_the_worse_one() -> None:
    """Where a reactor that may be far off runs away at one end of what is unknown, that end is part of the worst corner."""
    all_, spread = met("exothermic_cstr"), known("exothermic_cstr").spread
    far = Spread(3.0 * spread.states, 1.5 * spread.disturbances, 3.0 * spread.parameters)
    low = sensitivities(CSTR, all_, far, 6)
    tripping = (low[:, 1:, 1] < 0.0).any(axis=1) & (low[:, 0, 1] >= 0.0)
    assert tripping.sum() >= 3
    part = Situations(all_.standing.of(tripping), all_.phase[tripping], all_.sent.of(tripping), None)
    signs = further(CSTR, part, np.ones(int(tripping.sum()), dtype=np.intp), far, 6)
    ends = low[tripping, 1:, 1]
    assert (signs[np.arange(len(signs)), ends.argmin(axis=1) % far.entries] != 0.0).all()
    for i in range(len(signs)):
        one = np.arange(len(signs)) == i
        corner = varied(CSTR, part.standing.of(one), signs[i : i + 1], far, part.phase[one])
        assert Lookahead(CSTR).hold(corner, part.sent.of(one), None, 6).lowest[0, 0, 1] < 0.0


@shielded
def test_without_a_share_in_the_situations_there_is_no_corner(name: str) -> None:
    """What spreads by nothing has no worse end."""
    plant, all_, spread = get(name), met(name), known(name).spread
    only = replace(spread, states=np.zeros_like(spread.states), parameters=0.0 * spread.parameters)
    signs = worst(plant, all_, only, 6)
    states, disturbances = only.states.shape[1], only.disturbances.shape[1]
    assert (signs[:, :states] == 0.0).all()
    assert (signs[:, states + disturbances :] == 0.0).all()
    assert (signs[:, states : states + disturbances] != 0.0).any()


def governed(plant: Plant, all_: Situations, known_: Calibration, proposed: Command, safe: Command) -> Array:
    """Return the shares that a governor lets through in situations."""
    standing, n = all_.standing, len(all_.phase)
    governor = Governor(plant, n, known_)
    reading = Reading(standing.y, standing.u, standing.memory, standing.v, standing.was, standing.d[:, 0, 0])
    governor.begin(np.arange(n), reading, safe)
    governor.phase[:] = all_.phase
    return governor.allow(standing, proposed).share


def proposals(plant: Plant, n: int) -> Command:
    return command(plant, mixed(n, 1, channels(plant), np.random.default_rng(5))[:, 0])


@shielded
def test_smaller_declared_ranges_never_make_more_interventions(name: str) -> None:
    plant, all_, full = get(name), met(name), known(name)
    proposed = proposals(plant, len(all_.phase))
    interventions = []
    for scale in (1.0, 0.7, 0.4, 0.0):
        spread = Spread(*(scale * part for part in (full.spread.states, full.spread.disturbances, full.spread.parameters)))
        interventions.append(int((governed(plant, all_, replace(full, spread=spread), proposed, all_.sent) < 1.0).sum()))
    assert all(less <= more for more, less in pairwise(interventions)), interventions
    assert interventions[-1] < interventions[0]


@shielded
def test_every_corner_counts_in_a_decision(name: str) -> None:
    """With one corner less nothing is refused that was let through, and with the nominal plant alone the least is refused."""
    plant, all_, full = get(name), met(name), known(name)
    proposed = proposals(plant, len(all_.phase))
    whole = governed(plant, all_, full, proposed, all_.sent)
    fewer = [
        governed(plant, all_, replace(full, signs=np.delete(full.signs, row, axis=0)), proposed, all_.sent)
        for row in range(len(full.signs))
    ]
    assert all((part >= whole).all() for part in fewer)
    assert any((part > whole).any() for part in fewer)


@shielded
def test_larger_margins_never_let_more_through(name: str) -> None:
    plant, all_, full = get(name), met(name), known(name)
    proposed, unit = proposals(plant, len(all_.phase)), np.where(enforced(plant), 1.0, 0.0)
    stricter = [replace(full, margins=full.margins + m * unit) for m in (0.0, 0.5, 2.0)]
    allowed = [governed(plant, all_, each, proposed, all_.sent) for each in stricter]
    assert all((less <= more).all() for more, less in pairwise(allowed))
    assert allowed[-1].sum() < allowed[0].sum()


@shielded
def test_slack_keeps_moves_back_and_nothing_that_is_held(name: str) -> None:
    """The more, the less is let through; with as much as nobody has only what was safe is left, where it was certified before.

    What asks for what was safe does not ask for a move.
    """
    plant, all_, full = get(name), met(name), known(name)
    proposed = proposals(plant, len(all_.phase))
    moving = (proposed.r != all_.sent.r).any(axis=1) | (proposed.a != all_.sent.a).any(axis=1)
    allowed = [
        governed(plant, all_, replace(full, slack=np.full_like(full.slack, slack)), proposed, all_.sent)
        for slack in (0.0, 0.5, 2.0, 1e9)
    ]
    assert all((less <= more).all() for more, less in pairwise(allowed))
    assert allowed[-1].sum() < allowed[0].sum()
    assert set(allowed[-1][moving].tolist()) <= {HELD, UNCERTIFIED}
    np.testing.assert_array_equal(allowed[-1][~moving], allowed[0][~moving])
    everything = replace(full, slack=np.zeros_like(full.slack))
    held = governed(plant, all_, everything, all_.sent, all_.sent)
    assert (allowed[-1][moving & (held == 1.0)] == HELD).all()
    assert (allowed[-1][allowed[0] == UNCERTIFIED] == UNCERTIFIED).all()


def redeclared(x: object, u: object, d: object, p: object) -> dict[str, Margin]:
    """Declare the reactor's limits in thousandths of a kelvin, and a third limit that the first implies."""
    declared = CSTR.margins(x, u, d, p)
    milli = {name: Margin(1000.0 * margin.value, margin.kind) for name, margin in declared.items()}
    return milli | {"hotter still": hard(declared["hot"].value + 2.0)}


@pytest.mark.every
def test_neither_another_unit_nor_a_limit_that_others_imply_changes_any_decision() -> None:
    all_, full = (
        met("exothermic_cstr"),
        replace(known("exothermic_cstr"), margins=np.array([0.4, 0.1]), slack=np.array([0.3, 0.2])),
    )
    other = replace(CSTR, margins=redeclared)
    proposed = proposals(CSTR, len(all_.phase))
    plain = governed(CSTR, all_, full, proposed, all_.sent)
    restated = replace(full, margins=np.array([400.0, 100.0, 0.0]), slack=np.array([300.0, 200.0, 0.0]))
    np.testing.assert_array_equal(governed(other, all_, restated, proposed, all_.sent), plain)
    assert len(set(plain.tolist())) >= 3
    rows = {row.tobytes() for row in worst(CSTR, all_, full.spread, 6) + 0.0}
    assert {row.tobytes() for row in worst(other, all_, full.spread, 6) + 0.0} == rows


@shielded
def test_disturbances_move_less_than_is_reckoned_with_in_almost_all_cases(name: str) -> None:
    drawn = episodes(get(name), 64, seed=4)
    far = drift(drawn, 12)
    assert far.shape == (13, len(get(name).Disturbance.names()))
    assert (far[0] == 0.0).all()
    assert (np.diff(far, axis=0) >= 0.0).all()
    np.testing.assert_array_equal(drift(drawn, 3), far[:4])
    d = drawn.exogenous[:, :, : far.shape[1]]
    for h in range(1, 13):
        moved = np.abs(d[:, h:] - d[:, :-h])
        assert ((moved <= far[h]).mean(axis=(0, 1)) > 0.998).all()
    assert (far[12] <= np.ptp(d, axis=1).max(axis=0)).all()
    np.testing.assert_array_equal(drift(replace(drawn, exogenous=np.ones_like(drawn.exogenous)), 3), np.zeros_like(far[:4]))


@shielded
def test_the_horizon_is_long_enough_to_show_what_a_command_leads_to(name: str) -> None:
    plant, all_ = get(name), met(name)
    found = horizon(plant, all_)
    ahead, limits = Lookahead(plant), enforced(plant)
    within, beyond = (
        (ahead.hold(all_.standing, all_.sent, None, h).lowest[:, 0, limits] >= 0.0).all(axis=1) for h in (found, 90)
    )
    assert (within & ~beyond).mean() <= 0.002
    assert (~beyond).any()


LINEAR = {
    ", rate=5.0e6": "",
    "K_c=1.67e6, T_i=1.6, setpoint=2.09e5, disturbance=((\"T_in\", -2.09e5),)": "K_c=1e-6, T_i=1e6, setpoint=2.09e5",
}  # fmt: skip


@pytest.fixture
def tank(tmp_path: Path) -> Iterator[Plant]:
    """A heated tank whose heater follows the setpoint and nothing else, so that its course is one exponential function."""
    text = template.text("linear_tank")
    for old, new in LINEAR.items():
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "linear_tank.py"
    path.write_text(text)
    yield catalogue.load(path)
    for name in [name for name in sys.modules if name.startswith(f"{catalogue.OWN}.")]:
        del sys.modules[name]
    for cached in (catalogue.load, catalogue._problem):
        cached.cache_clear()


T_MAX, HORIZON, DECISION, PERIOD = 338.0, 8, 1.0, 0.2
STATE, FEED, FLOW = 0.2, 1.5, 0.05
KEPT, SLACK = 0.3, 0.2
"""What every certificate keeps, and what one for a move keeps more."""


def temperature(T: Array, T_in: Array, r: Array, t: float, q: float) -> Array:
    """Return the temperature after ``t`` minutes under a setpoint, by the solution of the balance."""
    rest = T_in + (4.18e6 + 2.09e5 * (r - 320.0)) / (q * 4180.0)
    course: Array = rest + (T - rest) * np.exp(-q / 200.0 * t)
    return course


def hottest(T: Array, T_in: Array, r: Array, then: Array | None, q: float) -> Array:
    """Return the highest temperature at the end of any loop period, under a setpoint for a decision and then another.

    Where none follows the heater is switched off, and the tank, warmer than its feed, cools.
    """
    after = temperature(T, T_in, r, DECISION, q)
    ends = [temperature(T, T_in, r, PERIOD, q), after]
    if then is not None:
        ends += [temperature(after, T_in, then, t, q) for t in (PERIOD, (HORIZON - 1) * DECISION)]
    highest: Array = np.max(ends, axis=0)
    return highest


def by_formula(T: Array, T_in: Array, safe: Array, proposed: Array) -> tuple[Array, Array]:
    """Return the shares that the shield must let through, and the least distance of any certificate from its limit."""
    share, nearest = np.full(len(T), UNCERTIFIED), np.full(len(T), np.inf)
    for k, held in [*((k, held) for k in SHARES for held in (True, False)), (HELD, True), (HELD, False)]:
        r = safe + k * (proposed - safe)
        then = r if held else None if k == HELD else safe
        hot = [
            hottest(T + s * STATE, np.clip(T_in + s * FEED, 290.0, 310.0), r, then, 50.0 * (1.0 - s * FLOW)) for s in (0.0, 1.0)
        ]
        left = T_MAX - KEPT - SLACK * (k > HELD) - np.max(hot, axis=0)
        nearest = np.minimum(nearest, np.abs(left))
        share = np.where((share == UNCERTIFIED) & (left >= 0.0), k, share)
    off = T_MAX - KEPT - np.max([cooled(T + s * STATE, np.clip(T_in + s * FEED, 290.0, 310.0), s) for s in (0.0, 1.0)], axis=0)
    share = np.where((share == UNCERTIFIED) & (off >= 0.0), HELD, share)
    return share, np.minimum(nearest, np.abs(off))


def cooled(T: Array, T_in: Array, s: float) -> Array:
    """Return the highest temperature at the end of any loop period with the heater off: that of the first."""
    rest: Array = T_in + (T - T_in) * np.exp(-50.0 * (1.0 - s * FLOW) / 200.0 * PERIOD)
    return rest


@pytest.mark.every
def test_on_a_linear_tank_it_lets_through_what_the_formula_does(tank: Plant) -> None:
    n, rng = 4000, np.random.default_rng(0)
    T, T_in = rng.uniform(326.0, 339.0, n), rng.uniform(292.0, 308.0, n)
    safe, proposed = rng.uniform(315.0, 336.0, n), rng.uniform(305.0, 336.0, n)
    parameters = np.zeros(6)
    parameters[0] = FLOW
    signs = np.zeros((2, 8))
    signs[1, :3] = 1.0, 1.0, -1.0
    spread = Spread(np.array([[STATE]]), np.array([[FEED]]), parameters)
    gain = Gain(np.zeros((1, 2, 1)), np.ones((1, 1)))
    hand_made = Calibration(gain, spread, signs, HORIZON, np.array([KEPT, 0.0]), np.array([SLACK, 0.0]))
    p = np.tile(np.array(list(tank.Parameter.nominal())), (n, 1, 1))
    memory = np.zeros((n, 5))
    memory[:, 2], memory[:, 3] = T, 4.18e6
    given = Standing(
        T[:, None, None],
        p,
        T_in[:, None, None, None],
        np.full((n, 1), 4.18e6),
        T[:, None],
        memory,
        np.zeros((n, 1)),
        np.zeros((n, 1)),
    )
    all_ = Situations(given, np.zeros(n, dtype=np.intp), _sent(safe), None)
    found = governed(tank, all_, hand_made, _sent(proposed), _sent(safe))
    expected, nearest = by_formula(T, T_in, safe, proposed)
    clear = nearest > 1e-3
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(found[clear], expected[clear])
    assert sorted(set(expected[clear].tolist())) == [UNCERTIFIED, HELD, *sorted(SHARES)]


def _sent(r: Array) -> Command:
    return Command(r[:, None], np.zeros((len(r), 1)), np.zeros(len(r), dtype=bool))
