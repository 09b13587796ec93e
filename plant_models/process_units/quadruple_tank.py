"""Johansson's quadruple tank: two pumps, four tanks, and two valves that move a zero across the imaginary axis.

    A_1 dh_1/dt = -q_o1 + q_o3 + gamma_1 k_1 v_1        lower left tank
    A_2 dh_2/dt = -q_o2 + q_o4 + gamma_2 k_2 v_2        lower right tank
    A_3 dh_3/dt = -q_o3 + (1 - gamma_2) k_2 v_2 + q_3   upper left tank, drains into tank 1
    A_4 dh_4/dt = -q_o4 + (1 - gamma_1) k_1 v_1 + q_4   upper right tank, drains into tank 2
    q_oi = a_i sqrt(2 g h_i)                            Bernoulli's law

Minimum phase while gamma_1 + gamma_2 > 1 (the pumps feed mostly the tanks below), else non-minimum phase (mostly those above).
Assumed: pumps and valves follow their commands at once; crossed = 1 patches each level controller to the other pump (v_1 and v_2
change places); below h_s the outflow is laminar, so that a tank can run empty: sqrt(h) is h / (h^2 + h_s^2)^(1/4).
q_3 and q_4 are not in the original rig; its pumps are used up to 6 V only, twice their steady voltage.
"""

import numpy as np

from plant_models.core.duty import Tracking
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Learning, Limit, Margin, Plant, hard, trip
from plant_models.core.quantity import Reproduced, Source, quantity
from plant_models.core.scenario import Array, Draw, Scenario, Signals
from plant_models.core.smooth import positive
from plant_models.core.vector import Expr, Vector

PAPER = Source(
    "K. H. Johansson: The quadruple-tank process: a multivariable laboratory process with an adjustable zero, "
    "IEEE Trans. Control Systems Technology 8(3), 2000, 456-465",
    "10.1109/87.845876",
)
OURS = Source("chosen here: the tanks are 20 cm high; outside flows may double what the valves send up")
EARTH = Source("standard gravity, rounded as in the paper")


class State(Vector):
    h_1: Expr = quantity(12.26, "cm", "level in tank 1", low=0.0, high=20.0, valid=(-1.0, 40.0))
    h_2: Expr = quantity(12.78, "cm", "level in tank 2", low=0.0, high=20.0, valid=(-1.0, 40.0))
    h_3: Expr = quantity(1.634, "cm", "level in tank 3", low=0.0, high=20.0, valid=(-1.0, 40.0))
    h_4: Expr = quantity(1.409, "cm", "level in tank 4", low=0.0, high=20.0, valid=(-1.0, 40.0))


class Input(Vector):
    v_1: Expr = quantity(3.0, "V", "voltage of pump 1", low=0.0, high=6.0, tag="P-101", source=PAPER)
    v_2: Expr = quantity(3.0, "V", "voltage of pump 2", low=0.0, high=6.0, tag="P-102", source=PAPER)


class Disturbance(Vector):
    q_3: Expr = quantity(0.0, "cm^3/s", "outside flow into tank 3", low=0.0, high=4.0, measured=False, source=OURS)
    q_4: Expr = quantity(0.0, "cm^3/s", "outside flow into tank 4", low=0.0, high=4.0, measured=False, source=OURS)


class Parameter(Vector):
    A_1: Expr = quantity(28.0, "cm^2", "cross-section of tank 1", source=PAPER)
    A_2: Expr = quantity(32.0, "cm^2", "cross-section of tank 2", source=PAPER)
    A_3: Expr = quantity(28.0, "cm^2", "cross-section of tank 3", source=PAPER)
    A_4: Expr = quantity(32.0, "cm^2", "cross-section of tank 4", source=PAPER)
    a_1: Expr = quantity(0.071, "cm^2", "outlet of tank 1", uncertain=0.05, source=PAPER)
    a_2: Expr = quantity(0.057, "cm^2", "outlet of tank 2", uncertain=0.05, source=PAPER)
    a_3: Expr = quantity(0.071, "cm^2", "outlet of tank 3", uncertain=0.05, source=PAPER)
    a_4: Expr = quantity(0.057, "cm^2", "outlet of tank 4", uncertain=0.05, source=PAPER)
    k_1: Expr = quantity(3.33, "cm^3/(V s)", "flow of pump 1 per volt", uncertain=0.05, source=PAPER)
    k_2: Expr = quantity(3.35, "cm^3/(V s)", "flow of pump 2 per volt", uncertain=0.05, source=PAPER)
    gamma_1: Expr = quantity(0.70, "1", "share of pump 1 that goes to tank 1", uncertain=0.02, source=PAPER)
    gamma_2: Expr = quantity(0.60, "1", "share of pump 2 that goes to tank 2", uncertain=0.02, source=PAPER)
    crossed: Expr = quantity(0.0, "1", "1 where each controller is patched to the other side's pump", source=OURS)
    g: Expr = quantity(981.0, "cm/s^2", "gravity", source=EARTH)
    h_s: Expr = quantity(0.05, "cm", "level below which outflow is laminar", source=OURS)
    h_max: Expr = quantity(19.0, "cm", "hard limit on the lower levels", source=OURS)
    h_brim: Expr = quantity(20.0, "cm", "brim of a tank, where the pumps trip", source=OURS)
    w_high: Expr = quantity(1.0, "1/cm", "charge for each centimetre above the hard limit", source=OURS)


class Output(Vector):
    h_1: Expr = quantity(12.26, "cm", "level in tank 1", low=0.0, high=20.0, tag="LI-101", noise=0.03)
    h_2: Expr = quantity(12.78, "cm", "level in tank 2", low=0.0, high=20.0, tag="LI-102", noise=0.03)


def outflow(a: Expr, h: Expr, p: Parameter) -> Expr:
    """Return the flow through an outlet ``a`` under a level ``h``, in cm^3/s."""
    return a * np.sqrt(2.0 * p.g) * h / np.sqrt(np.sqrt(h**2 + p.h_s**2))


def derivative(x: State, u: Input, d: Disturbance, p: Parameter) -> State:
    """Return the four volume balances."""
    from_3, from_4 = outflow(p.a_3, x.h_3, p), outflow(p.a_4, x.h_4, p)
    pump_1 = p.k_1 * (u.v_1 + p.crossed * (u.v_2 - u.v_1))
    pump_2 = p.k_2 * (u.v_2 + p.crossed * (u.v_1 - u.v_2))
    return State(
        h_1=(-outflow(p.a_1, x.h_1, p) + from_3 + p.gamma_1 * pump_1) / p.A_1,
        h_2=(-outflow(p.a_2, x.h_2, p) + from_4 + p.gamma_2 * pump_2) / p.A_2,
        h_3=(-from_3 + (1.0 - p.gamma_2) * pump_2 + d.q_3) / p.A_3,
        h_4=(-from_4 + (1.0 - p.gamma_1) * pump_1 + d.q_4) / p.A_4,
    )


def outputs(x: State, u: Input, d: Disturbance, p: Parameter) -> Output:
    """Return what the two level sensors of the lower tanks show."""
    return Output(h_1=x.h_1, h_2=x.h_2)


def margins(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Margin]:
    """Return the distances of the lower levels to their hard limit and of all levels to the brim."""
    return {
        "tank 1 high": hard(p.h_max - x.h_1),
        "tank 2 high": hard(p.h_max - x.h_2),
        "tank 1 overflow": trip(p.h_brim - x.h_1),
        "tank 2 overflow": trip(p.h_brim - x.h_2),
        "tank 3 overflow": trip(p.h_brim - x.h_3),
        "tank 4 overflow": trip(p.h_brim - x.h_4),
    }


def cost(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Expr]:
    """Return the charge for lower levels above the hard limit."""
    return {"high": p.w_high * (positive(x.h_1 - p.h_max) + positive(x.h_2 - p.h_max))}


NON_MINIMUM = {"k_1": 3.14, "k_2": 3.29, "gamma_1": 0.43, "gamma_2": 0.34, "crossed": 1.0}
"""The paper's non-minimum phase, where both pumps run at 3.15 V.

The relative gain of the straight pairing is -0.64 there, so that no plant engineer would close it; crossed it is 1.64.
"""


def _outside(draw: Draw) -> dict[str, Array]:
    return {name: np.clip(draw.wander(1.0, 0.4, memory=20.0), 0.0, 4.0) for name in ("q_3", "q_4")}


def _tracking(draw: Draw) -> Signals:
    return Signals(
        targets={"h_1": draw.steps(9.0, 15.0, hold=(15, 30)), "h_2": draw.steps(9.0, 15.0, hold=(15, 30))},
        disturbances=_outside(draw),
        initial={"h_1": draw.uniform(11.0, 14.0), "h_2": draw.uniform(11.0, 14.0)},
    )


def _disturbed(draw: Draw) -> Signals:
    """Hold both levels while outside flows into the upper tanks step."""
    return Signals(disturbances={name: draw.steps(0.0, 4.0, hold=(15, 25)) for name in ("q_3", "q_4")})


def _boundary(draw: Draw) -> Signals:
    """Ask for levels close to the hard limit, one centimetre below the brim."""
    return Signals(
        targets={"h_1": draw.steps(16.0, 18.5, hold=(15, 30)), "h_2": draw.steps(16.0, 18.5, hold=(15, 30))},
        disturbances=_outside(draw),
        initial={
            "h_1": draw.uniform(15.5, 16.5), "h_2": draw.uniform(15.5, 16.5),
            "h_3": np.full(draw.n, 2.2), "h_4": np.full(draw.n, 2.2),
        },
    )  # fmt: skip


def _non_minimum(draw: Draw) -> Signals:
    """Turn the valves: the pumps now feed mostly the upper tanks, and a level first answers the wrong pump."""
    return Signals(
        targets={"h_1": draw.steps(11.0, 14.0, hold=(40, 60)), "h_2": draw.steps(11.5, 14.5, hold=(40, 60))},
        disturbances={name: np.clip(draw.wander(0.2, 0.1, memory=20.0), 0.0, 4.0) for name in ("q_3", "q_4")},
        initial={
            "h_1": draw.uniform(11.5, 13.5), "h_2": draw.uniform(12.0, 14.0),
            "h_3": draw.uniform(4.5, 5.0), "h_4": draw.uniform(4.7, 5.2),
        },
        parameters={name: np.full(draw.n, value) for name, value in NON_MINIMUM.items()},
    )  # fmt: skip


LOOPS = (
    Loop(
        tag="LIC-101", pv="h_1", mv="v_1", low=4.0, high=18.5, authority=1.5,
        gains=Gains(K_c=2.613, T_i=9.172, b=0.03776, setpoint=0.05028),
    ),
    Loop(
        tag="LIC-102", pv="h_2", mv="v_2", low=4.0, high=18.5, authority=1.5,
        gains=Gains(K_c=3.089, T_i=10.4, b=0.1772, setpoint=0.08091),
    ),
)  # fmt: skip

TURNED = (
    Loop(
        tag="LIC-101", pv="h_1", mv="v_1", low=4.0, high=18.5, authority=1.5,
        gains=Gains(K_c=0.6483, T_i=348.8, T_d=27.91, b=0.8306, setpoint=0.1969),
    ),
    Loop(
        tag="LIC-102", pv="h_2", mv="v_2", low=4.0, high=18.5, authority=1.5,
        gains=Gains(K_c=0.4894, T_i=284.5, T_d=20.80, b=0.4862, setpoint=0.2495),
    ),
)  # fmt: skip
"""Settings for the non-minimum phase, slow as its zero in the right half-plane asks."""

PRINTED = "printed from the levels measured on the rig, in two digits; ours follow from the steady state of the equations"


def _published(what: str, published: float, ours: float, unit: str, tolerance: float) -> Reproduced:
    return Reproduced(what=what, published=published, ours=ours, unit=unit, tolerance=tolerance, source=PAPER, remark=PRINTED)


PLANT = Plant(
    title="Quadruple tank",
    State=State,
    Input=Input,
    Disturbance=Disturbance,
    Parameter=Parameter,
    Output=Output,
    derivative=derivative,
    outputs=outputs,
    margins=margins,
    cost=cost,
    loops=LOOPS,
    duty=Tracking(scales={"h_1": 2.0, "h_2": 2.0}, moves={"v_1": 0.02, "v_2": 0.02}),
    scenarios=(
        Scenario("tracking", "targets of both levels in steps, outside flows wandering", 100, _tracking),
        Scenario("disturbance", "outside flows into the upper tanks in steps", 100, _disturbed, protocol="disturbance"),
        Scenario("boundary", "targets close to the brim", 100, _boundary, protocol="boundary"),
        Scenario("non-minimum phase", "valves turned: a zero in the right half-plane", 120, _non_minimum, loops=TURNED),
    ),
    safe_action={"v_1": 0.0, "v_2": 0.0},
    time_unit="s",
    decision=10.0,
    loop_period=2.0,
    scale=0.03,
    worst=250.0,
    limits=(Limit("h_1", "h_max", "high"), Limit("h_2", "h_max", "high")),
    preview=3,
    advance=1,
    learning=Learning(horizon=12.0, steps=1_000_000),
    sources=(PAPER,),
    reproduced=(
        *(
            _published(f"time constant T_{i + 1}, {phase} phase", published, ours, "s", 0.012)
            for phase, pairs in (
                ("minimum", ((62.0, 62.36), (90.0, 90.63), (23.0, 22.75), (30.0, 30.07))),
                ("non-minimum", ((63.0, 62.81), (91.0, 91.98), (39.0, 38.73), (56.0, 56.60))),
            )
            for i, (published, ours) in enumerate(pairs)
        ),
        _published("fast zero, minimum phase", -0.060, -0.05973, "1/s", 0.03),
        _published("slow zero, minimum phase", -0.018, -0.01748, "1/s", 0.03),
        _published("fast zero, non-minimum phase", -0.057, -0.05625, "1/s", 0.03),
        _published("zero in the right half-plane, non-minimum phase", 0.013, 0.01276, "1/s", 0.03),
    ),
)
