"""The days of the chilled-water plant: weather, people, tariff, and the setpoints that its building management system sends."""

from __future__ import annotations

import numpy as np

from plant_models.core.duty import Held, Reset, Setback, commanded
from plant_models.core.quantity import ZERO_C, Source
from plant_models.core.scenario import Array, Draw, Signals
from plant_models.hvac._climate import enthalpy, outdoors, time_of_use
from plant_models.weather import calendar, outlook
from plant_models.weather.cities import Cities

CITIES = Cities(trained=("tampa_fl", "greensboro_nc", "chicago_il"), judged=("sterling_va",))
SEASON = (152.0, 265.0)
"""First and last day on which an episode may begin: June to the end of September, counted from 1 January."""
HOTTEST = (180.0, 225.0)
OPENS, CLOSES = 7.0, 19.0
FLOOR = 10_000.0
"""Floor area in m2."""
OCCUPIED, CHEAP = (ZERO_C + 23.0, ZERO_C + 27.0), (0.0, 0.1)  # comfort limits while people are in; USD/kWh of most hours
SCHEDULE = (
    Setback(tag="TIC-501", by="T_high", within=OCCUPIED, occupied=ZERO_C + 23.92, empty=ZERO_C + 28.0, lead=3),
    Setback(tag="TIC-501", by="price", within=CHEAP, occupied=-0.73, empty=0.0),
    Reset(tag="TIC-502", by="Q_int", at=(385.6, 895.4), values=(ZERO_C + 8.9, ZERO_C + 5.0)),
    Reset(tag="TIC-503", by="T_wb", at=(ZERO_C + 10.4, ZERO_C + 27.9), values=(ZERO_C + 15.0, ZERO_C + 32.5)),
    Reset(tag="TIC-503", by="Q_int", at=(0.0, 1000.0), values=(0.0, 1.46)),
)  # fmt: skip
"""The comfort limit while people are in, less ahead of dear hours, set up at night; resets by the gains and the wet bulb."""
RULE = (
    Setback(tag="TIC-501", by="T_high", within=OCCUPIED, occupied=ZERO_C + 24.0, empty=ZERO_C + 28.0),
    Reset(tag="TIC-502", by="T_o", at=(ZERO_C + 22.2, ZERO_C + 26.7), values=(ZERO_C + 8.9, ZERO_C + 6.7)),
    Held(tag="TIC-503", value=ZERO_C + 21.1),
)  # fmt: skip
RESETS = Source(
    "ANSI/ASHRAE/IES Standard 90.1-2010, Appendix G: G3.1.3.9 (chilled water 44 degF from 80 degF outdoors, up to the fit's 8.9 "
    "degC as to 54 degF at 60 degF), G3.1.3.11 (tower water at 70 degF where weather permits); space at its limit"
)


def gains(occupied: Array, T_wb: Array, ghi: Array) -> Array:
    """Return the heat to be removed from the building in kW, apart from what passes its walls.

    Per m2 of floor, chosen here: 6 W of equipment always, 38 W more of light, equipment and people while occupied, 0.15 of
    the global irradiance on 0.15 m2 of window, and 0.4 g/s of fresh air to be brought to 24 degC and 50 % (48 kJ/kg).
    """
    inside = 0.006 + 0.038 * occupied
    sun = 1e-3 * 0.15 * 0.15 * ghi
    fresh = 0.4e-3 * occupied * np.maximum(enthalpy(T_wb) - 48.0, 0.0)
    return np.asarray(FLOOR * (inside + sun + fresh))


def day(draw: Draw, season: tuple[float, float] = SEASON, hotter: float = 0.0, extra: Array | None = None) -> Signals:
    """Return a day of the season, so many kelvins hotter, with so many kilowatts of gains that nobody knows of."""
    hours = 24.0 * np.floor(draw.uniform(*season))[:, None] + draw.period / 3600.0 * np.arange(draw.count)
    weekday = draw.rng.integers(0, 7, (draw.n, 1))
    weather = outdoors(draw, hours, CITIES, hotter)
    T_o, T_wb = weather.T_o, np.minimum(weather.T_wb, ZERO_C + 29.0)
    clock = calendar.hour_of_day(hours)
    occupied = (calendar.weekday(hours, weekday) < calendar.SATURDAY) & (clock >= OPENS) & (clock < CLOSES)
    T_high = np.where(occupied, ZERO_C + 24.0, ZERO_C + 30.0)
    expected = gains(occupied.astype(float), T_wb, weather.ghi)
    Q_int = expected if extra is None else np.maximum(expected + extra, 0.0)
    T_s = draw.uniform(ZERO_C + 23.5, ZERO_C + 26.0)
    disturbances = {"T_o": T_o, "T_wb": T_wb, "Q_int": Q_int, "price": time_of_use(hours), "T_high": T_high}
    return Signals(
        references=commanded(SCHEDULE, disturbances),
        disturbances=disturbances,
        forecasts={
            "T_o": weather.forecasts(draw, T_o), "T_wb": weather.forecasts(draw, T_wb),
            "Q_int": outlook.ahead(expected, draw.leads),
        },
        initial={
            "T_s": T_s, "T_m": T_s - draw.uniform(0.0, 1.0), "T_r": T_s - draw.uniform(4.0, 8.0),
            "T_cw": T_wb[:, 0] + 5.0, "T_cd": T_wb[:, 0] + 6.0,
        },
    )  # fmt: skip


def events(draw: Draw) -> Signals:
    """Add heat that no forecast knows of, or take some away, for two to six hours at a time."""
    return day(draw, extra=draw.steps(-150.0, 200.0, hold=(8, 24)))
