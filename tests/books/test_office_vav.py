"""The office against BOPTEST's multizone_office_simple_air: coil sizes, and the year's heat and cold in Chicago.

The year runs under the case's own rules (occupied 6 to 19 h on every day, 20 to 24 degC, supply air of 12 degC, 35 degC for
half an hour of warm-up) and its PI settings, in stretches of two days side by side, each after two days to settle.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from plant_models.catalogue import get
from plant_models.core.quantity import ZERO_C
from plant_models.hvac import _office_days as days
from plant_models.hvac import office_vav as office
from plant_models.hvac._climate import FACADES, saturation
from plant_models.hvac._vav import boxes
from plant_models.weather.bundled import load
from tests.books.published import check
from tests.compiled import alone

Array = NDArray[np.float64]
pytestmark = alone("office_vav")
PLANT = get("office_vav")
P = office.Parameter.nominal()
STEP, SUBSTEPS, STRETCH, SETTLE = 300.0, 3, 2, 2
PER_DAY = int(86400.0 / STEP)


class Weather(NamedTuple):
    T_o: Array
    w_o: Array
    facades: dict[str, Array]


def chicago(hours: Array) -> Weather:
    year = load("chicago_il")
    now = year.at(hours)
    w = 0.01 * now.relative_humidity * saturation(now.dry_bulb - ZERO_C)
    return Weather(now.dry_bulb, w, {f"I_{n[0]}": year.on_surface(now, azimuth=a) for n, a in FACADES.items()})


class Mode(NamedTuple):
    """The case's operating mode: fan, occupancy, setpoints of zones and supply air, and warm air without outdoor air."""

    on: NDArray[np.bool_]
    occupied: NDArray[np.bool_]
    T_heat: Array
    T_cool: Array
    T_supply: Array
    warm: NDArray[np.bool_]


def mode(clock: Array, T: Array, T_o: Array) -> Mode:
    occupied, before = (clock >= 6.0) & (clock < 19.0), (clock >= 5.5) & (clock < 6.0)
    warm_up = before & (T.mean(axis=0) < ZERO_C + 20.0)
    pre_cool = before & (T.mean(axis=0) > ZERO_C + 24.0) & (T_o < ZERO_C + 13.0)
    rest = ~occupied & ~warm_up & ~pre_cool
    back, up = rest & (T.min(axis=0) < ZERO_C + 12.0), rest & (T.max(axis=0) > ZERO_C + 30.0)
    warm = warm_up | back
    return Mode(
        on=occupied | warm | pre_cool | up, occupied=occupied, warm=warm,
        T_heat=ZERO_C + np.where(occupied | warm_up, 20.0, 12.0),
        T_cool=ZERO_C + np.where(occupied | pre_cool, 24.0, np.where(up, 12.0, 30.0)),
        T_supply=ZERO_C + np.where(warm, 35.0, 12.0),
    )  # fmt: skip


class Rules:
    """The case's two PI controllers a zone (k 0.1, T_i 120 s), and one for the supply air."""

    def __init__(self, n: int) -> None:
        self.heating, self.cooling, self.supply = np.zeros((5, n)), np.zeros((5, n)), np.zeros(n)

    def inputs(self, x: Array, m: Mode) -> office.Input:
        too_cold, too_warm = m.T_heat - x[:5], x[:5] - m.T_cool
        y_h, y_c = np.clip(0.1 * too_cold + self.heating, 0, 1), np.clip(0.1 * too_warm + self.cooling, 0, 1)
        self.heating = np.where(m.on, np.clip(self.heating + 0.1 * STEP / 120.0 * too_cold, 0, 1), 0.0)
        self.cooling = np.where(m.on, np.clip(self.cooling + 0.1 * STEP / 120.0 * too_warm, 0, 1), 0.0)
        boxes = np.where(y_c > 0.0, y_c, np.where(y_h > 0.0, -P.z_heat - (1.0 - P.z_heat) * y_h, 0.0))
        error = x[15] - m.T_supply
        z = np.clip(0.03 * error + self.supply, -1.0, 1.0)
        self.supply = np.where(m.on, np.clip(self.supply + 0.03 * error, -1.0, 1.0), 0.0)
        return office.Input.of([*boxes, np.where(m.warm, np.minimum(z, 0.0), z)])


def advance(x: Array, u: Any, d: Any) -> Array:
    """Run one step by the midpoint rule."""
    h = STEP / SUBSTEPS

    def slope(x: Array) -> Array:
        return np.stack([np.broadcast_to(rate, x[0].shape) for rate in office.derivative(office.State.of(list(x)), u, d, P)])

    for _ in range(SUBSTEPS):
        x = x + h * slope(x + 0.5 * h * slope(x))
    return x


def simulate(first: NDArray[np.intp], count: int) -> dict[str, Array]:
    """Heat, cold and electric power (W), temperatures and CO2 of ``count`` days from each first day, (steps, ..., days)."""
    steps = (count + SETTLE) * PER_DAY
    hours = 24.0 * (first[:, None] - SETTLE) + STEP / 3600.0 * np.arange(steps)
    weather, rules = chicago(hours + STEP / 7200.0), Rules(len(first))
    x = np.repeat(np.array(list(office.State.nominal()))[:, None], len(first), axis=1)
    usual = weather.T_o[:, : SETTLE * PER_DAY].mean(axis=1) - ZERO_C
    x[:10], x[10:15], x[15] = ZERO_C + np.clip(20.0 + 0.25 * usual, 20.5, 25.5), 450.0, ZERO_C + 17.0
    x[16] = np.minimum(weather.w_o[:, 0], 0.009)
    kept: dict[str, list[Array]] = {"heat": [], "cold": [], "power": [], "T": [], "C": []}
    for k in range(steps):
        m = mode(hours[:, k] % 24.0, x[:5], weather.T_o[:, k])
        u = rules.inputs(x, m)
        d = office.Disturbance(
            T_o=weather.T_o[:, k], w_o=weather.w_o[:, k], **{name: sun[:, k] for name, sun in weather.facades.items()},
            g=np.interp((hours[:, k] + STEP / 7200.0) % 24.0, *days.GAINS), on=m.on.astype(float), air=m.occupied.astype(float),
            price=0.1, T_low=m.T_heat, T_high=m.T_cool,
        )  # fmt: skip
        before = consumption(x, u, d)
        x = advance(x, u, d)
        if k >= SETTLE * PER_DAY:
            values = (*(0.5 * (before + consumption(x, u, d))), x[:5], x[10:15])
            for name, value in zip(kept, values, strict=True):
                kept[name].append(value)
    return {name: np.stack(values) for name, values in kept.items()}


def consumption(x: Array, u: Any, d: Any) -> Array:
    """Heat, cold and electric power at a moment in W, (3, stretches)."""
    state = office.State.of(list(x))
    heat, cold, _ = office.loads(state, u, d, P)
    return np.stack([heat, cold, sum(office.power(state, u, d, P))])


FORTNIGHTS = {"peak heat": 19, "typical heat": 11, "peak cool": 192, "typical cool": 137, "mixed": 77}
"""First days of the case's five scenarios of a fortnight, counted from 1 January."""
YEAR = np.arange(0, 365, STRETCH)


@pytest.fixture(scope="module")
def runs() -> dict[str, Array]:
    """The year and the fortnights, side by side."""
    return simulate(np.concatenate([YEAR, *(np.arange(first, first + 14, STRETCH) for first in FORTNIGHTS.values())]), STRETCH)


@pytest.fixture(scope="module")
def year(runs: dict[str, Array]) -> dict[str, Array]:
    """The year by stretches."""
    return {name: values[..., : len(YEAR)] for name, values in runs.items()}


def test_electricity_of_the_case_s_five_fortnights(runs: dict[str, Array]) -> None:
    floor = 2.0 * P.A_ns + 2.0 * P.A_ew + P.A_c
    each = runs["power"][:, len(YEAR) :].reshape(-1, len(FORTNIGHTS), 14 // STRETCH).sum(axis=(0, 2)) * STEP / 3.6e6 / floor
    for name, energy in zip(FORTNIGHTS, each, strict=True):
        check(PLANT, f"electricity of the fortnight of the {name} day", float(energy))


def megawatt_hours(power: Array) -> float:
    """Sum up a year of which the last stretch runs past the end."""
    share = np.minimum(365 - YEAR, STRETCH) / STRETCH
    return float((power * share).sum() * STEP / 3.6e9)


def test_heat_and_cold_of_the_year(year: dict[str, Array]) -> None:
    check(PLANT, "heat of the year", megawatt_hours(year["heat"]))
    check(PLANT, "cold of the year", megawatt_hours(year["cold"]))


def test_winter_heats_and_summer_cools(year: dict[str, Array]) -> None:
    """January and July by stretches of two days: the heat of the first is at least ten times its cold, and the reverse."""
    heat, cold = year["heat"].sum(axis=0), year["cold"].sum(axis=0)
    assert heat[:15].sum() > 10.0 * cold[:15].sum()
    assert cold[91:106].sum() > 10.0 * heat[91:106].sum()


def test_the_case_s_rules_hold_comfort_and_fresh_air_while_people_are_in(year: dict[str, Array]) -> None:
    """From half past eight on, the zones' mean stays within half a kelvin of the band; CO2 stays below the case's 894 ppm."""
    clock = (STEP / 3600.0 * np.arange(len(year["T"]))) % 24.0
    settled = (clock > 8.5) & (clock < 19.0)
    mean = year["T"][settled].mean(axis=1)
    assert np.quantile(mean, 0.005) > ZERO_C + 19.5
    assert np.quantile(mean, 0.995) < ZERO_C + 24.5
    assert year["C"].max() < P.C_max


def at_design(z: float, zone: str) -> float:
    """Heat of one open box at supply air of 12 degC in kW; the air handler's coils are shut."""
    nominal = PLANT.State.quantities()
    x = office.State(**{name: ZERO_C + 12.0 if name == "T_sa" else q.nominal for name, q in nominal.items()})
    u = office.Input(**{f"z_{other}": z if other == zone else 0.0 for other in days.ZONES}, z=0.0)
    d = office.Disturbance(**{n: ZERO_C if n == "T_o" else q.nominal for n, q in PLANT.Disturbance.quantities().items()})
    return float(office.loads(x, u, d, P)[0]) / 1e3


@pytest.mark.parametrize(("name", "zone"), [("north", "n"), ("core", "c")])
def test_reheat_coils_have_their_sizes(name: str, zone: str) -> None:
    check(PLANT, f"reheat coil, {name}", at_design(-1.0, zone))
    assert at_design(0.0, zone) == 0.0


def test_heat_pump_has_its_size_and_the_chiller_goes_with_the_fan() -> None:
    """The heat pump gives 0.85 of all coils together; the chiller gives 15 kJ/kg of the fan's design flow."""
    flow = P.rho * office.design(P)
    heating = flow * P.c * P.e_h * (P.T_hw - ZERO_C - 4.0)
    reheat = at_design(-1.0, "n") + sum(at_design(-1.0, zone) for zone in ("s", "e", "w", "c"))
    check(PLANT, "heat pump's size", 0.85 * (heating / 1e3 + reheat))
    assert P.Q_chi == pytest.approx(15e3 * flow, rel=1e-3)


def test_no_box_gets_more_than_the_fan_gives() -> None:
    x, d = office.State.nominal(), office.Disturbance.nominal()
    five = office.zones(x, office.Input.of([1.0] * 6), d, P)
    assert sum(flow for flow, _ in boxes(five, office.design(P), P)) == pytest.approx(P.rho * office.design(P))


def test_cold_outdoor_air_cools_for_nothing() -> None:
    """At 5 degC outdoors the outdoor-air damper alone brings the supply air to 12 degC."""
    x = office.State.nominal()
    d = office.Disturbance(**{n: ZERO_C + 5.0 if n == "T_o" else q.nominal for n, q in PLANT.Disturbance.quantities().items()})
    u = office.Input(z_n=0.3, z_s=0.3, z_e=0.3, z_w=0.3, z_c=0.3, z=0.5)
    ahu = office.handler(office.zones(x, u, d, P), x, u, d, P)
    assert ahu.cooling == 0.0
    assert ahu.T_leaving < ZERO_C + 12.0
