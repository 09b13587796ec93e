"""Binary distillation in 41 stages, Skogestad's column A, with reflux and boilup controlling the purities (LV).

    d(M_i)/dt     = L_{i+1} - L_i + V_{i-1} - V_i                                    holdup of stage i
    d(M_i x_i)/dt = L_{i+1} x_{i+1} - L_i x_i + V_{i-1} y_{i-1} - V_i y_i            light component on it
    y_i = alpha x_i / (1 + (alpha - 1) x_i)                                          vapour-liquid equilibrium
    L_i = L_0 + (M_i - M_0)/tau_l                                                    tray hydraulics; L_0 + q_F F below the feed
    D   = D_0 + K (M_41 - M_0),  B = B_0 + K (M_1 - M_0)                             level controllers

Stage 1 is the reboiler, 21 takes the feed F (z_F, liquid share q_F), 41 is the total condenser, whose liquid leaves as reflux
L and distillate D; V_i is the boilup V, above the feed V + (1 - q_F) F. Solved for dx_i/dt, what leaves a stage as liquid drops
out.
Assumed: constant pressure, relative volatility and molar flows, equilibrium on every stage, no vapour holdup.
"""

from collections.abc import Sequence

from plant_models.core.duty import Tracking
from plant_models.core.loop import Gains, Loop
from plant_models.core.plant import Learning, Margin, Plant, hard
from plant_models.core.quantity import Reproduced, Source, quantity
from plant_models.core.scenario import Draw, Scenario, Signals
from plant_models.core.vector import Expr, Vector

MODEL = Source(
    "Skogestad: Dynamics and control of distillation columns, a tutorial introduction, Trans. IChemE 75 A (1997) 539-562, "
    "with its program (column A)"
)
FIRST = Source(
    "Skogestad and Morari: Understanding the dynamic behavior of distillation columns, Ind. Eng. Chem. Res. 27 (1988) 1848-1862"
)
OURS = Source("chosen here")

STAGES, FEED = 41, 21
PROFILE = (
    0.010000, 0.014261, 0.019724, 0.026693, 0.035531, 0.046651, 0.060506, 0.077558, 0.098234, 0.122854, 0.151544, 0.184147,
    0.220160, 0.258707, 0.298607, 0.338497, 0.377015, 0.412984, 0.445533, 0.474164, 0.498725, 0.526495, 0.557764, 0.592160,
    0.629039, 0.667506, 0.706498, 0.744890, 0.781625, 0.815826, 0.846866, 0.874391, 0.898301, 0.918704, 0.935848, 0.950071,
    0.961744, 0.971242, 0.978913, 0.985075, 0.990000,
)  # fmt: skip
"""Light component in the liquid from reboiler to condenser, at the nominal flows."""


def _state() -> type[Vector]:
    """Return the vector of the compositions x_1 to x_41 and the holdups M_1 to M_41."""
    fields = {
        f"x_{i}": quantity(x, "1", f"light component in the liquid of stage {i}", low=0.0, high=1.0, valid=(-0.01, 1.01))
        for i, x in enumerate(PROFILE, start=1)
    } | {
        f"M_{i}": quantity(0.5, "kmol", f"holdup of stage {i}", low=0.3, high=0.7, valid=(0.1, 2.0)) for i in range(1, STAGES + 1)
    }
    made = type("State", (Vector,), {"__annotations__": dict.fromkeys(fields, Expr), "__module__": __name__, **fields})
    assert issubclass(made, Vector)
    return made


State = _state()


class Input(Vector):
    L: Expr = quantity(2.70629, "kmol/min", "reflux", low=2.2, high=3.3, tag="FV-101", source=OURS)
    V: Expr = quantity(3.20629, "kmol/min", "boilup", low=2.7, high=3.8, tag="FV-102", source=OURS)


class Disturbance(Vector):
    F: Expr = quantity(1.0, "kmol/min", "feed", low=0.8, high=1.2, tag="FI-103")
    z_F: Expr = quantity(0.5, "1", "light component in the feed", low=0.4, high=0.6, measured=False)
    q_F: Expr = quantity(1.0, "1", "liquid share of the feed", low=0.9, high=1.1, measured=False)


class Parameter(Vector):
    alpha: Expr = quantity(1.5, "1", "relative volatility", uncertain=0.01, source=MODEL)
    tau_l: Expr = quantity(0.063, "min", "time constant of a tray's liquid", uncertain=0.1, source=MODEL)
    M_0: Expr = quantity(0.5, "kmol", "holdup of every stage at the nominal flows", source=MODEL)
    L_0: Expr = quantity(2.70629, "kmol/min", "liquid from a tray of that holdup above the feed", source=MODEL)
    L_f: Expr = quantity(3.70629, "kmol/min", "the same below the feed", source=MODEL)
    D_0: Expr = quantity(0.5, "kmol/min", "distillate at the nominal level", source=MODEL)
    B_0: Expr = quantity(0.5, "kmol/min", "bottoms at the nominal level", source=MODEL)
    K: Expr = quantity(10.0, "1/min", "gain of both level controllers", source=MODEL)
    V_max: Expr = quantity(3.9, "kmol/min", "vapour at which the trays flood", source=OURS)


class Output(Vector):
    y_D: Expr = quantity(0.99, "1", "light component in the distillate", low=0.97, high=1.0, tag="AI-101", noise=1e-4)
    x_B: Expr = quantity(0.01, "1", "light component in the bottoms", low=0.0, high=0.03, tag="AI-102", noise=1e-4)
    D: Expr = quantity(0.5, "kmol/min", "distillate", low=0.2, high=0.8, tag="FI-104", noise=0.005)
    B: Expr = quantity(0.5, "kmol/min", "bottoms", low=0.2, high=0.8, tag="FI-105", noise=0.005)


def stages(x: Vector) -> tuple[Sequence[Expr], Sequence[Expr]]:
    """Return compositions and holdups from the reboiler up."""
    values = tuple(x)
    return values[:STAGES], values[STAGES:]


def products(x: Vector, p: Parameter) -> tuple[Expr, Expr]:
    """Return distillate and bottoms as their level controllers draw them."""
    _, M = stages(x)
    return p.D_0 + p.K * (M[-1] - p.M_0), p.B_0 + p.K * (M[0] - p.M_0)


def derivative(x: Vector, u: Input, d: Disturbance, p: Parameter) -> Vector:
    """Return the two balances of every stage."""
    z, M = stages(x)
    D, B = products(x, p)
    above, excess = u.V + (1.0 - d.q_F) * d.F, p.alpha - 1.0
    rising = [above if i >= FEED - 1 else u.V for i in range(STAGES - 1)]
    vapour = [p.alpha * light / (1.0 + excess * light) for light in z[:-1]]
    trays = [(p.L_f if i < FEED else p.L_0) + (M[i] - p.M_0) / p.tau_l for i in range(1, STAGES - 1)]
    falling = [B, *trays, u.L]
    change_x, change_M = [], []
    for i in range(STAGES):
        arriving = []
        if i < STAGES - 1:
            arriving.append((falling[i + 1], z[i + 1]))
        if i > 0:
            arriving.append((rising[i - 1], vapour[i - 1]))
        if i == FEED - 1:
            arriving.append((d.F, d.z_F))
        leaving = rising[i] if i < STAGES - 1 else D
        enriched = -rising[i] * (vapour[i] - z[i]) if i < STAGES - 1 else 0.0 * u.V
        change_M.append(sum(flow for flow, _ in arriving) - leaving - falling[i])
        change_x.append((sum(flow * (light - z[i]) for flow, light in arriving) + enriched) / M[i])
    return State.of([*change_x, *change_M])


def outputs(x: Vector, u: Input, d: Disturbance, p: Parameter) -> Output:
    """Return what the analysers of the products and their flow meters show."""
    z, _ = stages(x)
    D, B = products(x, p)
    return Output(y_D=z[-1], x_B=z[0], D=D, B=B)


def margins(x: Vector, u: Input, d: Disturbance, p: Parameter) -> dict[str, Margin]:
    """Return the distance to flooding, and the product flows, which must not turn back."""
    D, B = products(x, p)
    return {"flooding": hard(p.V_max - u.V - (1.0 - d.q_F) * d.F), "distillate": hard(D), "bottoms": hard(B)}


def _tracking(draw: Draw) -> Signals:
    """Follow purities in steps while the feed wanders in rate and composition."""
    return Signals(
        targets={"y_D": draw.steps(0.985, 0.994, hold=(20, 40)), "x_B": draw.steps(0.006, 0.015, hold=(20, 40))},
        disturbances={
            "F": draw.wander(1.0, 0.03, memory=15.0),
            "z_F": draw.wander(0.5, 0.015, memory=30.0),
            "q_F": draw.wander(1.0, 0.01, memory=30.0),
        },
    )


def _disturbed(draw: Draw) -> Signals:
    """Hold both purities while the feed steps in rate, composition and heat."""
    return Signals(
        disturbances={
            "F": draw.steps(0.85, 1.15, hold=(20, 40)),
            "z_F": draw.steps(0.43, 0.57, hold=(20, 40)),
            "q_F": draw.steps(0.95, 1.05, hold=(20, 40)),
        },
    )


def _boundary(draw: Draw) -> Signals:
    """Ask for high purity of a rich feed, where the boilup comes close to flooding."""
    return Signals(
        targets={"y_D": draw.steps(0.99, 0.994, hold=(20, 40)), "x_B": draw.steps(0.006, 0.01, hold=(20, 40))},
        disturbances={"F": draw.wander(1.06, 0.02, memory=15.0), "z_F": draw.wander(0.5, 0.015, memory=30.0)},
    )


LOOPS = (
    Loop(
        tag="AIC-101", pv="y_D", mv="L", low=0.97, high=0.998, authority=0.003,
        gains=Gains(K_c=78.2, T_i=3.12, T_d=0.15, b=0.042, disturbance=(("F", 1.685),)),
    ),
    Loop(
        tag="AIC-102", pv="x_B", mv="V", low=0.002, high=0.03, authority=0.003,
        gains=Gains(K_c=-103.4, T_i=3.87, b=0.011, disturbance=(("F", 2.161),)),
    ),
)  # fmt: skip

PLANT = Plant(
    title="Distillation column A",
    State=State,
    Input=Input,
    Disturbance=Disturbance,
    Parameter=Parameter,
    Output=Output,
    derivative=derivative,
    outputs=outputs,
    margins=margins,
    loops=LOOPS,
    duty=Tracking(scales={"y_D": 0.005, "x_B": 0.005}, moves={"L": 0.08, "V": 0.08}),
    scenarios=(
        Scenario("tracking", "purities in steps, feed wandering", 80, _tracking),
        Scenario("disturbance", "feed rate, composition and heat in steps", 80, _disturbed, protocol="disturbance"),
        Scenario("boundary", "high purities of more feed, close to flooding", 80, _boundary, protocol="boundary"),
    ),
    safe_action={"L": 2.7, "V": 3.2},
    time_unit="min",
    decision=5.0,
    loop_period=1.0,
    scale=0.016,
    worst=24_000.0,
    preview=3,
    advance=1,
    learning=Learning(horizon=15.0, steps=1_500_000),
    sources=(MODEL, FIRST),
    reproduced=(
        Reproduced(
            what="distillate's light component at L 2.70629 and V 3.20629 kmol/min", published=0.99, ours=0.99, unit="1",
            tolerance=1e-6, source=MODEL, remark="the flows are printed with six digits",
        ),
        Reproduced(
            what="bottoms' light component at L 2.70629 and V 3.20629 kmol/min", published=0.01, ours=0.01, unit="1",
            tolerance=1e-5, source=MODEL, remark="the flows are printed with six digits",
        ),
        Reproduced(
            what="relative gain of L and y_D at steady state", published=35.94, ours=35.942, unit="1", tolerance=3e-4,
            source=MODEL, remark="the paper of 1988 prints 35.1, which its gains rounded to three digits give",
        ),
        Reproduced(
            what="dominant time constant", published=194.0, ours=194.0, unit="min", tolerance=3e-3, source=MODEL,
            remark="printed without decimals",
        ),
    ),
)  # fmt: skip
