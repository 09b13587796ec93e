"""The data hall against the published design points of its parts, and against the conservation of energy.

EnergyPlus example file 1ZoneDataCenterCRAC_wApproachTemp.idf: servers of 500 W that breathe 1e-4 m3/s for each watt, a CRAC of
148.3 kW at a coefficient of performance of 4.5669, a fan of 486 Pa and 8.5 m3/s at an efficiency of 0.7. OpenStudio's default
curves of the servers hold at an inlet of 22.5 degC.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import fsolve

from plant_models.catalogue import get
from plant_models.env.scenario import draw
from plant_models.hvac import data_hall as hall
from tests.books.published import check

PLANT = get("data_hall")
P = hall.Parameter.nominal()
DESIGN_INLET = 295.65

TABLE = (
    (-4.0, 0.042), (-1.2222, 0.084), (1.5555, 0.084), (4.3333, 0.2269), (7.1111, 0.2395), (9.8888, 0.311), (12.6667, 0.3697),
    (15.4444, 0.4454), (18.222, 0.5462), (21.0, 0.6723), (23.7778, 0.7227), (26.5556, 0.7773), (29.3333, 0.8193),
    (32.1111, 0.895), (34.8889, 1.0), (50.0, 1.5),
)  # fmt: skip
"""Energy input ratio by outdoor temperature in degC, as the example file lists it."""


def test_design_points_of_servers_fan_and_compressor() -> None:
    power, flow = hall.servers(DESIGN_INLET, 1.0, P)
    compressor, cooling = hall.coil(1.0, 1.0, 308.15, P.T_ref, P)
    check(PLANT, "power of a server at full load and its design inlet of 22.5 degC, supply losses apart", power * P.eta / P.n)
    check(PLANT, "air flow of a server there", flow / P.n)
    check(PLANT, "power of the CRAC's fan at rated flow", hall.fan(1.0, P))
    check(PLANT, "power of the compressor at rated conditions and 35 degC outdoors", compressor)
    assert cooling == pytest.approx(148300.0)


def test_energy_input_ratio_follows_the_published_table() -> None:
    """The quadratic is within 0.063 of every entry, which steps by up to 0.14, and within 0.03 of them on average."""
    outdoors, published = np.array(TABLE).T
    ours = hall.energy_input_ratio(outdoors + 273.15, P.T_ref, P)
    assert np.abs(ours - published).max() <= 0.065
    assert np.sqrt(np.mean((ours - published) ** 2)) <= 0.03
    assert hall.energy_input_ratio(250.0, P.T_ref, P) == P.e_min


def test_warmer_supply_air_saves_compressor_power_and_costs_fan_power() -> None:
    cold, warm = (hall.coil(0.4, 0.6, 298.15, T_s, P)[0] for T_s in (288.15, 294.15))
    slow, fast = (hall.servers(T_in, 0.4, P) for T_in in (293.15, 300.15))
    assert warm < 0.9 * cold
    assert fast[0] > slow[0]
    assert fast[1] > slow[1]


@pytest.mark.parametrize("F", [0.3, 0.5, 1.0])
@pytest.mark.parametrize("load", [0.2, 0.7])
def test_energy_is_conserved_with_air_to_spare_and_with_air_lacking(F: float, load: float) -> None:
    """What servers and fan take in, less what the coil removes and the walls lose, is what the hall stores."""
    x = hall.State(T_s=290.0, T_c=292.0, T_h=303.0, T_m=311.0, T_f=296.0)
    u = hall.Input(y=0.4, F=F)
    d = hall.Disturbance(load=load, T_o=283.0, price=0.15)
    rate = hall.derivative(x, u, d, P)
    capacities = (P.C_s, P.C_c, P.C_h, P.n * P.C_1, P.C_f)
    stored = sum(capacity * each for capacity, each in zip(capacities, rate, strict=True))
    power, _ = hall.servers(hall.inlet(x, P), load, P)
    _, removed = hall.coil(u.y, u.F, d.T_o, x.T_s, P)
    assert stored == pytest.approx(power + hall.fan(F, P) - removed + P.UA * (d.T_o - x.T_h), rel=1e-12)


def test_hall_without_cooling_warms_as_fast_as_its_air_and_metal_allow() -> None:
    """Ten minutes after a failure the inlet is out of range (Khankari, ASHRAE Transactions 117(1), 2011: minutes, not hours)."""
    x, d, u = np.array(list(hall.State.nominal())), hall.Disturbance.nominal(), hall.Input(y=0.0, F=0.5)
    for _ in range(600):
        x = x + np.array(list(hall.derivative(hall.State.of(list(x)), u, d, P)))
    risen = hall.inlet(hall.State.of(list(x)), P) - hall.inlet(hall.State.nominal(), P)
    assert 8.0 <= risen <= 20.0


def test_load_stays_where_published_clusters_are_and_follows_the_day() -> None:
    """Cheng, Chai, Anwar (arXiv:1808.02919): 20 to 40 % at Google most of the time, 40 to 50 % at Alibaba's busy hours."""
    load = draw(PLANT, PLANT.scenario(), 0, 64, "training").disturbance("load")
    by_hour = load[:, :288].reshape(64, 3, 24, 4).mean(axis=(0, 1, 3))
    assert np.mean((load > 0.2) & (load < 0.5)) >= 0.9
    assert 0.4 <= by_hour.max() <= 0.5
    assert 0.2 <= by_hour.min() <= 0.3
    assert abs(int(by_hour.argmax()) - 15) <= 1


def steady_cost(T_in: float, dp: float, d: hall.Disturbance) -> float:
    """Return the cost in EUR/h at rest with the inlet and the containment pressure at given setpoints."""

    def rest(z: np.ndarray) -> list[float]:
        x, u = hall.State.of(290.0 + 10.0 * z[:5]), hall.Input(y=z[5], F=z[6])
        y = PLANT.outputs(x, u, d, P)
        return [1e3 * rate for rate in PLANT.derivative(x, u, d, P)] + [y.T_in - T_in, y.dp - dp]

    z, _, found, _ = fsolve(rest, [0.1, 0.2, 1.0, 1.9, 0.6, 0.4, 0.5], full_output=True)
    assert found == 1
    return float(sum(PLANT.cost(hall.State.of(290.0 + 10.0 * z[:5]), hall.Input(y=z[5], F=z[6]), d, P).values()))


@pytest.mark.parametrize("load", [0.25, 0.32, 0.45])
@pytest.mark.parametrize("T_o", [268.15, 283.15, 298.15])
def test_the_setpoints_sent_cost_hardly_more_than_the_optimum_solved_anew(load: float, T_o: float) -> None:
    """The fitted law, against a search over all setpoints that keep 0.45 K from the cold limit."""
    d = hall.Disturbance(load=load, T_o=T_o, price=0.15)
    sent = hall.optimum(np.array(load), np.array(T_o))
    best = min(steady_cost(T_in, dp, d) for T_in in np.arange(291.6, 296.1, 0.5) for dp in np.arange(-0.5, 5.1, 0.5))
    assert steady_cost(float(sent["TIC-301"]), float(sent["PDIC-303"]), d) <= 1.015 * best
