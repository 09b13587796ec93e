"""What the documentation says is what the project does: commands, options, plants, examples, results."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium
import numpy as np
import pytest
import typer

from benchmarks import readme_table
from controller.baselines import Constant, Pid
from controller.rollout import returns
from dashboard.cli import app
from plant_models import environment_id
from plant_models.catalogue import get, names
from plant_models.core.duty import Batch
from plant_models.derive.card import card
from plant_models.env.scenario import draw

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
WRITTEN = (ROOT / "README.md", ROOT / "CHANGELOG.md", *(p for p in sorted(DOCS.rglob("*.md")) if p.parent.name != "_generated"))
COMMAND = typer.main.get_command(app)
COMMANDS: dict[str, Any] = vars(COMMAND)["commands"]


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def module_at(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def section(command: str) -> str:
    found = re.search(rf"^## setpoint {command}\b.*?(?=^## |\Z)", text_of(DOCS / "cli.md"), re.MULTILINE | re.DOTALL)
    assert found, f"docs/cli.md has no section for {command!r}"
    return found[0]


def options_of(command: Any) -> set[str]:
    spelled = (name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts))
    return {name for name in spelled if name.startswith("--")}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_described_with_exactly_its_options(name: str) -> None:
    described = set(re.findall(r"`(--[\w-]+)`", section(name)))
    assert described - {"--json"} == options_of(COMMANDS[name]) - {"--json", "--help"}


def test_options_before_the_command_are_described() -> None:
    assert options_of(COMMAND) - {"--help"} <= set(re.findall(r"`(--[\w-]+)`", text_of(DOCS / "cli.md")))


def test_defaults_in_the_tables_are_the_commands_own() -> None:
    rows = [(name, option, default) for name in COMMANDS
            for option, default in re.findall(r"^\| `(--[\w-]+)` \| `?([\d\w,]+)`? \|", section(name), re.MULTILINE)]  # fmt: skip
    numbers = [(name, option, default) for name, option, default in rows if default != "yes" and "the" not in default]
    assert len(numbers) > 8
    for name, option, default in numbers:
        parameter = next(p for p in COMMANDS[name].params if option in p.opts)
        assert str(parameter.default) == default, f"{name} {option}"


@pytest.mark.parametrize("path", WRITTEN, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_and_environments_named_anywhere_exist(path: Path) -> None:
    used = re.findall(r"^ {4}(?:python3 run\.py )?setpoint (?:--store \S+ )?([a-z]+)", text_of(path), re.MULTILINE)
    assert set(used) <= set(COMMANDS)
    known = {environment_id(name) for name in names()}
    assert set(re.findall(r"plants/[A-Z]\w+-v\d+", text_of(path))) <= known


def test_each_file_of_results_has_its_command_and_each_command_its_program() -> None:
    """The table names every file that is kept, and no program that is not there; those it says take --quick do."""
    lines = text_of(DOCS / "benchmarks.md").splitlines()
    table = [line for line in lines if line.startswith("| ") and "python -m benchmarks." in line]
    files = {name for line in table for name in re.findall(r"`(\w+\.json)`", line)}
    assert files == {path.name for path in (ROOT / "benchmarks" / "results").glob("*.json")}
    for name in {name for line in table for name in re.findall(r"python -m benchmarks\.(\w+)", line)}:
        places = (ROOT / "benchmarks" / f"{name}.py", ROOT / "benchmarks" / name / "__main__.py")
        program = next(path for path in places if path.is_file())
        takes = re.search(r"quick|parser\(|arguments\(", text_of(program))
        assert takes or name in ("demo", "readme_table"), name


@pytest.fixture(scope="module")
def plants_pages() -> ModuleType:
    for name in ("pictures", "safety_pages", "training_pages"):
        module_at(DOCS / f"{name}.py", name)
    return module_at(DOCS / "plants_pages.py", "plants_pages")


@pytest.mark.parametrize("name", names())
def test_every_plant_has_a_page_with_what_its_file_declares(name: str, plants_pages: ModuleType) -> None:
    shown, page = card(name), plants_pages.page(name)
    assert shown["equations"] in page
    assert environment_id(name) in page
    for quantities in shown["vectors"].values():
        assert all(f"| `{q['name']}` | {q['nominal']:.6g} | {q['unit']} |" in page for q in quantities)
    assert all(loop["tag"] in page for loop in shown["loops"])
    assert all(source["text"] in page for source in shown["sources"])


def test_every_plant_has_pictures_and_one_that_is_gone_goes_too(tmp_path: Path, plants_pages: ModuleType) -> None:
    for gone in ("gone.md", "gone_steps.svg"):
        (tmp_path / gone).write_text("# Gone\n")
    plants_pages.write(tmp_path)
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    steady = [name for name in names() if not isinstance(get(name).duty, Batch)]
    pictures = {f"{name}_steps.svg" for name in names()} | {f"{name}_steady.svg" for name in steady}
    texts = {"summary.txt", "training.txt", *(f"safety_{table}.txt" for table in ("kept", "cost", "tried"))}
    assert set(written) == {f"{name}.md" for name in names()} | pictures | texts
    assert all("<path" in written[f"{name}_steps.svg"] for name in names())
    assert not any(re.search(r"\bnan\b", written[picture]) for picture in pictures)
    assert all(get(name).title in written["summary.txt"] for name in names())


@pytest.fixture(scope="module")
def safety_pages() -> ModuleType:
    return module_at(DOCS / "safety_pages.py", "safety_pages")


def test_a_plant_that_misses_a_goal_of_safety_says_why(safety_pages: ModuleType) -> None:
    measured = safety_pages.measured()
    missed = [(name, goal.key) for name, row in measured.items() for goal in safety_pages.goals(name, row) if goal.met is False]
    assert missed
    assert [(name, key) for name, key in missed if not safety_pages.reason(name, key)] == []


def test_the_shell_bears_whatever_comes_and_no_mutant_of_it_survives(safety_pages: ModuleType) -> None:
    fuzz, mutants = (safety_pages.committed()[part] for part in ("fuzz", "mutants"))
    assert fuzz["fuzzed"] >= 100_000 <= fuzz["limiter"]["calls"]
    assert {fuzz[key] for key in ("not_finite", "out_of_bounds", "too_fast", "raised")} | {fuzz["limiter"]["broken"]} == {0}
    assert (mutants["not_run"], mutants["survivors"]) == (0, [])
    assert mutants["killed"] + len(mutants["equivalent"]) == mutants["made"]
    shown = safety_pages.tables()["safety_tried.txt"]
    assert f"{fuzz['decisions']:,}, {fuzz['fuzzed']:,} of them fuzzed" in shown
    assert f"{mutants['killed']} killed" in shown


def test_the_safety_of_a_plant_is_held_against_its_goals(safety_pages: ModuleType) -> None:
    shown = safety_pages.section("quadruple_tank")
    assert "| `CMA-ES`: no violation in 3,000 episodes | 0 of 3,000, at most 0.1 % (95 %) | met |" in shown
    assert "python -m benchmarks.safety --json --plants quadruple_tank`" in shown
    assert safety_pages.section("heat_pump_house") == "", "it has no hard limit"
    assert "Not measured" not in safety_pages.section("exothermic_cstr"), "all of it was"
    assert all(name in safety_pages.tables()["safety_cost.txt"] for name in safety_pages.measured())


def test_a_page_says_what_stood_behind_a_limit_that_was_crossed_and_what_was_not_measured(
    safety_pages: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    each = [{"limit": "pressure low", "uncertified": after} for after in (0, 9, 3)]
    row = {"crossings": {"min": {"episodes": 200, "certified": 1, "uncertified": 2, "each": each}}, "commits": ["abc"]}
    row |= {"held": {"episodes": 200, "violating": 5}, "sizes": {"episodes": 200, "learn": 0.2}}
    monkeypatch.setattr(safety_pages, "measured", lambda: {"evaporator": row})
    shown = safety_pages.section("evaporator")
    assert "*pressure low* in 3 of 200 episodes: 1 of them first in a decision that was certified, 2 in one that was not" in shown
    assert "the last of 3 to 9 such in a row" in shown
    assert "python -m benchmarks.safety --json --plants evaporator --episodes 200 --learn 0.2`, measured at commit abc." in shown
    assert "with neither adversary nor shield, crosses a hard limit in 5 of 200 episodes" in shown
    assert "Not measured on this plant: adversaries, the nominal plant, " in shown
    row = safety_pages.controllers()["distillation_column"]["controllers"]
    share = 100.0 * row["ppo"]["kpis"]["hard-limit violations"]
    assert f"PPO in {share:.3g} % of 100 held-out episodes" in safety_pages.section("distillation_column")


@pytest.mark.parametrize(("violating", "episodes", "met"), [(0, 3000, True), (1, 3000, False), (0, 200, False)])
def test_a_bound_that_too_few_episodes_give_is_no_goal_met(
    violating: int, episodes: int, met: bool, safety_pages: ModuleType
) -> None:
    row = {"violating": violating, "violating_unshielded": episodes, "episodes": episodes, "upper95": 0.001}
    (goal,) = safety_pages.goals("exothermic_cstr", {"adversaries": {"ppo": row}})
    assert goal.met is met


@pytest.mark.parametrize(("name", "low", "high", "met"), [
    ("batch_crystallizer", 0.1, 0.5, True), ("batch_crystallizer", -0.1, 0.5, False),
    ("exothermic_cstr", -0.1, 0.5, True), ("exothermic_cstr", -0.5, -0.1, False),
])  # fmt: skip
def test_where_there_is_a_gap_the_policy_must_be_ahead_and_elsewhere_no_worse(
    name: str, low: float, high: float, met: bool, safety_pages: ModuleType
) -> None:
    row = dict(safety_pages.measured()["batch_crystallizer"])
    row["learning"] = row["learning"] | {"against_pid": {"mean": (low + high) / 2.0, "low": low, "high": high}}
    (goal,) = (goal for goal in safety_pages.goals(name, row) if goal.key == "against_pid")
    assert goal.met is met


@pytest.mark.parametrize("path", WRITTEN, ids=lambda p: str(p.relative_to(ROOT)))
def test_relative_links_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#:\s]+)\)", text_of(path))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_the_results_table_is_made_from_the_committed_results() -> None:
    readme = text_of(ROOT / "README.md")
    assert readme == readme_table.inserted(readme, readme_table.table(readme_table.results())), (
        "README.md's results table is not current; run: python -m benchmarks.readme_table"
    )


def result(cost: float, seconds: float) -> dict[str, Any]:
    units = {"cost": "EUR", "discomfort": "K h", "hard-limit violations": "episodes"}
    pid = {"cost": 60.0, "discomfort": 4.0, "hard-limit violations": 0.0}
    gain = {"mean": 60.0 - cost, "low": 1.5, "high": 9.0}
    plant = {"pid": pid, "ppo": pid | {"cost": cost}, "paired_difference": gain, "differences_to_pid": {"ppo": gain},
             "scenario": "week", "units": units, "episodes": 50, "train_seconds": seconds, "train_steps": 2_000_000}  # fmt: skip
    return {"plants": {"heat_pump_house": plant}, "machine": {"cpu": "a processor", "cores": 2}, "commit": "0123456789abcdef"}


def test_the_table_gives_units_intervals_and_where_it_was_measured() -> None:
    text = readme_table.table({"demo": result(55.0, 61.4)})
    assert "| controller | cost [EUR] | discomfort [K h] | saved against pid [EUR] |" in text
    assert "| `ppo`: PPO above the PID layer | 55 | 4 | +5 [+1.5, +9] |" in text
    assert "mean of 50 held-out episodes" in text
    assert "2,000,000 decisions in 61 s, seed 0" in text
    assert text.endswith("Measured on a processor, 2 cores, commit 0123456789ab.")


def interval(mean: float) -> dict[str, float]:
    return {"mean": mean, "low": mean - 0.01, "high": mean + 0.01}


def measured(score: float | None, gain: float, lead: float | None) -> dict[str, Any]:
    scale = None if score is None else {"iqm": score, "low": score - 0.1, "high": score + 0.1}
    decides = {"nmpc": {"p50": 4e3, "p99": 9e3}, "ppo": {"p50": 8.0, "p99": 12.0}}
    nmpc = {"against_pid": interval(0.5), "decision_us": decides["nmpc"]}
    violating = {"pid": {"hard-limit violations": 0.02}, "ppo": {"hard-limit violations": 0.1 * (gain < 0.3)}}
    ppo = {"against_pid": interval(gain), "decision_us": decides["ppo"], "score": scale, "kpis": violating["ppo"]}
    return {
        "unit": "EUR", "gap": score is not None, "pid_over_floor": interval(12.0), "episodes": {"all": 100, "nmpc": 40},
        "train": {"seconds_to_beat_pid": lead, "seconds": 20.4, "seeds": 5},
        "controllers": {"pid": {"kpis": violating["pid"]}, "nmpc": nmpc, "ppo": ppo},
    }  # fmt: skip


def test_every_plant_stands_in_the_table_with_what_ppo_leaves_and_loses() -> None:
    plants = {"good": measured(0.9, 0.4, 3.0), "short": measured(0.5, 0.2, 8.0), "worse": measured(None, -0.02, None)}
    text = readme_table.table({"control": {"plants": plants, "machine": "a machine", "commit": "0123456789abcdef"}})
    assert (
        "| `good` | +12 [+12, +12] EUR | +50 [+49, +51] | +40 [+39, +41] | 0.90 [0.80, 1.00] | 5 | 40 | 2, 0 | 3 | 20 | 12 | 9 |"
        in text
    )
    assert "| no gap | 5 | 40 | 2, 10 | never |" in text
    assert "loses to PID** on `worse`." in text
    assert "holding zero, on none of them." in text
    assert "to NMPC** on `short`." in text
    assert "more often than PID** on `short`, `worse`." in text
    assert "There is no gap** on `worse`:" in text
    assert "whether there is one** on none of them:" in text


def test_a_lead_that_the_interval_leaves_open_is_named() -> None:
    plants = {"open": measured(None, 0.005, 3.0), "sure": measured(None, 0.015, 3.0), "worse": measured(None, -0.005, 3.0)}
    assert "holding zero, on `open`." in readme_table.shortfalls(plants)


def test_results_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text('{"plants": {}}')
    (tmp_path / "training.json").write_text('{"plants": {}}')
    assert list(readme_table.results(tmp_path)) == ["demo"]


def test_the_readme_example_runs_and_stays_within_the_hard_limit(capsys: pytest.CaptureFixture[str]) -> None:
    example = re.findall(r"```python\n(.*?)```", text_of(ROOT / "README.md"), re.DOTALL)
    assert len(example) == 1
    exec(compile(example[0], "README.md", "exec"), {})  # the project's own text
    total, margin = map(float, capsys.readouterr().out.split())
    assert total < 0.0 < margin


def test_environments_page_names_ids_and_options_that_gymnasium_takes() -> None:
    page = text_of(DOCS / "environments.md")
    assert all(f"`{name}` is `{environment_id(name)}`" in page for name in ("exothermic_cstr", "heat_pump_house"))
    env = gymnasium.make("plants/HeatPumpHouse-v0", level="setpoint", scenario="week", split="training")
    assert env.reset(seed=0)[0].dtype == np.float32


def test_the_plant_of_the_walkthrough_is_run_by_its_pid_layer_better_than_by_any_fixed_setpoint() -> None:
    plant = module_at(DOCS / "examples" / "heated_tank.py", "docs.examples.heated_tank").PLANT
    episodes = draw(plant, plant.scenario(), 0, 16, "judging")
    pid = returns(Pid(plant), episodes)
    fixed = [returns(Constant(plant, (value,)), episodes).mean() for value in (318.0, 322.0, 326.0)]
    assert pid.mean() < min(fixed)
    assert -3.0 < -pid.mean() / plant.scale / plant.scenario().steps < -0.3


def test_training_settings_in_the_documentation_are_those_of_the_plant_files() -> None:
    page, every = text_of(DOCS / "controllers.md"), [get(name).learning for name in names()]
    reactor, house = get("exothermic_cstr").learning, get("heat_pump_house").learning
    assert f"{reactor.horizon:g} decisions on the reactor, {house.horizon:g} on the house" in page
    assert f"{reactor.rollout} on the reactor, {house.rollout} on the house" in page
    assert f"{reactor.spread:g} on the reactor, {house.spread:g} on the house" in page
    assert f"{reactor.steps:,} and {house.steps:,}" in page
    few = sorted(each.parallel for each in every if each.against == "itself")
    assert f"| plants at once | {reactor.parallel}; {few[0]} to {few[-1]} where rewards are against the policy itself |" in page
    assert {each.parallel for each in every if each.against == "pid"} == {reactor.parallel}
