"""Branching lets NaN through on every backend: floats, arrays, symbols, quantities with units and compiled code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import casadi as ca
import numpy as np
import pint
import pytest

from plant_models.catalogue import get
from plant_models.core.smooth import clamp, positive, ramp, where
from plant_models.derive import symbolic
from plant_models.derive.closed_loop import Trace
from plant_models.derive.layout import FAILED
from plant_models.derive.vector_math import HEAD
from plant_models.env.scenario import draw
from plant_models.env.substeps import fleet

Evaluate = Callable[[Callable[[Any], Any], float], float]
POINTS = (-np.inf, -1.0, 0.0, 279.9, 280.0, 300.0, 320.0, 320.1, np.inf)


def on_symbols(f: Callable[[Any], Any], x: float) -> float:
    assert symbolic.ca is ca  # importing it is what registers the symbols
    symbol = ca.SX.sym("x")
    return float(ca.Function("f", [symbol], [f(symbol)])(x))


def on_arrays(f: Callable[[Any], Any], x: float) -> float:
    return float(f(np.array([x]))[0])


def on_floats(f: Callable[[Any], Any], x: float) -> float:
    return float(f(x))


backends = pytest.mark.parametrize("on", [on_floats, on_arrays, on_symbols])
functions = pytest.mark.parametrize(
    "f", [lambda x: clamp(x, 280.0, 320.0), positive, lambda x: ramp(x, 280.0, 320.0)], ids=["clamp", "positive", "ramp"]
)


@backends
@functions
def test_nan_stays_nan(f: Callable[[Any], Any], on: Evaluate) -> None:
    assert np.isnan(on(f, np.nan))


@backends
@functions
def test_backends_agree(f: Callable[[Any], Any], on: Evaluate) -> None:
    for x in (point for point in POINTS if np.isfinite(point)):
        assert on(f, x) == pytest.approx(f(x), rel=1e-15, abs=0.0)


@backends
def test_clamp_holds_every_point_within_its_limits(on: Evaluate) -> None:
    for x in POINTS:
        assert on(lambda v: clamp(v, 280.0, 320.0), x) == min(max(x, 280.0), 320.0)


def test_ramp_rises_from_zero_to_one_without_a_kink() -> None:
    x = np.linspace(-0.5, 1.5, 20001)
    y = ramp(x, 0.0, 1.0)
    slope = np.gradient(y, x)
    assert (y[0], y[-1]) == (0.0, 1.0)
    assert (np.diff(y) >= 0.0).all()
    assert np.abs(np.diff(slope)).max() < 1e-3
    assert ramp(0.5, 0.0, 1.0) == pytest.approx(0.5)


def test_quantities_keep_their_units() -> None:
    units: pint.UnitRegistry[Any] = pint.UnitRegistry()
    hot, low, high = (units.Quantity(v, "kelvin") for v in (350.0, 280.0, 320.0))
    assert clamp(hot, low, high) == high
    assert positive(low - hot) == units.Quantity(0.0, "kelvin")
    with pytest.raises(pint.DimensionalityError):
        clamp(units.Quantity(1.0, "second"), low, high)


def test_where_evaluates_both_and_picks_by_entry() -> None:
    np.testing.assert_array_equal(where(np.array([True, False]), 1.0, np.array([2.0, 3.0])), [1.0, 3.0])


def test_nan_passes_the_limits_of_the_compiled_pid_layer() -> None:
    """One NaN from an instrument must not become a plausible 290 K of coolant: output, state and status show it."""
    plant = get("exothermic_cstr")
    simulator = fleet(plant, 3, plant.scenario().steps)
    simulator.load(draw(plant, plant.scenario(), 0, 3, "judging"), np.arange(3))
    simulator.S.write("y", np.nan, np.array([1]))
    simulator.step(np.zeros((3, len(plant.acted))))
    assert simulator.S.read("status")[0].tolist() == [0.0, FAILED, 0.0]
    assert np.isnan(simulator.S.read("u")[0]).tolist() == [False, True, False]


def test_the_traced_pid_layer_passes_nan_like_the_compiled_one() -> None:
    control = Trace(get("exothermic_cstr")).control()
    rows = get("exothermic_cstr"), control
    values = [np.nan if ref == ("S", Trace(rows[0]).layout.S.row("y") + 1) else 1.0 for ref in control.reads]
    results = dict(zip(control.writes, control.f(values).full().ravel(), strict=True))
    assert np.isnan(results["S", Trace(rows[0]).layout.S.row("u")])


def test_compiled_exponential_is_exact_to_rounding_and_lets_nan_through() -> None:
    scope: dict[str, Any] = {}
    exec(compile(HEAD.replace("cache=True", "cache=False"), "head", "exec"), scope)
    x = np.concatenate([np.linspace(-700.0, 700.0, 20001), np.random.default_rng(0).uniform(-40.0, 40.0, 20000)])
    ours = np.array([scope["exp"](v) for v in x])
    assert np.abs(ours / np.exp(x) - 1.0).max() < 1e-15
    assert np.isnan(scope["exp"](np.nan))
