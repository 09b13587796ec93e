"""Manual, automatic and cascade: transfers without a bump, masters that follow a slave which does not listen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from plant_models.catalogue import get, names
from plant_models.core.errors import BadInput, UnknownName
from plant_models.core.plant import Plant
from plant_models.core.scenario import Array
from plant_models.derive.closed_loop import Piece, Trace
from plant_models.derive.layout import AUTO, CAS, LIMITS, MAN, MEMORY
from plant_models.derive.operated import PASSING, UNHEARD
from plant_models.env.operated import OperatedPlant
from plant_models.env.scenario import Episodes, draw
from plant_models.env.simulator import Simulator
from plant_models.env.start import starts
from plant_models.env.substeps import substeps

CASCADE = "exothermic_cstr"
LIVE = (CASCADE, "quadruple_tank", "heat_pump_house")
TRANSFERS = [(was, now) for was in (CAS, AUTO, MAN) for now in (CAS, AUTO, MAN) if was != now]


def quiet(name: str, n: int = 1) -> Episodes:
    """Return episodes without noise in which everything stands still."""
    plant = get(name)
    drawn = draw(plant, plant.scenario(), 0, n, "judging")
    still = np.broadcast_to(drawn.exogenous[:, :1], drawn.exogenous.shape)
    return replace(drawn, noise=np.zeros_like(drawn.noise), exogenous=still.copy())


def run(piece: Piece, blocks: dict[str, Array]) -> dict[tuple[str, int], float]:
    values = [0.5 if block == "tau" else blocks[block][row] for block, row in piece.reads]
    return dict(zip(piece.writes, (float(v) for v in piece.f(values).full().ravel()), strict=True))


def span(plant: Plant, i: int) -> tuple[float, float]:
    """Return the range of what a loop moves."""
    loop = plant.loops[i]
    if loop.mv:
        q = plant.Input.quantities()[loop.mv]
        return q.low, q.high
    slave = plant.slave(loop)
    return slave.low, slave.high


def passes(plant: Plant, i: int) -> bool:
    gains = plant.loops[i].gains
    return abs(gains.K_c) <= PASSING * abs(gains.setpoint)


def unsettled(trace: Trace) -> dict[str, Array]:
    """Return blocks of a plant in full motion: measurements off their setpoints, outputs and integrals anywhere."""
    plant, rows, rng = trace.plant, trace.layout, np.random.default_rng(3)
    begun = starts(rows, quiet(plant.name))
    S, P, E, N = begun.S[0].copy(), begun.P[0], np.zeros(rows.E.size), np.zeros(rows.noise)
    halves = np.array([q.half_range for q in plant.Output.quantities().values()])
    S[rows.S["y"]] += 0.1 * rng.uniform(-1.0, 1.0, len(halves)) * halves
    for i in range(len(plant.loops)):
        low, high = span(plant, i)
        at = rows.S.row("memory") + MEMORY * i
        S[at : at + MEMORY] += [0.2 * (high - low), 0.1 * (high - low), 0.0, 0.0, 0.0]
        S[at + 3] = rng.uniform(0.6 * low + 0.4 * high, 0.4 * low + 0.6 * high)
    d = begun.episodes.exogenous[0, 0]
    for name in ("d", "r", "d1"):
        E[rows.E[name]] = d[begun.episodes.references()] if name == "r" else d[: rows.E["d"].stop]
    E[rows.E["local"]] = [P[rows.P["limits"]][LIMITS * i : LIMITS * (i + 1)].mean() for i in range(len(plant.loops))]
    return {"S": S, "P": P, "E": E, "N": N}


@pytest.mark.parametrize("name", names())
def test_no_transfer_moves_the_output_of_any_loop(name: str) -> None:
    """In full motion, with whatever setpoint awaits it, a loop that changes its mode keeps its output in that very period."""
    trace = Trace(get(name), operated=True)
    piece, rows, plant = trace.control(), trace.layout, trace.plant
    for i, loop in enumerate(plant.loops):
        for was, now in TRANSFERS:
            if passes(plant, i) and now != MAN:
                continue
            blocks = unsettled(trace)
            u = blocks["S"][rows.S.row("memory") + MEMORY * i + 3]
            blocks["S"][rows.S.row("was") + i], blocks["E"][rows.E.row("mode") + i] = was, now
            blocks["E"][rows.E.row("manual") + i] = u
            after = run(piece, blocks)["S", rows.S.row("memory") + MEMORY * i + 3]
            low, high = span(plant, i)
            assert after == pytest.approx(u, abs=1e-9 * (high - low)), (loop.tag, was, now)


@pytest.mark.parametrize("name", [CASCADE, "boiler_drum", "tubular_reactor", "greenhouse_lettuce", "cstr_series_recycle"])
def test_a_master_follows_a_slave_that_does_not_listen_and_comes_back_without_a_bump(name: str) -> None:
    trace = Trace(get(name), operated=True)
    piece, rows, plant = trace.control(), trace.layout, trace.plant
    tags = [loop.tag for loop in plant.loops]
    for i, loop in enumerate(plant.loops):
        if not loop.sp_of:
            continue
        slave = tags.index(loop.sp_of)
        for mode in (AUTO, MAN):
            blocks = unsettled(trace)
            blocks["E"][rows.E.row("mode") + slave] = blocks["S"][rows.S.row("was") + slave] = mode
            blocks["S"][rows.S.row("was") + i] = UNHEARD
            blocks["E"][rows.E.row("manual") + slave] = blocks["S"][rows.S.row("memory") + MEMORY * slave + 3]
            apart = run(piece, blocks)
            setpoint = apart["S", rows.S.row("sp") + slave]
            assert apart["S", rows.S.row("memory") + MEMORY * i + 3] == setpoint
            for (_, row), value in apart.items():
                blocks["S"][row] = value
            blocks["E"][rows.E.row("mode") + slave] = CAS
            back = run(piece, blocks)
            low, high = plant.loops[slave].low, plant.loops[slave].high
            assert back["S", rows.S.row("sp") + slave] == pytest.approx(setpoint, abs=1e-9 * (high - low))


@pytest.mark.parametrize("name", LIVE)
def test_left_in_cascade_it_is_the_plant_as_it_always_was(name: str) -> None:
    episodes = quiet(name)
    operated = OperatedPlant(get(name), episodes)
    plain = Simulator(get(name), 1, episodes.scenario.steps, substeps(get(name)))
    plain.load(episodes, np.zeros(1, dtype=np.intp))
    offsets = np.full((1, len(get(name).acted)), 0.3)
    for _ in range(6):
        operated.step(offsets[0])
        plain.step(offsets)
    for part in ("x", "u", "memory", "sp"):
        np.testing.assert_allclose(operated.simulator.S.read(part), plain.S.read(part), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", LIVE)
def test_at_rest_every_transfer_of_every_loop_goes_unnoticed(name: str) -> None:
    """Noise-free: no transfer, there or back, moves any output by more than 0.1 % of its span in the decision after it."""
    plant = get(name)
    operated = OperatedPlant(plant, quiet(name))
    for _ in range(35):
        operated.step()
    spans = [high - low for low, high in (span(plant, i) for i in range(len(plant.loops)))]

    def outputs() -> Array:
        return np.array([operated.faceplate(loop.tag).output for loop in plant.loops])

    drift = np.abs(np.diff([outputs(), (operated.step(), outputs())[1]], axis=0))[0]
    for loop in plant.loops:
        for mode in ("AUTO", "MAN", "AUTO", "CAS", "MAN", "CAS"):
            before = outputs()
            operated.set_mode(loop.tag, mode)
            operated.step()
            assert (np.abs(outputs() - before) <= 1e-3 * np.array(spans) + 2.0 * drift).all(), (loop.tag, mode)


def test_in_manual_the_output_is_the_operators_within_limits_and_rate() -> None:
    operated = OperatedPlant(get(CASCADE), quiet(CASCADE))
    operated.set_mode("TIC-101", "MAN")
    operated.set_output("TIC-101", 293.0)
    operated.step()
    q, plant = get(CASCADE).Input.quantities()["T_c"], get(CASCADE)
    assert operated.faceplate("TIC-101").output == pytest.approx(300.0 - q.rate * plant.decision)
    for _ in range(3):
        operated.step()
    face = operated.faceplate("TIC-101")
    assert (face.output, face.mode) == (293.0, "MAN")
    assert face.setpoint == pytest.approx(face.pv)
    assert not operated.faceplate("AIC-101").heard


def test_in_automatic_the_setpoint_is_the_operators() -> None:
    operated = OperatedPlant(get(CASCADE), quiet(CASCADE))
    operated.set_mode("TIC-101", "AUTO")
    operated.set_setpoint("TIC-101", 319.0)
    for _ in range(40):
        operated.step(np.ones(1))
    assert operated.faceplate("TIC-101").pv == pytest.approx(319.0, abs=0.05)
    assert operated.faceplate("AIC-101").output == 319.0


def test_a_master_in_manual_commands_its_slave() -> None:
    operated = OperatedPlant(get(CASCADE), quiet(CASCADE))
    operated.set_mode("AIC-101", "MAN")
    operated.set_output("AIC-101", 322.0)
    operated.step()
    assert operated.faceplate("TIC-101").setpoint == 322.0
    operated.set_mode("TIC-101", "AUTO")
    operated.set_setpoint("TIC-101", 318.0)
    operated.step()
    with pytest.raises(BadInput, match="while TIC-101 is not in CAS"):
        operated.set_output("AIC-101", 325.0)
    operated.set_mode("TIC-101", "CAS")
    operated.step()
    assert operated.faceplate("TIC-101").setpoint == 318.0


def test_a_loop_that_passes_its_setpoint_on_goes_back_to_what_is_sent() -> None:
    """A flow controller's has nothing to integrate an offset away with: in cascade again its input is its setpoint."""
    trace = Trace(get("multistage_extraction"), operated=True)
    plant, rows, blocks = trace.plant, trace.layout, unsettled(trace)
    i = [loop.tag for loop in plant.loops].index("FIC-101")
    blocks["S"][rows.S.row("memory") + MEMORY * i : rows.S.row("memory") + MEMORY * i + 4] = [0.0, 0.0, 0.0, 140.0]
    blocks["S"][rows.S.row("was") + i] = MAN
    after = run(trace.control(), blocks)
    assert after["S", rows.S.row("memory") + MEMORY * i + 3] == pytest.approx(after["S", rows.S.row("sp") + i])


def test_what_cannot_be_is_refused_in_one_line() -> None:
    operated = OperatedPlant(get(CASCADE), quiet(CASCADE))
    with pytest.raises(UnknownName, match="unknown loop 'TIC-110'; did you mean 'TIC-101'"):
        operated.set_mode("TIC-110", "MAN")
    with pytest.raises(UnknownName, match="unknown mode 'MANUAL'"):
        operated.set_mode("TIC-101", "MANUAL")
    with pytest.raises(BadInput, match="an output given in CAS; allowed in MAN"):
        operated.set_output("TIC-101", 300.0)
    with pytest.raises(BadInput, match="a setpoint given in CAS; allowed in AUTO"):
        operated.set_setpoint("TIC-101", 320.0)
    operated.set_mode("TIC-101", "MAN")
    with pytest.raises(BadInput, match="output nan given; 290 to 310 allowed"):
        operated.set_output("TIC-101", float("nan"))
    operated.set_mode("TIC-101", "AUTO")
    with pytest.raises(BadInput, match="setpoint 400 given; 314 to 331 allowed"):
        operated.set_setpoint("TIC-101", 400.0)


@pytest.mark.every
def test_a_loop_that_nothing_sends_a_setpoint_has_no_cascade() -> None:
    operated = OperatedPlant(get("evaporator"), quiet("evaporator"))
    assert operated.faceplate("LIC-102").mode == "AUTO"
    with pytest.raises(BadInput, match="LIC-102: CAS given, but no master loop, hierarchy or supervisor"):
        operated.set_mode("LIC-102", "CAS")
    operated.step()
    assert operated.faceplate("LIC-102").setpoint == 1.0
