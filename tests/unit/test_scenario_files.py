"""Scenarios from files: a plant's own with faults, and the log of a real plant; what cannot be used is refused in one line."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from controller.baselines import Pid
from controller.rollout import rollout
from plant_models.catalogue import get
from plant_models.core.errors import BadInput, InvalidFile
from plant_models.core.fault import Bias, Stiction
from plant_models.env.replay import with_replay
from plant_models.env.scenario import BLOCK, draw
from plant_models.env.scenario_file import KINDS, with_scenario
from tests.golden.test_messages import said

PLANT = get("exothermic_cstr")
WORN = """
steps = 12
exact = true
[[faults]]
kind = "bias"
output = "T"
size = 0.5
[[faults]]
kind = "stiction"
input = "T_c"
band = 1
"""


def written(tmp_path: Path, text: str, name: str = "worn.toml") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_a_scenario_file_names_what_differs_from_its_base(tmp_path: Path) -> None:
    plant = with_scenario(PLANT, written(tmp_path, WORN))
    scenario = plant.scenario("worn")
    assert (scenario.steps, scenario.exact, scenario.faults) == (12, True, (Bias("T", 0.5), Stiction("T_c", 1.0)))
    episodes = draw(plant, scenario, 0, 4, "judging")
    assert np.ptp(episodes.parameters, axis=0).max() == 0.0
    assert rollout(Pid(plant), episodes).cost.shape == (4, 12)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stepz = 3", "stepz: unknown key 'stepz'; did you mean 'steps'?"),
        ("steps = 100001", "steps: 100001 given, 1 to 100000 allowed"),
        ("steps = 0", "steps: 0 given, 1 to 100000 allowed"),
        ("steps = 2.5", "steps: 2.5 given, a whole number of at least 1 allowed"),
        ("steps = true", "steps: True given, a whole number"),
        ('base = "trackin"', "base: unknown scenario 'trackin'; did you mean 'tracking'?"),
        ('name = "tracking"', "name: 'tracking' given, which exothermic_cstr has already"),
        ("steps = ", "file: not TOML"),
        ("steps = " + "9" * 5000, "file: not TOML"),
        ('name = ""', "name: '' given, a name allowed; leave it out to use the file's"),
        ('faults = ["bias"]', "faults[0]: 'bias' given, a table [[faults]] with its kind allowed"),
        ("[[faults]]\nsize = 1", "faults[0].kind: is missing; one of noise, bias, "),
        ('[[faults]]\nkind = ["bias"]', "faults[0].kind: unknown kind of fault \"['bias']\""),
        ('[[faults]]\nkind = "bias"\nsize = 1', "faults[0].output: is missing; one of c_A, T allowed"),
        ('[[faults]]\nkind = "bias"\noutput = "T"\nsize = 1e30', "faults[0].size: 1e+30 given, a number of at least 0, below"),
        ('[[faults]]\nkind = "bias"\noutput = "T"\nsize = 1' + "0" * 400, "faults[0].size: 1000"),
        ('[[faults]]\nkind = "delay"\noutput = "T"\ntime = 1e9', "faults[0].time: 1e+09 min given, 0 to 26 min, the"),
        ('steps = 10\n[[faults]]\nkind = "jammed"\ninput = "T_c"\ntime = 6', "faults[0].time: 6 min given, 0 to 4.33333 min, "),
        ('[[faults]]\nkind = "bios"', "faults[0].kind: unknown kind of fault 'bios'; did you mean 'bias'?"),
        ('[[faults]]\nkind = "bias"\noutput = "Q"\nsize = 1', "faults[0].output: unknown output 'Q'"),
        ('[[faults]]\nkind = "bias"\noutput = "T"', "faults[0].size: is missing; a number of at least 0"),
        ('[[faults]]\nkind = "bias"\noutput = "T"\nsize = nan', "faults[0].size: nan given"),
        ('[[faults]]\nkind = "fading"\nparameter = "UA"\nshare = 1.5', "faults[0].share: 1.5 given, 0 to 1 allowed"),
        ('[[faults]]\nkind = "bias"\noutput = "T"\nsize = 1\nband = 2', "faults[0].band: unknown key 'band'"),
    ],
)
def test_a_scenario_file_with_a_mistake_is_refused_by_key(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InvalidFile) as refused:
        with_scenario(PLANT, path)
    assert str(refused.value).startswith(f"{path}: {said}")


def test_a_scenario_from_a_file_is_as_long_as_memory_allows(tmp_path: Path) -> None:
    hall = get("data_hall")
    with pytest.raises(InvalidFile, match=r"steps: 100000 given, 1 to (\d+) allowed") as refused:
        with_scenario(hall, written(tmp_path, "steps = 100000"))
    longest = int(str(refused.value).split()[-2])
    assert 2 * 2**30 > 4 * BLOCK * longest * hall.loops_per_decision * len(hall.Output.names()) > 2**28
    assert with_scenario(hall, written(tmp_path, f"steps = {longest}")).scenario("worn").steps == longest


def log(rows: list[tuple[object, ...]], heads: str = "time [min],T_f [K],c_A.target [mol/L]") -> str:
    return "\n".join([heads, *(",".join(map(str, row)) for row in rows)])


def minutes(n: int) -> list[tuple[object, ...]]:
    return [(0.25 * k, 350.0 + 0.01 * k, 0.88 if k < n // 2 else 0.9) for k in range(n)]


def test_a_log_runs_as_it_was(tmp_path: Path) -> None:
    plant = with_replay(PLANT, written(tmp_path, log(minutes(121)), "october.csv"))
    scenario = plant.scenario("october")
    episodes = draw(plant, scenario, 0, 2, "judging")
    at = PLANT.decision * np.arange(scenario.steps)
    np.testing.assert_allclose(episodes.disturbance("T_f")[:, : len(at)], [350.0 + 0.04 * at] * 2)
    targets = episodes.exogenous[0, : len(at), episodes.targets()][:, 0]
    np.testing.assert_array_equal(targets, np.where(at < 15.0, 0.88, 0.9))
    assert scenario.steps + 1 + PLANT.preview == round(30.0 / PLANT.decision) + 1
    run = rollout(Pid(plant), episodes)
    assert not run.tripped.any()
    assert np.isfinite(run.total).all()


def test_a_log_in_other_units_of_time_is_the_same(tmp_path: Path) -> None:
    seconds = [(60.0 * t, *rest) for t, *rest in minutes(121)]  # type: ignore[operator]
    one = with_replay(PLANT, written(tmp_path, log(minutes(121)), "one.csv"))
    other = with_replay(PLANT, written(tmp_path, log(seconds, "time [s],T_f [K],c_A.target [mol/L]"), "other.csv"))
    a, b = (draw(plant, plant.scenarios[-1], 0, 1, "judging") for plant in (one, other))
    np.testing.assert_allclose(a.exogenous, b.exogenous)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (log(minutes(3)), "rows: 0.5 min logged, at least"),
        (log([(0, 350, 0.88), (1, 350, 0.88), (0.5, 350, 0.88)]), "row 4, time: 0.5 given after 1, a later time is allowed"),
        (
            log([*minutes(40), (20, 350, 0.88)]),
            "row 42, time: a gap of 10.25 given, at most 0.625 allowed; fill it or cut the log",
        ),
        (log([(0, 350, 0.88), (0.25, "", 0.88)]), "row 3, T_f: nan given, a number is allowed"),
        (log([(0, 350, 0.88), (0.25, "bad", 0.88)]), "row 3, T_f: 'bad' given, a number is allowed"),
        (log([(0, 350, 0.88), (0.25, 77, 0.88)]), "row 3, T_f: 77 given,"),
        (log(minutes(99), "time [min],T_f [degC],c_A.target [mol/L]"), "T_f: unit 'degC' given, 'K' allowed; convert the column"),
        (log(minutes(99), "time [min],T_f,c_A.target [mol/L]"), "T_f: no unit given; a heading such as 'T_f [K]' is allowed"),
        (log(minutes(99), "time [min],T_x [K],c_A.target [mol/L]"), "T_x: unknown signal 'T_x'; did you mean 'T_f'?"),
        (log(minutes(99), "time [min],T_f [K],T_f [K]"), "T_f [K]: given twice; each signal once is allowed"),
        (
            log(minutes(99), "time [min],T_f [K],c_A [mol/L]"),
            "c_A: a measured output given, which is not replayed; head its target c_A.target [mol/L]",
        ),
        (log(minutes(99), "time [min],T_f [K],T [K]"), "T: a measured output given, which is not replayed; leave it out"),
        (log(minutes(99), "time [week],T_f [K],c_A.target [mol/L]"), "time: unit 'week' given; s, min, h, d allowed"),
        (log(minutes(99), "T_f [K],time [min],c_A.target [mol/L]"), "columns: "),
        ("time [min],T_f [K]\n0,350", "rows: 1 given, at least 2 allowed"),
    ],
)
def test_a_log_with_a_mistake_is_refused_by_row_or_column(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text, "log.csv")
    with pytest.raises(InvalidFile) as refused:
        with_replay(PLANT, path)
    assert str(refused.value).startswith(f"{path}: {said}")


def test_a_log_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file given"):
        with_replay(PLANT, tmp_path / "none.csv")


@pytest.mark.parametrize("option", ["--scenario", "--replay"])
def test_the_terminal_runs_files(capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str) -> None:
    given = written(tmp_path, WORN) if option == "--scenario" else written(tmp_path, log(minutes(121)), "october.csv")
    code, out, err = said(
        capsys, "--store", str(tmp_path / "runs.db"), "simulate", "exothermic_cstr", option, str(given), "--json"
    )
    assert err == ""
    assert code == 0
    assert f'"scenario": "{given.stem}"' in out


def test_the_documentation_lists_every_kind_of_fault_with_its_keys() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    for name, kind in KINDS.items():
        keys = ", ".join(f"`{field.name}`" for field in fields(kind))
        assert f"| `{name}` | {keys} |" in text
