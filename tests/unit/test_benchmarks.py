"""The benchmarks run as documented and print what they promise; the C limit computes what the kernel computes."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import control, merged, plants, safety
from benchmarks.c_limit import PLANTS
from benchmarks.simulator import HandWritten, Sides, relative_difference
from plant_models.catalogue import get
from plant_models.core.scenario import Array
from plant_models.env.substeps import substeps
from tests.compiled import COMPILED, each

ROOT = Path(__file__).resolve().parents[2]
MACHINE = ("machine", "python", "versions", "commit", "date")
SPEEDS = ("closed_loop_ratio", "gym_step_us")
AGAINST_C = ("ratio_to_c", "ratio_to_c_with_constants_baked_in", "kernel_against_c")
LEARNING = ("share_of_free_env", "steps_per_s", "steps_per_s_free", "ratio_to_defaults")

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed: on Debian, apt install gcc")


def measured(
    module: str, out: Path, plants: tuple[str, ...] = COMPILED[:2], path: str = os.environ.get("PATH", ""), parts: str = ""
) -> dict[str, Any]:
    """What a quick run prints as JSON and writes to `out`, which must be the same; `path` is where it finds programs."""
    chosen = [*(["--plants", ",".join(plants)] if plants else []), *(["--parts", parts] if parts else [])]
    wanted = ["--quick", "--json", *chosen, "--out", str(out)]
    command = [sys.executable, "-m", f"benchmarks.{module}", *wanted]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout, parse_constant=refused)
    assert json.loads(out.read_text()) == result
    assert set(MACHINE) <= set(result)
    return result


def refused(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def positive(result: dict[str, Any], keys: tuple[str, ...]) -> bool:
    return all(math.isfinite(result[key]) and result[key] > 0.0 for key in keys)


@needs_gcc
def test_the_simulator_benchmark_prints_its_ratios(tmp_path: Path) -> None:
    result = measured("simulator", tmp_path / "simulator.json")
    assert positive(result, (*SPEEDS, *AGAINST_C))
    assert positive(result["plant_steps_per_s"], ("open_loop", "closed_loop", "c", "c_baked"))
    assert set(result["plants"]) == set(COMPILED[:2])
    assert all(positive(plant, ("steps_per_s", "ratio_to_c", "us_single")) for plant in result["plants"].values())


def test_without_gcc_the_simulator_benchmark_leaves_out_what_needs_c(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "git").symlink_to(shutil.which("git") or "git")
    result = measured("simulator", tmp_path / "simulator.json", path=str(programs))
    assert positive(result, SPEEDS)
    assert [result.get(key) for key in AGAINST_C] == [None, None, None]


def test_the_training_benchmark_prints_its_ratios_for_each_plant(tmp_path: Path) -> None:
    result = measured("training", tmp_path / "training.json")
    assert set(result["plants"]) == set(COMPILED[:2])
    assert all(positive(plant, LEARNING) for plant in result["plants"].values())


def test_the_safety_benchmark_has_a_row_for_every_adversary(tmp_path: Path) -> None:
    parts = "attacked,nominal,verdicts,timed,pid,worst"
    result = measured("safety", tmp_path / "safety.json", COMPILED[:1], parts=parts)
    found = result["plants"][COMPILED[0]]
    assert len(found["adversaries"]) == 6
    assert all({"episodes", "violating", "upper95", "violating_unshielded"} <= set(row) for row in found["adversaries"].values())
    assert found["nominal"]["steps"] == 6 * 2 * 60
    assert (found["false_safe"], found["states"]["states"]) == (0, 12)
    assert 0.0 <= found["false_unsafe"] <= 1.0
    assert positive(found, ("p50_us", "p99_us", "p99_once_us"))
    assert found["p50_us"] <= found["p99_us"] <= found["p99_once_us"]
    assert found["worst_cases"]["tried"] == 64
    assert found["sizes"] == {"episodes": 4, "nominal": 2, "generations": 1, "states": 2, "search": 64, "learn": 0.01}


@pytest.mark.slow
def test_the_safety_benchmark_fuzzes_the_shell_and_makes_mutants_of_it(tmp_path: Path) -> None:
    result = measured("safety", tmp_path / "safety.json", (), parts="fuzz,mutants")
    fuzzed, mutants = result["fuzz"], result["mutants"]
    assert fuzzed["decisions"] == sum(fuzzed["modes"].values()) > fuzzed["fuzzed"] > 0
    assert {fuzzed[key] for key in ("not_finite", "out_of_bounds", "too_fast", "raised")} == {0}
    assert (fuzzed["limiter"]["calls"], fuzzed["limiter"]["broken"]) == (1000, 0)
    assert 0 < fuzzed["limiter"]["refused"] < 1000
    assert mutants["made"] == mutants["not_run"] == sum(mutants["modules"].values()) > 200
    assert result["plants"] == {}


@pytest.mark.slow
def test_the_safety_benchmark_has_a_row_for_the_policy_that_learned_behind_the_shield(tmp_path: Path) -> None:
    found = measured("safety", tmp_path / "safety.json", COMPILED[:1], parts="pid,learned")["plants"][COMPILED[0]]
    assert found["adversaries"]["ppo"]["episodes"] == 4
    assert found["training_violations"] == 0
    assert found["training_share"] < 1.0
    assert set(found["interventions"]) == {"pid", "ppo"}
    assert positive(found, ("price",))
    assert set(found["learning"]["cost"]) == {"ppo", "pid", "bare"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [(["--plants", "heat_pump_house"], "heat_pump_house has no hard limit"), (["--parts", "learnt"], "Known: attacked")],
)
def test_the_safety_benchmark_refuses_what_it_cannot_measure(asked: list[str], said: str) -> None:
    command = [sys.executable, "-m", "benchmarks.safety", "--quick", *asked]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


def test_results_measured_in_parts_are_joined_by_plant(tmp_path: Path) -> None:
    rest = {"machine": {"cores": 2}, "python": "3.11", "versions": {}}
    first = rest | {"commit": "a", "date": "2026-01-01", "plants": {"x": {"adversaries": {"max": 1}, "price": 2.0}, "y": {}}}
    second = rest | {"commit": "b", "date": "2026-01-02", "plants": {"x": {"adversaries": {"ppo": 3}, "price": 1.0}}}
    paths = [tmp_path / name for name in ("a.json", "b.json", "whole.json")]
    for path, result in zip(paths, (first, second), strict=False):
        path.write_text(json.dumps(result))
    assert merged.main([*map(str, paths[:2]), "--out", str(paths[2])]) == 0
    plants = json.loads(paths[2].read_text())["plants"]
    assert plants["x"] == {"adversaries": {"max": 1, "ppo": 3}, "price": 1.0, "commits": ["a", "b"], "date": "2026-01-02"}
    assert plants["y"] == {"commits": ["a"], "date": "2026-01-01"}


def test_what_was_measured_behind_another_shield_is_not_joined() -> None:
    rest = {"machine": {}, "python": "3.11", "versions": {}, "date": "2026-01-01"}
    shield = {"reserve": {"hot": 2.0}, "margins": {"hot": 0.0}}
    part, same = shield | {"adversaries": {"max": 1}}, shield | {"price": 1.0}
    other = same | {"margins": {"hot": 0.1}}
    rows = [rest | {"commit": commit, "plants": {"x": row}} for commit, row in (("a", part), ("b", same), ("c", other))]
    assert merged.merged(rows[:2])["plants"]["x"] == part | same | {"commits": ["a", "b"], "date": "2026-01-01"}
    assert merged.merged(rows)["plants"]["x"] == other | {"commits": ["c"], "date": "2026-01-01"}


def test_a_smaller_size_goes_where_what_it_is_of_is_measured_anew() -> None:
    rest = {"machine": {}, "python": "3.11", "versions": {}, "date": "2026-01-01"}
    small = {"counts": True, "held": {}, "states": {}, "sizes": {"episodes": 200, "states": 20}}
    judged = {"states": {}, "sizes": {"episodes": 100, "states": 60}}
    attacked: dict[str, Any] = {"counts": True, "sizes": {"states": 20}}
    both: dict[str, Any] = attacked | {"held": {}, "sizes": {}}
    named = {"a": small, "b": judged, "c": attacked, "d": both}
    rows = [rest | {"commit": commit, "plants": {"x": row}} for commit, row in named.items()]
    assert merged.merged(rows[:2])["plants"]["x"]["sizes"] == {"episodes": 200, "states": 60}
    assert merged.merged(rows[:3])["plants"]["x"]["sizes"] == {"episodes": 200, "states": 60}, "what is held is still of 200"
    assert merged.merged(rows)["plants"]["x"]["sizes"] == {"states": 60}
    assert set(merged.MEASURED) == set(safety.SIZES)
    assert merged.merged([*rows[1:], rows[0]])["plants"]["x"]["sizes"] == {"episodes": 200, "states": 20}


def test_of_what_is_of_no_plant_the_newest_stands_with_its_commit(tmp_path: Path) -> None:
    rest = {"machine": {}, "python": "3.11", "versions": {}, "plants": {"x": {}}}
    results = [
        rest | {"commit": "a", "date": "2026-01-01", "fuzz": {"decisions": 1}, "mutants": {"made": 1}},
        rest | {"commit": "b", "date": "2026-01-02", "fuzz": {"decisions": 2}},
    ]
    whole = merged.merged([merged.merged(results), rest | {"commit": "c", "date": "2026-01-03"}])
    assert whole["plants"] == {"x": {"commits": ["a", "b", "c"], "date": "2026-01-03"}}
    assert whole["fuzz"] == {"commit": "b", "date": "2026-01-02", "decisions": 2}
    assert whole["mutants"] == {"commit": "a", "date": "2026-01-01", "made": 1}


def test_what_is_no_result_is_not_joined(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.json").write_text("{}")
    assert merged.main([str(tmp_path / "a.json"), "--out", str(tmp_path / "b.json")]) == 2
    assert "plants: missing" in capsys.readouterr().err
    assert not (tmp_path / "b.json").exists()


@pytest.mark.slow
def test_the_resume_benchmark_finds_no_difference(tmp_path: Path) -> None:
    result = measured("resume", tmp_path / "resume.json", COMPILED[:1])
    assert result["largest_difference"] == 0.0
    assert {plant["kills"] for plant in result["plants"].values()} == {1}


@needs_gcc
@pytest.mark.parametrize("baked", [False, True], ids=["parameters in arrays", "parameters baked in"])
def test_hand_written_c_integrates_as_the_kernel_does(baked: bool) -> None:
    """The same method on the same equations for ten plant-steps, with parameters all different, or nominal where baked in."""
    sides = Sides(get("exothermic_cstr"), 10)
    nominal = np.array(list(sides.plant.Parameter.nominal()))[:, None]
    spread = np.random.default_rng(0).uniform(0.999, 1.001, (len(nominal), PLANTS))
    sides.simulator.P.write("p", nominal if baked else nominal * spread)
    c = HandWritten(sides)
    (c.run_baked if baked else c.run)(100)
    check(sides, c.states())


@needs_gcc
@each
def test_emitted_c_integrates_as_the_kernel_does(name: str) -> None:
    sides = Sides(get(name), substeps(get(name)))
    sides.simulator.S.write("u", [[0.8 * q.nominal + 0.2 * q.high] for q in sides.plant.Input.quantities().values()])
    limit = sides.limit()
    limit.run(10 * sides.count, sides.h)
    check(sides, limit.states())


def check(sides: Sides, by_c: Array) -> None:
    start = sides.simulator.S.read("x")
    sides.kernel_open(10)
    reached = sides.simulator.S.read("x")
    spans = np.array([[q.high - q.low] for q in sides.plant.State.quantities().values()])
    assert (np.abs(reached - start) / spans).max() > 1e-4
    assert (np.abs(by_c - reached) / spans).max() < 1e-9


def test_a_difference_hides_no_number_that_is_none() -> None:
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert relative_difference(a, a) == 0.0
    assert relative_difference(1.5 * a, a) == pytest.approx(0.5)
    for i in np.ndindex(a.shape):
        broken = a.copy()
        broken[i] = np.nan
        assert math.isnan(relative_difference(broken, a))


def test_a_report_keeps_what_was_not_asked_anew_and_says_of_which_commit_it_is() -> None:
    before = {
        "plants": {"quadruple_tank": 1, "exothermic_cstr": 2}, "pcgym_cstr": 3, "commit": "b", "machine": "new",
        "kept": {"pcgym_cstr": "a"}, "kept_on": {"pcgym_cstr": "old"},
    }  # fmt: skip
    found = control.together({"plants": {"exothermic_cstr": 4}}, before)
    kept, kept_on = {"quadruple_tank": "b", "pcgym_cstr": "a"}, {"quadruple_tank": "new", "pcgym_cstr": "old"}
    assert found == {
        "plants": {"quadruple_tank": 1, "exothermic_cstr": 4}, "pcgym_cstr": 3, "kept": kept, "kept_on": kept_on,
    }  # fmt: skip
    assert list(found["plants"]) == ["exothermic_cstr", "quadruple_tank"]
    assert control.together({"plants": {}, "pcgym_cstr": 5}, before)["kept"] == {"quadruple_tank": "b", "exothermic_cstr": "b"}


def test_kept_policies_serve_the_same_plant_where_no_score_is_asked_of_them() -> None:
    rng = np.random.default_rng(0)
    pid = (10.0 + rng.random(20)).tolist()
    below = {
        "constant": {"cost": [20.0] * 20, "kpis": {}, "failures": 0},
        "pid": {"cost": pid, "kpis": {}, "failures": 0},
    }
    ahead, level = [{"cost": [cost - saved for cost in pid[:10]], "kpis": {}, "failures": 0} for saved in (2.0, 0.1)]
    earlier = {
        "controllers": {"pid": {"cost_mean": float(np.mean(pid))}, "ppo": {"score": {"iqm": 1.0}, "each": [1.0], "failures": 3}},
        "train": {"seeds": 5}, "policies_of": "abc", "policies_on": "old",
    }  # fmt: skip
    without_gap = plants.Beside(get("exothermic_cstr"), below, level, {})
    assert without_gap.serves(earlier)
    table = without_gap.with_earlier(earlier)
    assert table["gap"] is False
    assert table["controllers"]["ppo"] == {"score": None, "each": None, "failures": 3}
    assert (table["train"], table["policies_of"], table["policies_on"]) == ({"seeds": 5}, "abc", "old")
    assert not plants.Beside(get("exothermic_cstr"), below, ahead, {}).serves(earlier)
    assert not without_gap.serves(earlier | {"controllers": {"pid": {"cost_mean": 9.0}}})
    assert not without_gap.serves(earlier | {"controllers": {}})


@pytest.mark.every
def test_the_controllers_benchmark_scores_and_computes_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    first = measured("control", tmp_path / "first.json", COMPILED[:1])
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "data").glob("setpoint/benchmarks/*.json")}
    assert {path.name.rpartition("-")[0].removeprefix(f"{COMPILED[0]}-") for path in kept} == {
        "baselines", "nmpc-0", "nmpc-doubled", "ppo-0",
    }  # fmt: skip
    again = measured("control", tmp_path / "again.json", COMPILED[:1])
    for report in (first, again):  # decisions are timed anew
        assert positive(report["plants"][COMPILED[0]]["controllers"]["ppo"].pop("decision_us"), ("p50", "p99"))
    assert again["plants"] == first["plants"]
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "data").glob("setpoint/benchmarks/*.json")} == kept
    plant = first["plants"][COMPILED[0]]
    assert set(plant["controllers"]) == {"constant", "pid", "nmpc", "ppo"}
    assert plant["controllers"]["pid"]["against_pid"]["mean"] == 0.0
    assert plant["controllers"]["constant"]["against_pid"]["mean"] == pytest.approx(-1.0)
    assert plant["train"]["seeds"] == 1


@pytest.mark.every
def test_the_solvers_benchmark_judges_every_search_alike(tmp_path: Path) -> None:
    found = measured("solvers", tmp_path / "solvers.json", ("quadruple_tank",))["searches"]
    assert set(found) == {"quadruple_tank, setpoint", "quadruple_tank, direct"}
    for searches in found.values():
        ours = searches["single shooting, IPOPT"]
        assert ours["lost"] == {"median": 0.0, "least": 0.0, "most": 0.0}
        assert {each["problems"] for each in searches.values()} == {2}
        assert any(abs(each["lost"]["median"]) > 0.0 for each in searches.values())
        assert searches["multiple shooting, fatrop"]["lost"]["median"] == pytest.approx(0.0, abs=0.1)


def test_the_estimators_benchmark_compares_on_the_same_readings(tmp_path: Path) -> None:
    found = measured("estimators", tmp_path / "estimators.json", ("exothermic_cstr",))["plants"]["exothermic_cstr"]
    assert set(found) == {"learned", "filter"}
    assert all(positive(each, ("rms", "us")) and positive(each["states"], ("c_A", "T")) for each in found.values())
    assert found["learned"]["rms"] < 2.0 * found["filter"]["rms"]


@pytest.mark.slow
def test_the_benchmark_of_the_benchmark_times_both(tmp_path: Path) -> None:
    assert positive(measured("benchmark", tmp_path / "b.json"), ("thousand_pid_seconds", "smallest_seconds"))


@pytest.mark.slow
def test_the_whole_benchmark_writes_its_rows_and_its_page(tmp_path: Path) -> None:
    store, written, out = str(tmp_path / "s.db"), tmp_path / "page.md", tmp_path / "whole.json"
    words = ["--quick", "--nmpc", "1", "--store", store, "--page", str(written), "--out", str(out)]
    subprocess.run([sys.executable, "-m", "benchmarks.whole", *words], cwd=ROOT, capture_output=True, check=True)
    found = json.loads(out.read_text())
    assert {row["plant"] for row in found["standings"]} == {"exothermic_cstr"}
    assert {row["protocol"] for row in found["standings"]} == {"tracking", "disturbance", "boundary"}
    assert found["overall"]["constant"]["behind"] > 0
    nmpc = {row["protocol"]: row["episodes"] for row in found["standings"] if row["controller"] == "nmpc"}
    assert nmpc == {"tracking": 2, "disturbance": 2, "boundary": 2}
    assert "## Where PPO loses" in written.read_text()
    assert "| exothermic_cstr | unstable | boundary | 2 |" in written.read_text()


@pytest.mark.slow
def test_learning_on_several_scenarios_is_measured_beside_learning_on_one(tmp_path: Path) -> None:
    out, options = tmp_path / "several.json", ["--policies", str(tmp_path / "p"), "--store", str(tmp_path / "s.db")]
    command = [sys.executable, "-m", "benchmarks.several", "--quick", *options, "--out", str(out)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    rows = json.loads(out.read_text())["rows"]
    assert {(row["scenario"], row["learned"]) for row in rows} == {
        (scenario, learned)
        for scenario in ("tracking", "disturbance", "boundary", "unstable")
        for learned in ("first", "tracking,disturbance,boundary", "all")
    }
    assert said.count("\n") == 2 + 4 * 2
