"""Plants of the user's own: written by a command, checked with file, line and remedy, loaded from anywhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller.contract import numerics, suite, template, units
from controller.contract.check import Broken
from controller.contract.locate import line_of
from controller.contract.suite import CHECKS, GROUPS, examine
from dashboard.cli import run
from plant_models import catalogue
from plant_models.core.errors import IntegrationError
from plant_models.core.plant import Plant

ROOT = Path(__file__).resolve().parents[2]
TEXT = template.text("own_tank")

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Writes the template with one text replaced; what was loaded is forgotten afterwards."""

    def write(old: str = "", new: str = "", name: str = "own_tank") -> Path:
        assert old in TEXT
        path = tmp_path / f"{name}.py"
        path.write_text(TEXT.replace(old, new, 1) if old else TEXT)
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


def line(path: Path, text: str, last: bool = False) -> int:
    """The number of the line that holds a text."""
    found = [i for i, each in enumerate(path.read_text().splitlines(), start=1) if text in each]
    return found[-1 if last else 0]


def check(title: str, plant: Plant) -> None:
    next(check for check in CHECKS if check.title == title).run(plant)


def test_a_new_plant_keeps_the_whole_contract_and_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str], write: Write) -> None:
    code, out, _ = said(capsys, "new", "plant", "mixing_tank", "--folder", tmp_path)
    path = tmp_path / "mixing_tank.py"
    assert (code, path.exists()) == (0, True)
    assert f"setpoint check {path}" in out
    code, out, _ = said(capsys, "check", path, "--json")
    found = json.loads(out)
    assert [each for each in found["checks"] if each["status"] != "holds"] == []
    assert (code, found["holds"], len(found["checks"])) == (0, True, len(CHECKS))
    code, out, _ = said(capsys, "plants", "--plant", path, "--json")
    assert (code, json.loads(out)["title"]) == (0, "Mixing tank")
    code, out, _ = said(capsys, "--store", tmp_path / "s.db", "simulate", "--plant", path, "--json")
    assert (code, json.loads(out)["plant"]) == (0, "mixing_tank")


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mixing_tank.py").write_text("mine")
    code, _, err = said(capsys, "new", "plant", "mixing_tank", "--folder", tmp_path)
    assert (code, err.count("\n")) == (2, 1)
    assert "is already there and is left as it is" in err
    assert (tmp_path / "mixing_tank.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "told"),
    [("Mixing tank", "small letters"), ("2nd", "small letters"), ("../tank", "small letters"), ("class", "small letters"),
     ("exothermic_cstr", "already there")],
)  # fmt: skip
def test_a_name_that_cannot_be_used_is_refused(name: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "new", "plant", name, "--folder", tmp_path)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, "new", "plant", "mixing_tank", "--folder", tmp_path / "none")
    assert (code, err.count("\n")) == (2, 1)
    assert "No such file or directory" in err


Q, T_MAX = '    Q: Expr = quantity(4.18e6, "J/min"', '    T_max: Expr = quantity(338.0, "K", "hard limit", source=OURS)\n'
BALANCE, RETURN = "T=p.q / p.V * (d.T_in - x.T) + u.Q / (p.rho * p.V * p.c_p)", "return State(T="
BROKEN = {
    "balance forgotten": (BALANCE, "", "every balance is written", "return State("),
    "balance not finite": ("p.q / p.V *", "p.q / (p.V - p.V) *", "every balance is written", RETURN),
    "field declared twice": (T_MAX, T_MAX + T_MAX.replace("338", "339"), "every name is used once", "T_max: Expr = quantity(339"),
    "scenario declared twice": ('Scenario("boundary"', 'Scenario("tracking"', "every name is used once", 'Scenario("tracking"'),
    "no source": ('"volume", source=OURS', '"volume"', "every parameter names its source", "V: Expr"),
    "no tag": ('tag="TI-301", ', "", "every output has a tag", "T: Expr = quantity(320.0", "last"),
    "no range": ("low=290.0, high=310.0, ", "", "every range is finite", "T_in: Expr"),
    "no validity": (", valid=(273.15, 373.15)", "", "every range is finite", "T: Expr = quantity(320.0"),
    "unsafe action": ('safe_action={"Q": 0.0}', 'safe_action={"Q": -1.0}', "the safe action is possible", "safe_action="),
    "setpoints elsewhere": ("low=305.0", "low=325.0", "setpoint ranges hold the nominal point", 'tag="TIC-301"'),
    "no authority": ("authority=3.0", "authority=0.0", "a supervisor has something to do", "loops=("),
    "no scale": ("scale=0.2", "scale=0.0", "a supervisor has something to do", "scale=0.0"),
    "limit at nothing": ('"T_trip", "high")', '"T_tripp", "high")', "limit lines name what exists", "limits="),
    "protocol missing": (', protocol="boundary"', "", "every protocol has a scenario", "scenarios=("),
    "unit unknown": ('200.0, "L"', '200.0, "litters"', "every unit is known", "V: Expr"),
    "unit wrong": ('"J/(kg K)"', '"J/kg"', "balances have the units of their states per time", RETURN),
    "time forgotten": ('"L/min"', '"L"', "balances have the units of their states per time", RETURN),
    "unit of another size": ('200.0, "L"', '200.0, "m^3"', "numbers agree with and without units", RETURN),
    "no elementwise function": ("Output(T=x.T)", "Output(T=x.T if x.T > d.T_in else d.T_in)", "floats, arrays and symbols agree",
                                "return Output("),
    "no number beyond a limit": ("hard(p.T_max - x.T)", "hard(p.T_max * __import__('numpy').sqrt(1.0 - x.T / p.T_trip))",
                                 "margins are numbers", '"hot"'),
    "a power that is none": ("hard(p.T_max - x.T)", "hard(p.T_max * (1.0 - x.T / p.T_trip) ** 0.5)",
                             "margins are numbers", '"hot"'),
    "limit broken": ("338.0", "318.0", "the nominal point keeps every margin", '"hot"'),
    "not at rest": ("quantity(4.18e6", "quantity(5.0e6", "the nominal state is at rest", "T: Expr"),
    "target out of range": ("steps(315.0, 330.0", "steps(315.0, 340.0", "scenarios stay in range", 'Scenario("tracking"'),
    "chance of its own": ("draw.uniform(316.0, 324.0)", "__import__('numpy').random.default_rng().uniform(316.0, 324.0, draw.n)",
                          "scenarios repeat", 'Scenario("tracking"'),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named_with_file_line_and_remedy(name: str, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    old, new, title, text, *last = BROKEN[name]
    path = write(old, new)
    code, out, err = said(capsys, "check", path)
    assert code == 2
    remedy = next(check.remedy for check in CHECKS if check.title == title)
    [told] = [each for each in out.splitlines() if each.startswith(str(path)) and f": {title}: " in each]
    assert told.startswith(f"{path}:{line(path, text, bool(last))}: ")
    assert told.endswith(f"; {remedy}")
    assert "Traceback" not in out + err
    assert "not tried" in out


def test_json_names_file_line_and_remedy(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write("338.0", "318.0")
    code, out, _ = said(capsys, "check", path, "--json")
    found = json.loads(out)
    [broken] = [each for each in found["checks"] if each["status"] == "broken"]
    assert (code, found["holds"]) == (2, False)
    assert (broken["file"], broken["line"]) == (str(path), line(path, '"hot"'))
    assert broken["wrong"] == "margin 'hot' is -2 at the nominal point"
    assert broken["remedy"] == "move the limit or the nominal values"


LOOP = 'Loop(tag="TIC-301", pv="T", mv="Q", low=305.0, high=336.0, gains=Gains(K_c=1.0, T_i=1.0))'
NO_PLANT = {
    "no PLANT": ("PLANT = Plant(", "TANK = Plant(", "no PLANT is declared; end the file with PLANT = Plant(...)", ""),
    "syntax": ("class State(Vector):", "class State(Vector)", "SyntaxError", "class State"),
    "nominal out of range": ("low=310.0, high=340.0, valid", "low=325.0, high=340.0, valid", "outside [325.0, 340.0]", "T: Expr"),
    "tag twice": ("loops=(\n", f"loops=(\n        {LOOP},\n", "a loop tag is used twice: TIC-301, TIC-301", "PLANT = Plant("),
    "unknown output": ('pv="T"', 'pv="TT"', "TIC-301 pv names 'TT'; known are T", "PLANT = Plant("),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_PLANT)
def test_a_file_that_is_no_plant_is_one_line(name: str, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    old, new, told, text = NO_PLANT[name]
    path = write(old, new)
    code, out, err = said(capsys, "check", path)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err
    assert f"{path}:{line(path, text)}: " in err if text else f"{path}: " in err
    assert "; correct what this line declares, then check again" in err if text else "; end the file with" in err


@pytest.mark.parametrize(
    ("given", "told"),
    [("nowhere.py", "not a Python file"), ("exotermic_cstr", "did you mean 'exothermic_cstr'?"), ("", "give either a plant")],
)  # fmt: skip
def test_what_names_no_plant_is_one_line(given: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "check", *([given] if given else []))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err


def test_units_without_pint_are_one_line(
    write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pint", None)
    code, out, err = said(capsys, "check", write())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "pip install 'setpoint[check]'" in err


BEHAVIOUR = {
    "gains of the wrong sign": ("K_c=1.67e6", "K_c=-1.67e6", "the PID layer holds every scenario", "altogether"),
    "losing is cheap": ("worst=50.0", "worst=0.5", "losing the plant costs most", "worst is 0.5"),
    "rewards too small": ("scale=0.2", "scale=20.0", "rewards are of order one", "times scale"),
    "PID asleep": ("K_c=1.67e6, T_i=1.6, setpoint=2.09e5", "K_c=1.67e-6, T_i=1.6, setpoint=0.0", "the PID layer beats its floor",
                   r"saves -\S+ an episode against"),
}  # fmt: skip


@pytest.mark.parametrize("name", BEHAVIOUR)
def test_behaviour_that_is_not_good_enough_is_refused(name: str, write: Write) -> None:
    old, new, title, told = BEHAVIOUR[name]
    plant = catalogue.load(write(old, new))
    with pytest.raises(Broken, match=told):
        check(title, plant)


def test_signals_that_are_the_same_for_every_purpose_are_refused(write: Write) -> None:
    path = write("draw.wander(300.0, 2.0, memory=20.0)", "300.0 + 0.0 * draw.steps(1.0, 2.0, hold=(5, 9))")
    path.write_text(path.read_text().replace('"T": draw.steps(315.0, 330.0, hold=(15, 30))', '"T": 320.0'))
    with pytest.raises(Broken, match="draws the same for training and tuning"):
        check("training, tuning and judging differ", catalogue.load(path))


def test_a_balance_too_fast_for_any_sub_step_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_fast(plant: Plant) -> int:
        raise IntegrationError(
            "own_tank: T still changes by 1.0e-03 of its range; allowed is 4e-06: shorten loop_period, or slow"
        )

    monkeypatch.setattr(numerics, "substeps", too_fast)
    path = write()
    plant = catalogue.load(path)
    with pytest.raises(Broken, match=r"own_tank: T still changes by 1.0e-03 of its range; allowed is 4e-06$") as broken:
        check("sub-steps are found", plant)
    assert line_of(plant, broken.value.subject) == line(path, "loop_period=")


def test_an_error_in_the_file_is_shown_at_its_line(write: Write) -> None:
    path = write("p.T_trip - x.T", "p.T_tripped - x.T")
    found = [finding for finding in examine(catalogue.load(path)) if finding.status == "broken"]
    assert {finding.line for finding in found} == {line(path, "p.T_tripped")}
    assert "has no attribute 'T_tripped'" in str(found[0])


def test_a_shipped_plant_is_checked_by_name() -> None:
    names = [finding.check.title for finding in examine(catalogue.get("exothermic_cstr")) if finding.status == "holds"]
    assert names == [check.title for check in CHECKS]


def test_a_shipped_file_is_the_plant_of_its_name(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(suite.GROUPS, "numerics", ())
    monkeypatch.setitem(suite.GROUPS, "behaviour", ())
    code, out, _ = said(capsys, "check", ROOT / "plant_models" / "reactors" / "exothermic_cstr.py", "--json")
    assert (code, json.loads(out)["plant"]) == (0, "exothermic_cstr")


def test_every_check_is_described_in_the_documentation() -> None:
    page = (ROOT / "docs" / "plants.md").read_text(encoding="utf-8")
    rows = [f"| {group} | {check.title} | {check.meaning} |" for group, checks in GROUPS.items() for check in checks]
    assert re.findall(rf"^\| (?:{'|'.join(GROUPS)}) \|.*$", page, re.MULTILINE) == rows


def test_the_example_of_the_documentation_is_the_template() -> None:
    example = (ROOT / "docs" / "examples" / "heated_tank.py").read_text(encoding="utf-8")
    assert template.text("heated_tank") == example
    assert template.text("oil_bath") == example.replace('title="Heated tank"', 'title="Oil bath"')


def test_currencies_are_units() -> None:
    assert units.registry().Quantity(2.0, "EUR / kWh").check("[eur] / [energy]")


PYTHON = """
import sys
import gymnasium, plant_models
sys.path.insert(0, sys.argv[1])
import plants_pages
env = gymnasium.make("plants/PumpedTank-v0")
print(env.reset(seed=0)[0].shape, "TIC-301" in plants_pages.page("pumped_tank"))
"""


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """An environment in which a distribution brings one plant that works and one that does not."""
    (tmp_path / "pumped_tank.py").write_text(template.text("pumped_tank"))
    (tmp_path / "broken_tank.py").write_text('"""A plant half written."""\n\nraise RuntimeError("half written")\n')
    described = tmp_path / "tanks-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: tanks\nVersion: 1.0\n")
    points = "pumped_tank = pumped_tank\nbroken_tank = broken_tank\n"
    (described / "entry_points.txt").write_text(f"[{catalogue.GROUP}]\n{points}")
    return os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}


def _python(environment: dict[str, str], folder: Path, *arguments: str | Path) -> tuple[int, str, str]:
    done = subprocess.run([sys.executable, *arguments], env=environment, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_an_installed_package_adds_a_plant_and_a_broken_one_harms_itself_alone(installed: dict[str, str], tmp_path: Path) -> None:
    code, out, err = _python(installed, tmp_path, "-m", "setpoint", "plants", "--json")
    found = {card["name"] for card in json.loads(out)}
    assert (code, found) == (0, {*catalogue.usable(), "pumped_tank"})
    assert f"left out: {tmp_path / 'broken_tank.py'}:3: RuntimeError: half written" in err
    code, out, err = _python(installed, tmp_path, "-m", "setpoint", "check", "broken_tank")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"{tmp_path / 'broken_tank.py'}:3: RuntimeError: half written" in err


def test_an_installed_plant_is_an_environment_and_has_a_page(installed: dict[str, str], tmp_path: Path) -> None:
    code, out, err = _python(installed, tmp_path, "-c", PYTHON, ROOT / "docs")
    assert code == 0, err
    assert re.fullmatch(r"\(\d+,\) True\n", out)
