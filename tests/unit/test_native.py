"""Compiled predictions are those of CasADi's virtual machine, which serves where nothing can be compiled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import casadi as ca
import numpy as np
import pytest

from controller.nmpc import settings
from plant_models.catalogue import get
from plant_models.core.scenario import Array
from plant_models.derive import native as module
from plant_models.derive.native import native, source
from plant_models.derive.prediction import Prediction, prediction
from plant_models.env.scenario import draw

compiles = pytest.mark.skipif(not any(map(module.shutil.which, module.COMPILERS)), reason="there is no C compiler")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "setpoint" / "kernels"


def doubled() -> ca.Function:
    x = ca.MX.sym("x", 3)
    return ca.Function("doubled", [x], [2.0 * x, ca.sumsqr(x)])


def point(model: Prediction) -> list[Array]:
    """Return arguments of a prediction near the middle of everything."""
    plant, rng = model.plant, np.random.default_rng(0)
    s = settings(draw(plant, plant.scenario(), 0, 1, "judging"))
    d, sent = np.array(list(plant.Disturbance.nominal())), np.zeros(model.e.size - 2 * len(plant.Disturbance.names()))
    z = model.centre + 0.05 * model.scale * rng.uniform(-1.0, 1.0, model.z.size)
    e = np.concatenate([d, sent, 1.01 * d])
    return [z, 0.1 * rng.uniform(-1.0, 1.0, model.step.size1_in(1)), e, s, 0.001 * model.scale[model.z["x"]]]


def close(one: Any, other: Any) -> None:
    scale = np.abs(other.full()).max(initial=0.0)
    np.testing.assert_allclose(one.full(), other.full(), rtol=1e-12, atol=1e-12 * scale)


@compiles
@pytest.mark.parametrize("name", ["exothermic_cstr", "heat_pump_house", "quadruple_tank", "batch_crystallizer"])
def test_a_decision_and_its_derivatives_are_those_of_the_virtual_machine(name: str, folder: Path) -> None:
    model = prediction(get(name), "setpoint", 2)
    fast, given, rng = native(model.step, 2), point(model), np.random.default_rng(1)
    assert fast.class_name() == "External"
    after = model.step(*given)
    for one, other in zip(fast(*given), after, strict=True):
        close(one, other)
    seeds = [*after, *(rng.normal(size=part.shape) for part in after)]
    for one, other in zip(fast.reverse(1)(*given, *seeds), model.step.reverse(1)(*given, *seeds), strict=True):
        close(one, other)
    assert len(list(folder.iterdir())) == 1


@compiles
def test_second_derivatives_are_compiled_only_where_they_are_asked_for() -> None:
    texts = [source(doubled(), order) for order in (0, 1, 2)]
    assert ["int adj1_doubled(" in text for text in texts] == [False, True, True]
    assert ["int fwd1_adj1_doubled(" in text for text in texts] == [False, False, True]
    x = ca.MX.sym("x", 3)
    hessians = [ca.Function("h", [x], [ca.hessian(f(x)[1] ** 2, x)[0]]) for f in (native(doubled(), 2), doubled())]
    np.testing.assert_allclose(*(h([1.0, 2.0, 3.0]).full() for h in hessians), rtol=1e-12)


@compiles
def test_what_is_kept_is_compiled_once_and_again_where_it_is_damaged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    native(doubled())
    (library,) = folder.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(module.subprocess, "run", None)
        assert native(doubled()).class_name() == "External"
    library.unlink()
    library.write_bytes(b"\x7fELF")
    assert native(doubled()).class_name() == "External"
    assert library.stat().st_size > 1000


def test_without_a_compiler_the_virtual_machine_serves(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    f = doubled()
    assert native(f, 1) is f
    assert not folder.exists()


def test_a_compiler_that_fails_is_said_and_the_virtual_machine_serves(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda _: "false")
    f = doubled()
    assert native(f) is f
    assert "doubled is not compiled" in capsys.readouterr().err
    assert not list(folder.iterdir())
