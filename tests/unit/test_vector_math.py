"""The elementary functions of the compiled kernels are those of libm, to its last digits and at its edges."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from types import ModuleType

import casadi as ca
import numpy as np
import pytest

from plant_models.core.scenario import Array
from plant_models.derive.closed_loop import Piece
from plant_models.derive.emit import emit
from plant_models.derive.kernel import load
from plant_models.derive.layout import STRIDE
from plant_models.derive.vector_math import HEAD

LOOP = """
@compiled
def many_{0}(a, b):
    for i in range(np.uint64(a.size)):
        b[i] = {0}(a[i])

"""
CLOSE = 1e-14
RNG = np.random.default_rng(0)
NEAR_ONE = 1.0 + RNG.uniform(-1e-3, 1e-3, 4096)

DENORMAL = [5e-324, 1e-310]


@pytest.fixture(scope="module")
def module() -> ModuleType:
    return load(HEAD + "".join(LOOP.format(name) for name in ("exp", "log", "tanh")))


def applied(module: ModuleType, name: str, x: Array) -> Array:
    y = np.empty_like(x)
    getattr(module, f"many_{name}")(x, y)
    return y


@pytest.mark.parametrize(
    ("name", "x"),
    [
        ("exp", np.concatenate([RNG.uniform(-700.0, 700.0, 8192), RNG.uniform(-1.0, 1.0, 4096)])),
        ("log", np.concatenate([np.exp(RNG.uniform(-700.0, 700.0, 8192)), RNG.uniform(0.5, 2.0, 4096), NEAR_ONE, DENORMAL])),
        ("tanh", np.concatenate([RNG.uniform(-20.0, 20.0, 8192), RNG.uniform(-1.0, 1.0, 8192), RNG.uniform(-1e-6, 1e-6, 99)])),
    ],
)  # fmt: skip
def test_an_elementary_function_is_within_1e_14_of_libm(module: ModuleType, name: str, x: Array) -> None:
    exact = np.array([getattr(math, name)(value) for value in x])
    assert np.max(np.abs(applied(module, name, x) / exact - 1.0)) < CLOSE


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("exp", [0.0, math.nan], [1.0, math.nan]),
        ("log", [0.0, -1.0, math.inf, math.nan, 1.0], [-math.inf, math.nan, math.inf, math.nan, 0.0]),
        ("tanh", [0.0, math.inf, -math.inf, 1000.0, math.nan], [0.0, 1.0, -1.0, 1.0, math.nan]),
    ],
)
def test_the_edges_are_those_of_libm(module: ModuleType, name: str, x: list[float], y: list[float]) -> None:
    np.testing.assert_array_equal(applied(module, name, np.array(x)), y)


@pytest.mark.parametrize("exponent", [-7.5, -3.0, -2.7, -1.0, -0.5, 0.14, 0.5, 0.6, 1.3, 1.5, 2.0, 3.0, 16.0, 17.0])
def test_a_power_is_within_1e_14_of_libm(exponent: float) -> None:
    x = np.exp(RNG.uniform(-3.0, 3.0, STRIDE))
    assert np.max(np.abs(compiled(lambda s: s**exponent)(x) / x**exponent - 1.0)) < CLOSE


@pytest.mark.parametrize("exponent", [2, 3, 4, 5, -1, -3])
def test_whole_powers_of_negative_numbers_are_products(exponent: int) -> None:
    x = -np.exp(RNG.uniform(-3.0, 3.0, STRIDE))
    np.testing.assert_allclose(compiled(lambda s: s ** float(exponent))(x), x**exponent, rtol=CLOSE)


def test_a_power_that_the_plant_computes_is_taken_through_the_logarithm() -> None:
    x = np.exp(RNG.uniform(-1.0, 1.0, STRIDE))
    assert np.max(np.abs(compiled(lambda s: ca.power(s, s))(x) / x**x - 1.0)) < CLOSE


def test_a_function_without_a_vectorised_form_is_refused() -> None:
    with pytest.raises(NotImplementedError, match=re.escape("derive/emit.py")):
        compiled(ca.erf)


def compiled(expression: Callable[[ca.SX], ca.SX]) -> Callable[[Array], Array]:
    """Compile an expression of one row as a piece of a kernel."""
    s = ca.SX.sym("S_0")
    module = load(
        f"{HEAD}@compiled\n{emit(Piece('piece', (('S', 0),), (('S', 1),), ca.Function('piece', [s], [expression(s)])))}"
    )

    def run(x: Array) -> Array:
        block = np.concatenate([x, np.zeros(STRIDE)])
        none = np.zeros(0)
        module.piece(block, none, none, none, 0.0, STRIDE)
        return block[STRIDE:]

    return run
