"""What a scenario declares to go wrong goes wrong, as declared, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from controller.baselines import Pid
from controller.contract.numerics import exactly
from controller.rollout import Run, rollout
from controller.scores import true_output
from plant_models.catalogue import get
from plant_models.core.fault import (
    Bias,
    DeadBand,
    Delay,
    Drift,
    Dropout,
    Fading,
    Fault,
    Jammed,
    Noise,
    Spike,
    Stiction,
    Stuck,
)
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.identity import plant_hash
from plant_models.derive.layout import HELD, layout
from plant_models.derive.twin import twin
from plant_models.env.faults import instruments
from plant_models.env.scenario import draw
from plant_models.env.simulator import Simulator

N, COUNT = 16, 10
HEALTHY = get("exothermic_cstr")
FAULTS: tuple[Fault, ...] = (
    Noise("T", 3.0), Bias("T", 1.0), Drift("T", 0.1), Spike("T", 5.0, 0.05), Stuck("T", 4.0), Dropout("T", 0.05, 0.5),
    Delay("c_A", 1.0), Stiction("T_c", 1.0), DeadBand("T_c", 2.0), Jammed("T_c", 4.0), Fading("UA", 0.3),
)  # fmt: skip


@cache
def with_faults(*faults: Fault) -> Plant:
    """The plant with faults in its first scenario, and all of them in its second: so that all share one kernel."""
    first, second, *rest = HEALTHY.scenarios
    scenarios = (replace(first, faults=faults), replace(second, faults=FAULTS), *rest)
    return replace(HEALTHY, scenarios=scenarios)


@cache
def run(*faults: Fault) -> Run:
    plant = with_faults(*faults)
    return rollout(Pid(plant), draw(plant, plant.scenario(), 0, N, "judging"))


def misread(run: Run, output: str) -> Array:
    """What the instrument shows beyond the truth at each decision but the first, (n, steps)."""
    i = HEALTHY.Output.names().index(output)
    return np.asarray(run.path["y"][:, 1:, i] - true_output(run, output)[:, 1:])


def test_what_is_not_declared_stays_as_it_was() -> None:
    healthy, faulty = run(), run(*FAULTS)
    for name in ("initial", "parameters", "forecasts"):
        np.testing.assert_array_equal(getattr(healthy.episodes, name), getattr(faulty.episodes, name))
    columns = slice(0, healthy.episodes.targets().stop)
    np.testing.assert_array_equal(healthy.episodes.exogenous[:, :, columns], faulty.episodes.exogenous[:, :, columns])
    others = [i for i, name in enumerate(HEALTHY.Output.names()) if name != "T"]
    np.testing.assert_array_equal(run(Bias("T", 1.0)).episodes.noise[:, :, others], healthy.episodes.noise[:, :, others])


def test_a_policy_is_as_valid_with_faults_as_without() -> None:
    assert plant_hash(with_faults(*FAULTS)) == plant_hash(HEALTHY)


def test_faults_repeat_with_the_seed() -> None:
    plant = with_faults(*FAULTS)
    again = rollout(Pid(plant), draw(plant, plant.scenario(), 0, N, "judging"))
    np.testing.assert_array_equal(again.path["y"], run(*FAULTS).path["y"])


def test_noise_is_so_many_times_as_large() -> None:
    assert misread(run(Noise("T", 3.0)), "T").std() == pytest.approx(3.0 * misread(run(), "T").std(), rel=0.05)


def test_a_bias_begins_and_stays() -> None:
    error = misread(run(Bias("T", 5.0)), "T")
    last = error[:, -10:].mean(axis=1)
    assert 1.0 < np.abs(last).max() < 5.2
    assert (np.abs(error[:, 0]) < 1.0).sum() > N // 2


def test_a_drift_grows() -> None:
    error = misread(run(Drift("T", 1.0)), "T")
    steps = HEALTHY.scenario().steps
    assert np.abs(error[:, -1]).max() > 2.0 * np.abs(error[:, steps // 2]).max() * 0.9
    assert np.abs(error[:, -1]).max() < 1.0 * steps * HEALTHY.decision + 1.0


def test_spikes_come_as_often_and_as_large_as_declared() -> None:
    large = np.abs(misread(run(Spike("T", 50.0, 0.1)), "T")) > 25.0
    assert large.mean() == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("fault", [Stuck("T", 4.0), Dropout("T", 0.05, 1.5)])
def test_a_silent_instrument_shows_its_last_reading(fault: Fault) -> None:
    shown = run(fault).path["y"][:, :, HEALTHY.Output.names().index("T")]
    still = np.diff(shown, axis=1) == 0.0
    assert still.any()
    assert not still.all()
    assert not (np.diff(run().path["y"][:, :, HEALTHY.Output.names().index("T")], axis=1) == 0.0).any()


def test_a_dropout_may_last_longer_than_the_episode() -> None:
    scenario = replace(HEALTHY.scenario(), faults=(Dropout("T", 0.02, 1000.0),))
    standard = np.zeros((64, 101, len(HEALTHY.Output.names())), dtype=np.float32)
    silent = instruments(HEALTHY, scenario, standard, np.random.default_rng(0))[:, :, HEALTHY.Output.names().index("T")] == HELD
    assert silent[:, -1].mean() > 0.8
    assert not silent[:, 0].all()
    assert (np.diff(silent.astype(int), axis=1) >= 0).all()


def test_a_delayed_instrument_shows_the_past() -> None:
    found = run(Delay("c_A", 2.0 * HEALTHY.decision))
    late = found.episodes.delays[:, 0]
    assert (late >= 1).all()
    assert late.max() == 2 * HEALTHY.loops_per_decision
    whole = np.flatnonzero(late == late.max())[0]
    truth = found.path["x"][whole, :, HEALTHY.State.names().index("c_A")]
    shown = found.path["y"][whole, :, HEALTHY.Output.names().index("c_A")]
    assert np.abs(shown[3:] - truth[1:-2]).max() < 6.0 * HEALTHY.Output.quantities()["c_A"].noise
    assert np.abs(shown[3:] - truth[3:]).max() > 10.0 * HEALTHY.Output.quantities()["c_A"].noise


@pytest.mark.parametrize("fault", [Stiction("T_c", 2.0), Jammed("T_c", 5.0)])
def test_a_sticking_valve_stands_still_at_times(fault: Fault) -> None:
    still = np.diff(run(fault).path["u"][:, :, 0], axis=1) == 0.0
    assert still.mean() > 0.1
    assert not (np.diff(run().path["u"][:, :, 0], axis=1) == 0.0).any()


def test_stiction_and_play_are_felt_in_what_is_tracked() -> None:
    healthy = run().total.mean()
    assert run(Stiction("T_c", 3.0)).total.mean() > healthy
    assert run(DeadBand("T_c", 4.0)).total.mean() > healthy


def test_a_parameter_fades_along_the_episode() -> None:
    found = run(Fading("UA", 0.3))
    fading = found.episodes.exogenous[:, :, -1]
    nominal = found.episodes.parameters[:, HEALTHY.Parameter.names().index("UA")]
    np.testing.assert_allclose(fading[:, 0], nominal)
    assert (np.diff(fading[:, : HEALTHY.scenario().steps], axis=1) < 0.0).all()
    assert (fading[:, -1] > 0.69 * nominal).all()
    assert not np.allclose(found.path["x"], run().path["x"], rtol=1e-4)


def test_the_kernel_and_cvodes_agree_on_faults() -> None:
    plant = with_faults(*FAULTS)
    simulator, exact = Simulator(plant, N, plant.scenario().steps, COUNT), twin(plant, "setpoint", COUNT)
    simulator.load(draw(plant, plant.scenario(), 1, N, "judging"), np.arange(N))
    rows, columns = simulator.kernel.layout.S, [simulator.S.column(e) for e in range(2)]
    spans = np.array([q.high - q.low for q in plant.State.quantities().values()])
    for k in range(20):
        simulator.step(np.zeros((N, simulator.kernel.layout.actions)))
        for e in range(2):
            columns[e] = exactly(exact, simulator, e, k, columns[e])
            assert (np.abs(columns[e][rows["x"]] - simulator.S.column(e)[rows["x"]]) <= 1e-4 * spans).all()


def test_a_fault_of_what_the_plant_has_not_is_refused() -> None:
    with pytest.raises(ValueError, match="valve's fault names 'T_x'"):
        with_faults(Stiction("T_x", 1.0))


@pytest.mark.parametrize(
    "fault", [Stuck("T", 27.0), Dropout("T", 0.1, 1e9), Delay("T", 1e9), Jammed("T_c", 1e9), Delay("T", -1.0)]
)
def test_a_fault_that_outlasts_its_episode_is_refused(fault: Fault) -> None:
    allowed = f"0 to {HEALTHY.scenario().steps * HEALTHY.decision:g} min, its length, allowed"
    with pytest.raises(ValueError, match=rf"{type(fault).__name__} of .* min in scenario 'tracking'; {allowed}"):
        with_faults(fault)


def test_a_healthy_plant_carries_nothing_for_faults() -> None:
    rows = layout(HEALTHY, "setpoint")
    assert (rows.delayed, rows.valves, rows.fading) == ((), (), ())
