"""Linear models are the plant's slopes, sampled exactly, and robustness figures are those of a loop known by hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from plant_models.catalogue import get
from plant_models.core.loop import Coefficients
from plant_models.core.plant import Plant
from plant_models.core.vector import Vector
from plant_models.derive.linear import Robustness, linearise, linearise_nominal
from plant_models.derive.steady import nominal, nominal_equilibrium
from plant_models.env.start import Settings
from tests.compiled import continuous

Array = NDArray[np.float64]


def slopes(plant: Plant, x: Array, of: str, by: int) -> Array:
    """Central differences of derivative or outputs by one argument, scaled steps."""
    vectors: tuple[type[Vector], ...] = plant.arguments
    at = [x, *(nominal(v) for v in vectors[1:])]
    function = {"derivative": plant.derivative, "outputs": plant.outputs}[of]

    def value(arguments: list[Array]) -> Array:
        return np.array(list(function(*(v.of([float(a) for a in row]) for v, row in zip(vectors, arguments, strict=True)))))

    columns = []
    for i, q in enumerate(vectors[by].quantities().values()):
        step = 1e-6 * (q.high - q.low)
        up, down = ([a.copy() for a in at] for _ in range(2))
        up[by][i] += step
        down[by][i] -= step
        columns.append((value(up) - value(down)) / (2.0 * step))
    return np.stack(columns, axis=1)


@continuous
def test_matrices_are_the_slopes_of_the_plant(name: str) -> None:
    plant = get(name)
    x = nominal_equilibrium(plant)
    model = linearise_nominal(plant, x)
    for matrix, of, by in (
        (model.A, "derivative", 0), (model.B, "derivative", 1), (model.E, "derivative", 2),
        (model.C, "outputs", 0), (model.D, "outputs", 1), (model.F, "outputs", 2),
    ):  # fmt: skip
        expected = slopes(plant, x, of, by)
        np.testing.assert_allclose(matrix, expected, rtol=1e-5, atol=1e-6 * max(np.abs(expected).max(), 1e-12))


@continuous
def test_sampling_twice_half_as_long_is_sampling_once(name: str) -> None:
    plant = get(name)
    model = linearise_nominal(plant, nominal_equilibrium(plant))
    A, B = model.sampled(plant.loop_period)
    a, b = model.sampled(0.5 * plant.loop_period)
    np.testing.assert_allclose(A, expm(model.A * plant.loop_period), atol=1e-12)
    np.testing.assert_allclose(A, a @ a, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(B, a @ b + b, rtol=1e-9, atol=1e-15)


def test_the_linear_model_predicts_a_small_step() -> None:
    plant = get("exothermic_cstr")
    x, u = nominal_equilibrium(plant), nominal(plant.Input)
    model = linearise(plant, x, u, nominal(plant.Disturbance), nominal(plant.Parameter))
    A, B = model.sampled(0.01)
    rest = plant.Disturbance.nominal(), plant.Parameter.nominal()
    true, linear = x.copy(), np.zeros(len(x))
    for _ in range(100):
        middle = true + 0.005 * np.array(list(plant.derivative(plant.State.of(list(true)), plant.Input.of([300.1]), *rest)))
        true = true + 0.01 * np.array(list(plant.derivative(plant.State.of(list(middle)), plant.Input.of([300.1]), *rest)))
        linear = A @ linear + B @ np.array([0.1])
    np.testing.assert_allclose(true - x, linear, rtol=0.02)


def test_the_weaker_the_loops_the_nearer_the_sensitivity_is_to_one() -> None:
    plant = get("exothermic_cstr")
    settings = Settings.of(plant, plant.loops, plant.advance)
    robustness = Robustness(plant, nominal_equilibrium(plant))
    gains = [list(Coefficients._fields).index(name) for name in ("K_c", "integral", "derivative", "setpoint")]
    peaks = []
    for share in (1e-2, 1e-3, 1e-4):
        weak = settings.coefficients.reshape(len(plant.loops), -1).copy()
        weak[:, gains] *= share
        peaks.append(robustness.peak(weak.reshape(-1, 1), settings.limits))
    assert peaks == sorted(peaks, reverse=True)
    assert 1.0 < peaks[-1] < 1.001


@continuous
def test_the_tuned_layer_amplifies_nothing_more_than_twice(name: str) -> None:
    plant = get(name)
    settings = Settings.of(plant, plant.loops, plant.advance)
    assert 1.0 <= Robustness(plant, nominal_equilibrium(plant)).peak(settings.coefficients, settings.limits) <= 2.0
