"""Stirred tank with an electric heater.

    rho V c_p dT/dt = rho q c_p (T_in - T) + Q        energy balance

Assumed: perfect mixing, constant volume and properties, no loss to the surroundings.
"""

from plant_models.core.duty import Tracking
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Learning, Limit, Margin, Plant, hard, trip
from plant_models.core.quantity import Source, quantity
from plant_models.core.scenario import Draw, Scenario, Signals
from plant_models.core.vector import Expr, Vector

OURS = Source("chosen for this example")
"""Where a number comes from. Cite a book or a data sheet: Source("authors, title, year, page", "10.1000/doi")."""


class State(Vector):
    """What the balances integrate; low and high scale it, and outside of valid the equations make no sense."""

    T: Expr = quantity(320.0, "K", "tank temperature", low=310.0, high=340.0, valid=(273.15, 373.15))


class Input(Vector):
    """What the loops move, within low and high and by at most rate per time unit."""

    Q: Expr = quantity(4.18e6, "J/min", "heater power", low=0.0, high=1.0e7, rate=5.0e6, tag="EH-301", source=OURS)


class Disturbance(Vector):
    """What comes from outside; add measured=False to what no instrument shows."""

    T_in: Expr = quantity(300.0, "K", "feed temperature", low=290.0, high=310.0, tag="TI-302")


class Parameter(Vector):
    """What stays during an episode; uncertain is the relative half-width from which an episode draws it."""

    q: Expr = quantity(50.0, "L/min", "feed flow", uncertain=0.05, source=OURS)
    V: Expr = quantity(200.0, "L", "volume", source=OURS)
    rho: Expr = quantity(1.0, "kg/L", "density", source=OURS)
    c_p: Expr = quantity(4180.0, "J/(kg K)", "heat capacity", source=OURS)
    T_max: Expr = quantity(338.0, "K", "hard limit", source=OURS)
    T_trip: Expr = quantity(350.0, "K", "high-high temperature trip", source=OURS)


class Output(Vector):
    """What instruments show; noise is one standard deviation."""

    T: Expr = quantity(320.0, "K", "tank temperature", low=310.0, high=340.0, tag="TI-301", noise=0.05)


def derivative(x: State, u: Input, d: Disturbance, p: Parameter) -> State:
    """Return the slope of every state per time unit: here the energy balance, divided by rho V c_p."""
    return State(T=p.q / p.V * (d.T_in - x.T) + u.Q / (p.rho * p.V * p.c_p))


def outputs(x: State, u: Input, d: Disturbance, p: Parameter) -> Output:
    """Return what the thermometer shows, without its noise."""
    return Output(T=x.T)


def margins(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Margin]:
    """Return the distances to the hard limit and to the trip; the tank is safe while they are at least zero."""
    return {"hot": hard(p.T_max - x.T), "trip": trip(p.T_trip - x.T)}


def _tracking(draw: Draw) -> Signals:
    """Ask for temperatures in steps while the feed wanders: what the plant is run for, and what PPO learns from."""
    return Signals(
        targets={"T": draw.steps(315.0, 330.0, hold=(15, 30))},
        disturbances={"T_in": draw.wander(300.0, 2.0, memory=20.0)},
        initial={"T": draw.uniform(316.0, 324.0)},
    )


def _disturbance(draw: Draw) -> Signals:
    """Hold the nominal temperature while the feed's jumps."""
    return Signals(disturbances={"T_in": draw.steps(291.0, 309.0, hold=(10, 20))})


def _boundary(draw: Draw) -> Signals:
    """Ask for temperatures close to the hard limit, with a feed so cold that the heater nears its own."""
    return Signals(
        targets={"T": draw.steps(328.0, 336.0, hold=(15, 30))},
        disturbances={"T_in": draw.wander(296.0, 1.0, memory=20.0)},
        initial={"T": draw.uniform(324.0, 330.0)},
    )


PLANT = Plant(
    title="Heated tank",
    State=State,
    Input=Input,
    Disturbance=Disturbance,
    Parameter=Parameter,
    Output=Output,
    derivative=derivative,
    outputs=outputs,
    margins=margins,
    loops=(
        Loop(
            tag="TIC-301", pv="T", mv="Q", low=305.0, high=336.0, authority=3.0,
            gains=Gains(K_c=1.67e6, T_i=1.6, setpoint=2.09e5, disturbance=(("T_in", -2.09e5),)),
        ),
    ),
    duty=Tracking(scales={"T": 2.0}, moves={"Q": 0.01}),
    scenarios=(
        Scenario("tracking", "temperature targets in steps, feed temperature wandering", 90, _tracking),
        Scenario("disturbance", "feed temperature in steps", 90, _disturbance, protocol="disturbance"),
        Scenario("boundary", "targets close to the hard limit, cold feed", 90, _boundary, protocol="boundary"),
    ),
    safe_action={"Q": 0.0},
    time_unit="min",
    decision=1.0,
    loop_period=0.2,
    scale=0.2,
    worst=50.0,
    limits=(Limit("T", "T_max", "high"), Limit("T", "T_trip", "high")),
    preview=3,
    learning=Learning(horizon=15.0, steps=400_000),
)  # fmt: skip
