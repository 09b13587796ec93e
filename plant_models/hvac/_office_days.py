"""The days of the office: weather, people, tariff, and the setpoints that its building management system sends."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from plant_models.core.duty import Part, Reset, Setback, commanded
from plant_models.core.quantity import ZERO_C, Source
from plant_models.core.scenario import Array, Draw, Signals
from plant_models.hvac._climate import outdoors, time_of_use
from plant_models.weather import calendar
from plant_models.weather.cities import Cities

ZONES = ("n", "s", "e", "w", "c")
CITIES = Cities(trained=("golden_co", "sterling_va", "greensboro_nc"), judged=("chicago_il",))
Season: TypeAlias = tuple[float | Array, float | Array]
YEAR, COLD, HOT = (0.0, 365.0), (0.0, 45.0), (190.0, 225.0)
"""First and last day on which an episode may begin, counted from 1 January."""
OPENS, CLOSES = 6.0, 19.0
GAINS = ((0.0, 8.0, 9.0, 12.0, 12.001, 13.0, 13.001, 17.0, 19.0, 24.0), (0.05, 0.05, 0.9, 0.9, 0.8, 0.8, 1.0, 1.0, 0.1, 0.05))
"""Hours of the day, every day of the week, and shares of the design gains between which they run straight."""
START = (0.5, 1.5, 278.15, 20.0)
"""The fan starts so many hours before people come; more, up to the second number, below an outdoor temperature in K, by K."""
MILD = (279.65, 291.95)
"""Outdoor temperatures in K between which the zones' setpoints rise."""
PEOPLE_IN = (ZERO_C + 16.0, ZERO_C + 24.0)
"""Lower comfort limits in K while people are in."""
SCHEDULE: tuple[Part, ...] = (
    Reset(tag="TIC-601", by="T_o", at=(285.15, 294.05), values=(289.1, 289.4)),
    Setback(tag="TIC-601", by="T_low", within=PEOPLE_IN, occupied=0.0, empty=2.65),
    Reset(tag="TIC-611", by="T_o", at=MILD, values=(293.5, 296.9)),
    Reset(tag="TIC-612", by="T_o", at=MILD, values=(293.7, 296.95)),
    Reset(tag="TIC-613", by="T_o", at=MILD, values=(293.7, 297.0)),
    Reset(tag="TIC-614", by="T_o", at=MILD, values=(294.0, 296.7)),
    Reset(tag="TIC-615", by="T_o", at=MILD, values=(294.6, 295.95)),
)
"""What the hierarchy sends: zones, and a little the supply air, reset by the outdoor temperature; warm air before people come."""
RULE: tuple[Part, ...] = (
    Reset(tag="TIC-601", by="T_o", at=(ZERO_C + 15.6, ZERO_C + 21.1), values=(ZERO_C + 18.3, ZERO_C + 12.8)),
    *(
        Reset(tag=f"TIC-61{i}", by="T_o", at=(ZERO_C + 15.6, ZERO_C + 21.1), values=(ZERO_C + 21.1, ZERO_C + 23.9))
        for i in range(1, 6)
    ),
)
GUIDELINE = Source(
    "ASHRAE Guideline 36-2021, High-performance sequences of operation for HVAC systems, 5.16.2.2: supply air from 55 degF at 70 "
    "degF outdoors and above to 65 degF at 60 degF and below; occupied zones 70 degF to heat, 75 degF to cool: here, with one "
    "setpoint a zone, to heat in cold and to cool in warm weather"
)


def schedule(hours: Array, T_o: Array) -> tuple[Array, Array]:
    """Return when the fan runs and when outdoor air is due: people's hours, and an earlier start the colder it is."""
    clock = calendar.hour_of_day(hours)
    ahead = START[0] + (START[1] - START[0]) * np.clip((START[2] - T_o) / START[3], 0.0, 1.0)
    occupied = (clock >= OPENS) & (clock < CLOSES)
    return ((clock >= OPENS - ahead) & (clock < CLOSES)).astype(float), occupied.astype(float)


def day(draw: Draw, season: Season = YEAR, warmer: float | Array = 0.0, share: Array | None = None) -> Signals:
    """Return days of the season, so many kelvins warmer, gains multiplied by a share that nobody knows of."""
    hours = 24.0 * np.floor(draw.rng.uniform(*season, draw.n))[:, None] + draw.period / 3600.0 * np.arange(draw.count)
    weather = outdoors(draw, hours, CITIES, warmer)
    T_o = weather.T_o
    on, air = schedule(hours, T_o)
    g = np.interp(calendar.hour_of_day(hours), *GAINS)
    T_z = draw.uniform(ZERO_C + 20.5, ZERO_C + 23.5)
    zones_at = {f"{kind}_{zone}": T_z + draw.uniform(-0.5, 0.5) for kind in ("T", "M") for zone in ZONES}
    mean = T_o.mean(axis=1)
    disturbances = {
        "T_o": T_o, "w_o": weather.w, **{f"I_{name[0]}": sun for name, sun in weather.facades.items()},
        "g": g if share is None else np.clip(g * share, 0.0, 1.2), "on": on, "air": air, "price": time_of_use(hours),
        "T_low": ZERO_C + np.where(air > 0.0, 20.0, 12.0), "T_high": ZERO_C + np.where(air > 0.0, 24.0, 30.0),
    }  # fmt: skip
    return Signals(
        references=commanded(SCHEDULE, disturbances),
        disturbances=disturbances,
        forecasts={"T_o": weather.forecasts(draw, T_o)},
        initial={
            **zones_at, **{f"C_{zone}": np.full(draw.n, 450.0) for zone in ZONES}, "T_sa": T_z,
            "w": np.minimum(weather.w[:, 0] + 0.001, 0.010),
        },
        parameters={"season": np.clip((ZERO_C + 12.0 - mean) / 8.0, -1.0, 1.0)},
    )  # fmt: skip


def crowd(draw: Draw) -> Signals:
    """Let people come and go by steps, with a fifth more or half as many gains as the calendar says."""
    return day(draw, share=draw.steps(0.5, 1.2, hold=(8, 20)))


def extreme(draw: Draw) -> Signals:
    """Run near the coils' limits: half of the days in deep winter, 6 K colder, the others in high summer, 4 K hotter."""
    winter = draw.rng.random(draw.n) < 0.5
    first, last = (np.where(winter, COLD[k], HOT[k]) for k in (0, 1))
    return day(draw, (first, last), warmer=np.where(winter, -6.0, 4.0)[:, None])
