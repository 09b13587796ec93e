"""The observer's slopes are those of the decision that is predicted, by central differences."""

from __future__ import annotations

import numpy as np
import pytest

from controller.liveliness import liveliness
from controller.nmpc import settings
from plant_models.catalogue import get
from plant_models.core.scenario import Array
from plant_models.derive.observer import observer
from plant_models.derive.prediction import Prediction, instants, prediction
from plant_models.derive.slopes import moved
from plant_models.env.scenario import draw

SUBSTEPS, SMALL = 2, 1e-5


def run(model: Prediction, z: Array, v: Array, e: Array, s: Array, n: Array) -> Array:
    """Return the states after a decision in which instruments add ``n`` (loop periods, outputs)."""
    c = np.concatenate([z, np.zeros(model.pieces.carried.size - z.size)])
    for added, (seen, tau) in zip(n, instants(model.plant), strict=True):
        c = model.pieces.control(c, v, e, s, added, seen, tau)
        for _ in range(SUBSTEPS):
            c = model.pieces.substep(c, e, s, 0.0, tau)
    return np.asarray(c.full().ravel()[model.z["x"]])


@pytest.mark.parametrize("name", ["exothermic_cstr", "quadruple_tank"])
def test_slopes_are_those_of_a_decision(name: str) -> None:
    plant = get(name)
    model, lively = prediction(plant, "setpoint", SUBSTEPS), liveliness(plant, plant.scenario())
    watching = observer(plant, "setpoint", SUBSTEPS, lively)
    hidden, uncertain = watching.disturbances, watching.parameters
    s = settings(draw(plant, plant.scenario(), 0, 1, "judging"))
    d, nx = np.array(list(plant.Disturbance.nominal())), len(plant.State.names())
    target = np.array([plant.Output.quantities()[name].centre for name in plant.targets])
    sent = [plant.Output.quantities()[loop.pv].centre for loop in plant.masters]
    e, z, v = np.concatenate([d, sent, target, d]), model.centre.copy(), np.zeros(model.step.size1_in(1))
    xi = np.concatenate([z[:nx], d[hidden], s[model.s["p"]][uncertain]])
    silent = np.zeros((plant.loops_per_decision, len(plant.Output.names())))

    def at(xi: Array, n: Array) -> Array:
        full_z, full_e, full_s = z.copy(), e.copy(), s.copy()
        full_z[:nx] = xi[:nx]
        for part in ("d", "d1"):
            full_e[model.e[part]][hidden] = xi[nx : nx + len(hidden)]
        full_s[model.s["p"]][uncertain] = xi[nx + len(hidden) :]
        return run(model, full_z, v, full_e, full_s, n)

    x, slope, noise = (part.full() for part in moved(model, hidden, uncertain)(xi, z, v, e, s))
    np.testing.assert_allclose(x.ravel(), at(xi, silent), rtol=1e-12)
    np.testing.assert_allclose(x.ravel(), model.step(z, v, e, s, 0.0)[0].full().ravel()[:nx], rtol=1e-12)
    sizes = np.concatenate([model.scale[:nx], np.maximum(np.abs(xi[nx:]), 1e-3)]) * SMALL
    for k, size in enumerate(sizes):
        moves = [at(xi + side * size * np.eye(len(xi))[k], silent) for side in (-0.5, 0.5)]
        np.testing.assert_allclose(slope[:, k] * size, moves[1] - moves[0], atol=1e-4 * SMALL * model.scale[:nx].max())
    spans = np.array([q.half_range for q in plant.Output.quantities().values()]) * SMALL
    for k in range(silent.size):
        each = np.eye(silent.size)[k].reshape(silent.shape) * spans
        moves = [at(xi, silent + side * each) for side in (-0.5, 0.5)]
        expected = noise[:, k] * spans[k % len(spans)]
        np.testing.assert_allclose(expected, moves[1] - moves[0], atol=1e-4 * SMALL * model.scale[:nx].max())
    assert np.abs(noise).max() > 0.0
