"""What a plant file declares or returns amiss is said with file, line and remedy, before anything else goes wrong by it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller.contract import template
from controller.contract.suite import examine
from dashboard.cli import run
from plant_models import catalogue

DUTY_IMPORT = "from plant_models.core.duty import Tracking\n"
MORE = """from plant_models.core.building import Building, Carrier
from plant_models.core.duty import Batch, Economic, Recipe, Reset, Tracking
from plant_models.core.fault import Delay
from plant_models.core.plant import Measure
"""
TEXT = template.text("own_tank").replace(DUTY_IMPORT, MORE)

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Writes the template with one text replaced; what was loaded is forgotten afterwards."""

    def write(old: str, new: str) -> Path:
        assert old in TEXT
        path = tmp_path / "own_tank.py"
        path.write_text(TEXT.replace(old, new, 1))
        return path

    yield write
    for name in [name for name in sys.modules if name.startswith(f"{catalogue.OWN}.")]:
        del sys.modules[name]
    for cached in (catalogue.load, catalogue._problem):
        cached.cache_clear()


def said(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def line(path: Path, text: str) -> int:
    """The number of the first line that holds a text."""
    return next(i for i, each in enumerate(path.read_text().splitlines(), start=1) if text in each)


PLANT, PREVIEW = "PLANT = Plant(", "    preview=3,"
TRACKING = 'duty=Tracking(scales={"T": 2.0}, moves={"Q": 0.01}),'
MONEY = 'duty=Economic(unit="EUR", stock="", {}=(Reset(tag="{}", by="{}", at={}, values=(315.0, 320.0)),)),'
PRODUCT = 'duty=Batch(unit="kg", stock="", recipe=(Recipe(tag="{}", times={}, values={}),), published=()),'
BUILDING = PREVIEW + ' building=Building(area=1.0, zones=1, thermal="{}", carriers=({})),'
CARRIER = 'Carrier(measures=("{}",), kind="gas", emission=0.0, tariffs={{"own": "{}"}}, source=OURS),'
DECLARED = {
    "no scenario": ("    scenarios=(\n", "    scenarios=(), sources=(\n", "no scenarios given; at least one Scenario", PLANT),
    "scenario of no length": ("wandering\", 90", "wandering\", 0", "scenario 'tracking' of 0 steps given; a name, and", PLANT),
    "scenario without a name": ('"boundary", "targets', '"", "targets', "scenario '' of 90 steps given; a name, and", PLANT),
    "unit of time": ('time_unit="min"', 'time_unit="day"', "time_unit 'day' given; one of s, min, h allowed", PLANT),
    "no loop period": ("loop_period=0.2", "loop_period=0.0", "loop_period 0.0 min given; a time above 0 allowed", PLANT),
    "no decision": ("decision=1.0", "decision=-1.0", "decision -1.0 min given; a time above 0 allowed", PLANT),
    "decision within a loop period": ("decision=1.0", "decision=0.05", "not a whole number of loop periods", PLANT),
    "lead of no step": (PREVIEW, f"{PREVIEW} leads=(0,),", "leads (0,) given; whole numbers of decisions allowed", PLANT),
    "lead of half a step": (PREVIEW, f"{PREVIEW} leads=(1.5,),", "leads (1.5,) given; whole numbers of decisions", PLANT),
    "limit at no side": ('"T_max", "high")', '"T_max", "hi")', "limit line of T: side 'hi' given; low or high", "limits="),
    "kind of disturbance": ('tag="TI-302"', 'kind="wether"', "unknown kind 'wether'; did you mean 'weather'?", "T_in:"),
    "noise below zero": ("noise=0.05", "noise=-0.05", "noise -0.05 K given; a standard deviation of at least 0 K", "noise=-"),
    "noise without end": ("noise=0.05", 'noise=float("inf")', "noise inf K given; a standard deviation", "noise=float"),
    "uncertain by itself": ("uncertain=0.05", "uncertain=5.0", "uncertain 5.0 given; a share of the nominal", "uncertain=5"),
    "schedule of no loop": (TRACKING, MONEY.format("schedule", "TIC-999", "T_in", (280.0, 290.0)),
                            "Economic duty: unknown master loop 'TIC-999'; did you mean 'TIC-301'?", PLANT),
    "rule of no disturbance": (TRACKING, MONEY.format("rule", "TIC-301", "T_lw", (280.0, 290.0)),
                               "a schedule names 'T_lw'; known are T_in", PLANT),
    "reset that falls": (TRACKING, MONEY.format("rule", "TIC-301", "T_in", (290.0, 280.0)), "TIC-301: a reset needs", "duty="),
    "recipe of no loop": (TRACKING, PRODUCT.format("NOPE", "(0.0,)", "(320.0,)"), "duty: unknown master loop 'NOPE'", PLANT),
    "recipe of nothing": (TRACKING, PRODUCT.format("TIC-301", "()", "()"), "a recipe needs one value for each time", "duty="),
    "tariff of no disturbance": (PREVIEW, BUILDING.format("heat", CARRIER.format("heat", "prize")),
                                 "a tariff names 'prize'; known are T_in", PLANT),
    "fault that outlasts its scenario": ('protocol="boundary"', 'protocol="boundary", faults=(Delay("T", 91.0),)',
                                         "Delay of 91 min in scenario 'boundary'; 0 to 90 min, its length, allowed", PLANT),
    "exit": (PLANT, f"raise SystemExit(3)\n{PLANT}", "SystemExit: 3", "raise SystemExit(3)"),
}  # fmt: skip


@pytest.mark.parametrize("name", DECLARED)
def test_a_declaration_that_is_not_allowed_is_one_line(name: str, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    old, new, told, text = DECLARED[name]
    path = write(old, new)
    code, out, err = said(capsys, "check", path)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"setpoint: {path}:{line(path, text)}: ")
    assert told in err
    assert err.endswith("; correct what this line declares, then check again\n")


MARGINS = '{"hot": hard(p.T_max - x.T), "trip": trip(p.T_trip - x.T)}'
SLOPE = "return State(T=p.q / p.V * (d.T_in - x.T) + u.Q / (p.rho * p.V * p.c_p))"
WRITTEN, DRAWN = "every balance is written", "scenarios prescribe what is declared"
FIELDS = "give every vector that a function returns each of its fields by name, and finite nominal values"
MISTAKEN, MEASURED = "correct what this line says, then check again", "name what the function measures returns"
NAMES = "give names that the plant declares, and arrays of (n, count), (n,) for initial states and parameters"
WANDERING, SCENARIO = 'disturbances={"T_in": draw.wander(300.0, 2.0', 'Scenario("tracking"'
RUN = {
    "margin a number": ("trip(p.T_trip - x.T)", "p.T_trip - x.T", WRITTEN, "margins.trip is of type float, not Margin",
                        "return hard(...), soft(...) or trip(...) by name", '"trip": p'),
    "margins no dictionary": (MARGINS, "hard(p.T_max - x.T)", WRITTEN, "margins is of type Margin, not Mapping",
                              "return hard(...), soft(...) or trip(...) by name, in a dictionary", "def margins"),
    "measure a number": (PREVIEW, f'{PREVIEW} measures=lambda x, u, d, p: {{"heat": 1.0}},', WRITTEN,
                         "measures.heat is of type float, not Measure", "return Measure(rate, unit) by name", "measures=lambda"),
    "slopes a tuple": (SLOPE, "return (0.0,)", WRITTEN, "derivative is of type tuple, not State",
                       "return the slope of every state in a State(...)", "def derivative"),
    "slope a text": (SLOPE, 'return State(T="0")', WRITTEN, "derivative.T is 0 at the nominal point",
                     FIELDS, "return State"),
    "slip of the pen": ("p.T_trip - x.T", "p.T_tripped - x.T", WRITTEN,
                        "AttributeError: 'Parameter' object has no attribute 'T_tripped'", MISTAKEN, "p.T_tripped"),
    "exit": ("    return Output(T=x.T)", "    raise SystemExit(3)", WRITTEN, "SystemExit: 3", MISTAKEN, "raise SystemExit"),
    "discomfort is no measure": (PREVIEW, BUILDING.format("nope", ""), "a building's figures name measures",
                                 "unknown measure 'nope'. Known: ", MEASURED, "building="),
    "carrier of no measure": (PREVIEW, 'measures=lambda x, u, d, p: {"heat": Measure(1.0, "K h")},\n'
                              + BUILDING.format("heat", CARRIER.format("heet", "T_in")), "a building's figures name measures",
                              "unknown measure 'heet'; did you mean 'heat'? Known: heat", MEASURED, "building="),
    "unit unknown": ('200.0, "L"', '200.0, "litters"', "every unit is known", "unit 'litters' of Parameter.V is not known",
                     "write the unit as in kg/m^3, J/(kg K), 1/s; 1 for a pure number", "V: Expr"),
    "disturbance unknown": (WANDERING, WANDERING.replace("T_in", "T_inn"), DRAWN,
                            "scenario 'tracking': unknown disturbance 'T_inn'; did you mean 'T_in'? Known: T_in",
                            NAMES, SCENARIO),
    "target unknown": ('targets={"T": draw.steps(315', 'targets={"TT": draw.steps(315', DRAWN,
                       "scenario 'tracking': unknown target 'TT'; did you mean 'T'? Known: T", NAMES, SCENARIO),
    "one number an episode": ("draw.steps(291.0, 309.0, hold=(10, 20))", "draw.uniform(291.0, 309.0)", DRAWN,
                              "scenario 'disturbance': disturbance 'T_in' of shape (64,) given, (64, 94) or one number allowed",
                              NAMES, 'Scenario("disturbance"'),
}  # fmt: skip


@pytest.mark.parametrize("name", RUN)
def test_what_a_file_gives_is_refused_with_its_own_remedy(name: str, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    old, new, title, wrong, remedy, text = RUN[name]
    path = write(old, new)
    code, out, err = said(capsys, "check", path, "--json")
    broken = [each for each in json.loads(out)["checks"] if each["status"] == "broken"]
    assert (code, "Traceback" in err) == (2, False)
    assert broken[0]["check"] == title
    assert (broken[0]["wrong"], broken[0]["remedy"]) == (wrong, remedy)
    assert (broken[0]["file"], broken[0]["line"]) == (str(path), line(path, text))


@pytest.mark.parametrize("name", ["unit unknown", "disturbance unknown", "one number an episode"])
def test_what_relies_on_a_broken_check_is_not_tried(name: str, write: Write) -> None:
    old, new, title, *_ = RUN[name]
    found = {finding.check.title: finding.status for finding in examine(catalogue.load(write(old, new)))}
    after = list(found)[list(found).index(title) :]
    assert [found[each] for each in after] == ["broken", *["not tried"] * (len(after) - 1)]
