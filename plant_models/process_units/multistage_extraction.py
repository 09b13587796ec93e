"""Counter-current extraction of a solute from a liquid into a gas in five stages (PC-Gym's extraction column).

    V_L dX_n/dt = L (X_n-1 - X_n) - Q_n            solute in the liquid of stage n = 1..5, the feed is X_0
    V_G dY_n/dt = G (Y_n+1 - Y_n) + Q_n            solute in the gas of stage n, the solvent is Y_6
    Q_n         = K_La (X_n - Y_n^2 / m) V_L       solute that passes from liquid to gas
    G           = S L                              a ratio station keeps the gas to the liquid

The liquid runs from stage 1 to 5 and leaves as raffinate X_5, the gas runs from 5 to 1 and leaves as extract Y_1. The
equilibrium is quadratic: the gain from the gas to the raffinate is large where gas is scarce and fades where it abounds.
Assumed: perfect mixing in each phase of each stage, constant holdups, flows that pass all stages at once.
"""

import numpy as np

from plant_models.core.duty import Tracking
from plant_models.core.loop import Gains, Loop, setter
from plant_models.core.plant import Learning, Limit, Margin, Plant, soft
from plant_models.core.quantity import Reproduced, Source, quantity
from plant_models.core.scenario import Draw, Scenario, Signals
from plant_models.core.vector import Expr, Vector

INGHAM = Source(
    "Ingham, Dunn, Heinzle, Prenosil, Snape: Chemical Engineering Dynamics, 3rd ed., Wiley-VCH 2007, "
    "five-stage counter-current extraction, as given by PC-Gym",
    "10.1002/9783527614219",
)
PC_GYM = Source(
    "Bloor et al.: PC-Gym, benchmark environments for process control problems, 2024, "
    "model multistage_extraction of version 0.1.8",
    "10.48550/arXiv.2410.22093",
)
RUN = Source("PC-Gym 0.1.8, environment multistage_extraction run from its own initial state with L 170 and G 100 m^3/h")
OURS = Source("chosen here: ratios that keep the gas within PC-Gym's 10 to 1000 m^3/h at usual throughputs")
SPEC = Source("chosen here: a raffinate richer than 0.45 kg/m^3 goes back to the feed tank")
STAGES = 5


class State(Vector):
    X_1: Expr = quantity(0.5656, "kg/m^3", "solute in the liquid of stage 1", low=0.3, high=0.7, valid=(0.0, 2.0))
    X_2: Expr = quantity(0.5219, "kg/m^3", "solute in the liquid of stage 2", low=0.2, high=0.7, valid=(0.0, 2.0))
    X_3: Expr = quantity(0.4694, "kg/m^3", "solute in the liquid of stage 3", low=0.2, high=0.7, valid=(0.0, 2.0))
    X_4: Expr = quantity(0.4105, "kg/m^3", "solute in the liquid of stage 4", low=0.2, high=0.6, valid=(0.0, 2.0))
    X_5: Expr = quantity(0.35, "kg/m^3", "solute in the liquid of stage 5", low=0.1, high=0.6, valid=(0.0, 2.0))
    Y_1: Expr = quantity(0.6217, "kg/m^3", "solute in the gas of stage 1", low=0.1, high=0.8, valid=(-0.2, 2.0))
    Y_2: Expr = quantity(0.5429, "kg/m^3", "solute in the gas of stage 2", low=0.1, high=0.8, valid=(-0.2, 2.0))
    Y_3: Expr = quantity(0.443, "kg/m^3", "solute in the gas of stage 3", low=0.0, high=0.8, valid=(-0.2, 2.0))
    Y_4: Expr = quantity(0.323, "kg/m^3", "solute in the gas of stage 4", low=0.0, high=0.7, valid=(-0.2, 2.0))
    Y_5: Expr = quantity(0.1883, "kg/m^3", "solute in the gas of stage 5", low=0.0, high=0.5, valid=(-0.2, 2.0))


class Input(Vector):
    L: Expr = quantity(130.0, "m^3/h", "liquid flow", low=5.0, high=500.0, rate=1.0e4, tag="FV-101", source=PC_GYM)
    S: Expr = quantity(0.4373, "1", "gas flow over liquid flow", low=0.1, high=3.0, rate=60.0, tag="FFY-501", source=OURS)


class Disturbance(Vector):
    X_0: Expr = quantity(0.6, "kg/m^3", "solute in the liquid feed", low=0.5, high=0.7, tag="AI-100", source=PC_GYM)
    Y_6: Expr = quantity(0.05, "kg/m^3", "solute in the gas feed", low=0.02, high=0.08, measured=False, source=PC_GYM)


class Parameter(Vector):
    V_L: Expr = quantity(5.0, "m^3", "liquid held on a stage", source=PC_GYM)
    V_G: Expr = quantity(5.0, "m^3", "gas held on a stage", source=PC_GYM)
    m: Expr = quantity(1.0, "kg/m^3", "equilibrium: the liquid beside a gas of Y holds Y^2 / m", uncertain=0.05, source=PC_GYM)
    K_La: Expr = quantity(5.0, "1/h", "mass transfer capacity", uncertain=0.1, source=PC_GYM)
    X_max: Expr = quantity(0.45, "kg/m^3", "richest raffinate that is taken", source=SPEC)


class Output(Vector):
    X_5: Expr = quantity(0.35, "kg/m^3", "solute in the raffinate", low=0.1, high=0.6, tag="AI-501", noise=0.0005)
    Y_1: Expr = quantity(0.6217, "kg/m^3", "solute in the extract", low=0.1, high=0.8, tag="AI-101", noise=0.002)
    F_L: Expr = quantity(130.0, "m^3/h", "liquid flow", low=80.0, high=180.0, tag="FI-101", noise=0.2)
    F_G: Expr = quantity(56.85, "m^3/h", "gas flow", low=10.0, high=300.0, tag="FI-501", noise=0.2)


def derivative(x: State, u: Input, d: Disturbance, p: Parameter) -> State:
    """Return the solute balances of both phases of the five stages."""
    X = (d.X_0, x.X_1, x.X_2, x.X_3, x.X_4, x.X_5)
    Y = (x.Y_1, x.Y_2, x.Y_3, x.Y_4, x.Y_5, d.Y_6)
    Q = [p.K_La * (X[n + 1] - Y[n] ** 2 / p.m) * p.V_L for n in range(STAGES)]
    liquid = [(u.L * (X[n] - X[n + 1]) - Q[n]) / p.V_L for n in range(STAGES)]
    gas = [(u.S * u.L * (Y[n + 1] - Y[n]) + Q[n]) / p.V_G for n in range(STAGES)]
    return State.of([*liquid, *gas])


def outputs(x: State, u: Input, d: Disturbance, p: Parameter) -> Output:
    """Return what the analysers of raffinate and extract and the flow meters show."""
    return Output(X_5=x.X_5, Y_1=x.Y_1, F_L=u.L, F_G=u.S * u.L)


def margins(x: State, u: Input, d: Disturbance, p: Parameter) -> dict[str, Margin]:
    """Return the distance to the richest raffinate that is taken."""
    return {"off spec": soft(p.X_max - x.X_5)}


def _tracking(draw: Draw) -> Signals:
    """Change the raffinate between PC-Gym's levels and the throughput with the demand."""
    return Signals(
        targets={"X_5": draw.steps(0.3, 0.4, hold=(12, 24)), "F_L": draw.steps(115.0, 145.0, hold=(15, 30))},
        disturbances={"X_0": draw.wander(0.6, 0.01, memory=15.0), "Y_6": draw.wander(0.05, 0.004, memory=30.0)},
        initial={"X_5": draw.uniform(0.32, 0.38), "X_4": draw.uniform(0.39, 0.43)},
    )


def _disturbed(draw: Draw) -> Signals:
    """Hold raffinate and throughput while both feeds step in composition."""
    return Signals(
        targets={"X_5": np.full((draw.n, draw.count), 0.35), "F_L": np.full((draw.n, draw.count), 130.0)},
        disturbances={"X_0": draw.steps(0.54, 0.66, hold=(12, 24)), "Y_6": draw.steps(0.03, 0.07, hold=(12, 24))},
    )


def _scarce(draw: Draw) -> Signals:
    """Ask for a raffinate so lean, at so high a throughput, that more gas hardly helps."""
    return Signals(
        targets={"X_5": draw.steps(0.275, 0.31, hold=(12, 24)), "F_L": draw.steps(130.0, 150.0, hold=(15, 30))},
        disturbances={"X_0": draw.wander(0.6, 0.01, memory=15.0), "Y_6": draw.wander(0.05, 0.004, memory=30.0)},
    )


LOOPS = (
    Loop(
        tag="AIC-501", pv="X_5", mv="S", low=0.2, high=0.5, authority=0.03,
        gains=Gains(K_c=-14.16, T_i=0.246, T_d=0.0278, b=0.675, setpoint=-0.435, disturbance=(("X_0", 3.25),)),
    ),
    setter("FIC-101", pv="F_L", mv="L", low=80.0, high=180.0, authority=15.0),
)  # fmt: skip

PLANT = Plant(
    title="Five-stage extraction",
    State=State,
    Input=Input,
    Disturbance=Disturbance,
    Parameter=Parameter,
    Output=Output,
    derivative=derivative,
    outputs=outputs,
    margins=margins,
    loops=LOOPS,
    duty=Tracking(scales={"X_5": 0.02, "F_L": 20.0}, moves={"S": 2.0, "L": 0.1}),
    scenarios=(
        Scenario("tracking", "raffinate and throughput in steps, feeds wandering", 80, _tracking),
        Scenario("disturbance", "composition of both feeds in steps", 80, _disturbed, protocol="disturbance"),
        Scenario("boundary", "lean raffinate at high throughput", 80, _scarce, protocol="boundary"),
    ),
    safe_action={"L": 5.0, "S": 3.0},
    time_unit="h",
    decision=0.05,
    loop_period=0.01,
    scale=0.3,
    worst=2000.0,
    limits=(Limit("X_5", "X_max", "high"),),
    preview=3,
    advance=3,
    learning=Learning(horizon=12.0, steps=1_000_000),
    sources=(PC_GYM, INGHAM),
    reproduced=tuple(
        Reproduced(what=what, published=published, ours=ours, unit="kg/m^3", tolerance=1e-5, source=RUN,
                   remark="accuracy of two integrators", kind="program")
        for what, published, ours in (
            ("raffinate after 1 h", 0.34915541, 0.34915541),
            ("extract after 1 h", 0.47630611, 0.47630611),
            ("raffinate after 59 h", 0.34918845, 0.34918845),
            ("extract after 59 h", 0.47637963, 0.47637963),
        )
    ),
)  # fmt: skip
