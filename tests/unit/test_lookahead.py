"""Looking ahead is the simulator itself, without noise: for any number of plants and variants, by hand or not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from controller.safety.field import Field
from plant_models.catalogue import get, names
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.layout import COMPLETE, LANES
from plant_models.env.lookahead import Command, Lookahead, Outlook, Standing, coarser
from plant_models.env.scenario import Episodes
from plant_models.env.simulator import Simulator
from plant_models.env.substeps import substeps
from tests.safety import SHIELDED, anywhere, quiet, true

DECISIONS = 6
shielded = pytest.mark.parametrize("name", SHIELDED)
COMMANDS = {"held": (False, None), "followed": (False, False), "stopped": (True, None), "stopped later": (False, True)}


def moving(plant: Plant, n: int, sub: int) -> Field:
    """Return plants in full motion, whose loop periods are integrated in ``sub`` steps."""
    return set_out(plant, quiet(plant, n), sub)


def set_out(plant: Plant, drawn: Episodes, sub: int) -> Field:
    """Return plants on episodes, some decisions on."""
    n, field = len(drawn), Field(plant, drawn)
    simulator = Simulator(plant, n, drawn.scenario.steps, sub, operated=True)
    simulator.load(drawn, np.arange(n))
    simulator.E.write("manual", field.simulator.E.read("manual"))
    field.simulator = simulator
    for seed in range(3):
        field.command(anywhere(plant, n, 10 + seed))
    return field


def real(field: Field, first: Command, then: Command | None) -> tuple[Array, Array, Array]:
    """Return the smallest margins, states and outputs that the simulator comes to."""
    lowest = np.full_like(field.lowest, np.inf)
    for k in range(DECISIONS):
        field.command(first if k == 0 or then is None else then)
        lowest = np.minimum(lowest, field.lowest)
    return lowest, field.simulator.S.read("x").T, field.simulator.S.read("y").T


def foreseen(field: Field, standing: Standing, first: Command, then: Command | None) -> Outlook:
    return Lookahead(field.plant).hold(standing, first, then, DECISIONS)


@shielded
@pytest.mark.parametrize("kind", COMMANDS)
def test_what_is_foreseen_is_what_happens(name: str, kind: str) -> None:
    """Without noise, with true parameters and in the same sub-steps: to nine digits."""
    plant, (stopped, later) = get(name), COMMANDS[kind]
    field, n = moving(plant, 8, coarser(plant)), 8
    first, then = anywhere(plant, n, 1, safe=stopped), None if later is None else anywhere(plant, n, 2, safe=later)
    outlook = foreseen(field, true(field, field.read()), first, then)
    lowest, x, y = real(field, first, then)
    np.testing.assert_allclose(outlook.lowest[:, 0], lowest, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(outlook.x[:, 0], x, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(outlook.y[:, 0], y, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(outlook.sound[:, 0], field.running)


@pytest.mark.parametrize("name", [name if name in SHIELDED else pytest.param(name, marks=pytest.mark.every) for name in names()])
def test_coarser_steps_are_fine_enough(name: str) -> None:
    """What is foreseen in fewer sub-steps is within a thousandth of a range of what the simulator finds, where that finds any."""
    plant = get(name)
    field, first = moving(plant, 16, substeps(plant)), anywhere(plant, 16, 1)
    outlook = foreseen(field, true(field, field.read()), first, None)
    _, x, _ = real(field, first, None)
    ranges = np.array([q.half_range for q in plant.State.quantities().values()])
    np.testing.assert_array_equal(outlook.sound[:, 0], field.running | (field.simulator.S.read("status")[0] == COMPLETE))
    assert outlook.sound.sum() >= 8
    assert (np.abs(outlook.x[:, 0] - x)[outlook.sound[:, 0]] <= 1e-3 * ranges).all()


@shielded
@pytest.mark.parametrize("samples", [1, 3, DECISIONS + 1])
def test_disturbances_move_as_they_are_given_and_the_last_is_held(name: str, samples: int) -> None:
    """From sample to sample in the simulator's way."""
    plant, n = get(name), 8
    field = moving(plant, n, coarser(plant))
    d, begun = len(plant.Disturbance.names()), int(field.simulator.k[0])
    half = np.array([q.half_range for q in plant.Disturbance.quantities().values()])
    course = field.episodes.exogenous[:, begun : begun + DECISIONS + 1, :d].copy()
    course += 0.3 * half * np.random.default_rng(0).uniform(-1.0, 1.0, course.shape)
    course[:, samples:] = course[:, samples - 1 : samples]
    exogenous = field.episodes.exogenous.copy()
    exogenous[:, begun : begun + DECISIONS + 1, :d] = course
    field = set_out(plant, replace(field.episodes, exogenous=exogenous), coarser(plant))
    standing = true(field, field.read())._replace(d=course[:, None, :samples])
    outlook = foreseen(field, standing, anywhere(plant, n, 1), None)
    lowest, x, _ = real(field, anywhere(plant, n, 1), None)
    np.testing.assert_allclose(outlook.lowest[:, 0], lowest, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(outlook.x[:, 0], x, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shared", [False, True])
def test_a_plant_may_be_named_more_than_once(shared: bool) -> None:
    """As a row of its own, or as one of all plants that commands are for; with its own parameters, or those of all."""
    plant, n, variants = get("exothermic_cstr"), 4, 2
    field = moving(plant, n, coarser(plant))
    standing, first, then = spread(true(field, field.read()), variants), anywhere(plant, n, 1), anywhere(plant, n, 2)
    standing = standing._replace(p=standing.p[:1]) if shared else standing
    whole, named, ahead = foreseen(field, standing, first, then), np.array([3, 0, 3, 1, 0]), Lookahead(plant)
    by_name = first.of(named), then.of(named), DECISIONS
    for found in (ahead.hold(standing.of(named), *by_name), ahead.hold(standing, *by_name, named)):
        for part, all_ in ((found.lowest, whole.lowest), (found.x, whole.x), (found.y, whole.y)):
            np.testing.assert_allclose(part, all_[named], rtol=1e-12, atol=1e-12)


@shielded
def test_more_plants_than_fit_a_chunk_are_each_what_they_are_alone(name: str) -> None:
    plant, n, variants = get(name), 45, 3
    assert n * variants > 2 * LANES
    field = moving(plant, n, coarser(plant))
    standing, first, then = spread(true(field, field.read()), variants), anywhere(plant, n, 1), anywhere(plant, n, 2)
    together = foreseen(field, standing, first, then)
    alone = Lookahead(plant)
    for e in (0, 21, 22, n - 1):
        one = np.arange(n) == e
        found = alone.hold(standing.of(one), first.of(one), then.of(one), DECISIONS)
        np.testing.assert_allclose(found.lowest[0], together.lowest[e], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(found.x[0], together.x[e], rtol=1e-12, atol=1e-12)


@shielded
def test_some_plants_are_what_they_are_among_all(name: str) -> None:
    """Whatever was foreseen before: lanes that are left over tell nothing."""
    plant, n, variants = get(name), 40, 2
    field = moving(plant, n, coarser(plant))
    standing, first = spread(true(field, field.read()), variants), anywhere(plant, n, 1)
    ahead = Lookahead(plant)
    whole = ahead.hold(standing, first, anywhere(plant, n, 2, safe=True), DECISIONS)
    whole = ahead.hold(standing, first, None, DECISIONS)
    some = np.random.default_rng(0).random(n) < 0.3
    part = ahead.hold(standing.of(some), first.of(some), None, DECISIONS)
    assert 3 < some.sum() < 20
    for found, among in ((part.lowest, whole.lowest), (part.sound, whole.sound), (part.x, whole.x), (part.y, whole.y)):
        np.testing.assert_array_equal(found, among[some])


def test_parameters_that_all_share_are_those_of_each() -> None:
    plant, n = get("exothermic_cstr"), 5
    field = moving(plant, n, coarser(plant))
    standing, first = true(field, field.read()), anywhere(plant, n, 1)
    same = np.repeat(standing.p[:1], n, axis=0)
    each, shared = (foreseen(field, standing._replace(p=p), first, None) for p in (same, same[:1]))
    np.testing.assert_array_equal(each.lowest, shared.lowest)
    some = np.arange(n) > 2
    assert standing._replace(p=same[:1]).of(some).p.shape[0] == 1
    assert standing.of(some).p.shape[0] == 2


@pytest.mark.parametrize("part", ["x", "d", "y", "u", "memory"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e308])
def test_what_cannot_be_reckoned_with_is_not_sound(part: str, value: float) -> None:
    """A number that is none, in anything that is known of a plant, never looks safe; the plant beside it is untouched."""
    plant = get("exothermic_cstr")
    field = moving(plant, 2, coarser(plant))
    standing = true(field, field.read())
    whole = foreseen(field, standing, anywhere(plant, 2, 1), None)
    broken = {name: getattr(standing, name).copy() for name in ("x", "d", "y", "u", "memory")}
    broken[part][0, ..., :] = value
    found = foreseen(field, standing._replace(**broken), anywhere(plant, 2, 1), None)
    if part in ("x", "d"):
        assert not found.sound[0, 0]
    if found.sound[0, 0]:
        assert np.isfinite(found.lowest[0]).all()
    np.testing.assert_array_equal(found.lowest[1], whole.lowest[1])


def spread(standing: Standing, variants: int) -> Standing:
    """Return the same plants in variants that differ in every state."""
    off = 1.0 + 0.01 * np.arange(variants)[None, :, None]
    d, p = (np.repeat(part, variants, axis=1) for part in (standing.d, standing.p))
    return standing._replace(x=standing.x * off, d=d, p=p)


@shielded
def test_the_safe_action_brings_inputs_to_their_declared_values_within_their_rates(name: str) -> None:
    plant = get(name)
    field = moving(plant, 4, substeps(plant))
    quantities = plant.Input.quantities()
    at = np.array([plant.safe_action[name] for name in quantities])
    farthest = np.array([q.rate * plant.decision for q in quantities.values()])
    stop, u = anywhere(plant, 4, 1, safe=True), field.read().u.copy()
    for _ in range(12):
        field.command(stop)
        now = field.read().u.copy()
        assert (np.abs(now - u) <= farthest * (1.0 + 1e-9)).all()
        assert (np.abs(now - at) <= np.maximum(np.abs(u - at) - farthest, 0.0) + 1e-9).all()
        u = now
    np.testing.assert_allclose(u, np.broadcast_to(at, u.shape), atol=1e-9)


@shielded
def test_from_the_safe_action_the_loops_take_over_without_a_bump(name: str) -> None:
    """At rest under a safe action, plants asked for what they have move no input by more than 2 % of its span."""
    shipped = get(name)
    quantities = shipped.Input.quantities()
    near = {name: q.nominal - 0.05 * (q.high - q.low) for name, q in quantities.items()}
    plant = replace(shipped, safe_action=near)
    field = moving(plant, 4, substeps(plant))
    for _ in range(45):
        field.command(anywhere(plant, 4, 1, safe=True))
    before = field.read()
    pvs = [plant.Output.names().index(loop.pv) for loop in plant.masters]
    u, asked = before.u.copy(), before.y[:, pvs].copy()
    spans = np.array([q.high - q.low for q in quantities.values()])
    for _ in range(3):
        field.command(Command(asked, np.zeros((4, len(plant.acted))), np.zeros(4, dtype=bool)))
        assert (np.abs(field.read().u - u) <= 0.02 * spans).all()
