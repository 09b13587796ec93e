"""Releasing a policy from end to end: verdicts kept, the pointer moved or not, the way back, and drift since."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from controller.champions import Promotion, champion, promotions
from controller.champions import judge as enter
from controller.drift import references
from controller.historian import Historian
from controller.policy import MANIFEST, Policy, load
from controller.promotion import promote, released
from controller.release import Scope, observed
from controller.schema import RUN
from controller.store import runs_folder
from dashboard.cli import run
from plant_models.catalogue import get
from plant_models.core.errors import UnknownName
from plant_models.core.plant import Plant
from plant_models.derive.kernel import kernel
from plant_models.env.scenario import draw

CSTR, HOUSE = get("exothermic_cstr"), get("heat_pump_house")
SCOPE = Scope((CSTR.scenario(),), episodes=450)


def constant(plant: Plant, offset: float) -> Policy:
    """Return a policy that always adds the same share of the authority; with nothing to add it is the PID layer."""
    width, actions = len(kernel(plant, "setpoint").observation.features), len(plant.acted)
    return Policy(
        plant, "setpoint", ((np.zeros((actions, width), dtype=np.float32), np.full(actions, offset, dtype=np.float32)),)
    )


def trained(historian: Historian, plant: Plant, offset: float) -> tuple[str, Path]:
    """Enter a training and leave its policy where trainings do."""
    name = historian.start("train", plant.name, "ppo", 0, {}, {})
    historian.finish(name, "completed")
    constant(plant, offset).save(runs_folder() / name / "policy")
    return name, runs_folder() / name / "policy"


def named(historian: Historian, plant: Plant, offset: float, scenario: str = "") -> Promotion:
    """Name a champion that never passed the gate, with a reference of its own."""
    name, folder = trained(historian, plant, offset)
    policy = load(folder, plant)
    records = observed(policy, draw(plant, plant.scenario(), 0, 60, "judging"), None, 0)
    kept = {key: histogram.as_json() for key, histogram in references(records).items()}
    standing = champion(historian.store, plant.name, scenario)
    previous = None if standing is None else standing.id
    verdict = {"reason": "named", "reference": kept, "scenarios": [plant.scenario().name]}
    return enter(historian.store, Promotion(plant.name, scenario, str(folder), True, verdict, name, previous))


@pytest.fixture
def historian(tmp_path: Path) -> Historian:
    return Historian(str(tmp_path / "runs.db"))


def test_a_refusal_is_kept_and_moves_nothing(historian: Historian) -> None:
    first = named(historian, CSTR, 0.0)
    name, folder = trained(historian, CSTR, 0.5)
    found, entered = promote(historian.store, name, CSTR, folder, SCOPE)
    assert not found.accepted
    assert not entered.accepted
    assert champion(historian.store, CSTR.name, "") == first
    kept = promotions(historian.store, CSTR.name)[0]
    assert (kept.run, kept.verdict["reason"], kept.previous) == (name, found.reason, first.id)
    assert [c["passed"] for c in kept.verdict["criteria"]] == [c.passed for c in found.criteria]


def test_a_better_policy_takes_over_and_its_folder_is_its_own(historian: Historian) -> None:
    first = named(historian, CSTR, 0.5)
    name, folder = trained(historian, CSTR, 0.0)
    found, entered = promote(historian.store, name, CSTR, folder, SCOPE, consent="the offset was a mistake")
    assert found.accepted, found.reason
    assert champion(historian.store, CSTR.name, "") == entered
    assert entered.previous == first.id
    shutil.rmtree(folder)
    assert load(Path(entered.policy), CSTR).layers[0][1] == 0.0


def test_a_champion_of_a_plant_that_has_changed_is_replaced_like_none(historian: Historian) -> None:
    first = named(historian, CSTR, 0.0)
    manifest = Path(first.policy) / MANIFEST
    manifest.write_text(manifest.read_text().replace('"plant_hash": "', '"plant_hash": "0'))
    name, folder = trained(historian, CSTR, 0.0)
    found, entered = promote(historian.store, name, CSTR, folder, Scope(SCOPE.scenarios, episodes=50))
    assert found.against == "pid"
    assert "has changed since" in entered.verdict["unreadable_champion"]


def test_the_champion_of_a_scenario_goes_before_that_of_all(historian: Historian) -> None:
    with pytest.raises(UnknownName, match="no champion"):
        released(historian.store, CSTR.name)
    only = named(historian, CSTR, 0.0, "tracking")
    assert released(historian.store, CSTR.name) == only
    every = named(historian, CSTR, 0.0)
    assert released(historian.store, CSTR.name, "tracking") == only
    assert released(historian.store, CSTR.name, "boundary") == every


def said(historian: Historian, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["--store", historian.url.removeprefix("sqlite:///"), *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_commands_from_refusal_to_rollback(historian: Historian, capsys: pytest.CaptureFixture[str]) -> None:
    house = HOUSE.name
    assert "no policy was put through" in said(historian, capsys, "champion", house)[1]
    first = named(historian, HOUSE, 0.0)
    name, _ = trained(historian, HOUSE, 1.0)
    code, out, _ = said(historian, capsys, "promote", name, "--scenario", "week", "--episodes", "40")
    assert code == 1
    assert "NOT MET" in out
    assert "\nrefused: " in out
    code, out, _ = said(historian, capsys, "champion", house, "--json")
    assert [each["champion"] for each in json.loads(out)] == [False, True]
    second = named(historian, HOUSE, 1.0)
    assert said(historian, capsys, "rollback", house, "--json")[0] == 0
    assert champion(historian.store, house, "") == first
    named(historian, HOUSE, 0.5)
    words = [each["standing"] for each in json.loads(said(historian, capsys, "champion", house, "--json")[1])]
    assert words == ["champion", "promoted, rolled back", "refused", "promoted, replaced"]
    assert "rolled" in said(historian, capsys, "champion", house)[1]
    assert said(historian, capsys, "rollback", house)[0] == 0
    code, out, _ = said(historian, capsys, "rollback", house)
    assert (code, out) == (0, "heat_pump_house: no champion is left; the PID layer runs alone\n")
    code, _, err = said(historian, capsys, "rollback", house)
    assert code == 2
    assert "no champion; `setpoint promote RUN` names one" in err
    only = named(historian, HOUSE, 0.0, "week")
    assert said(historian, capsys, "rollback", house)[0] == 0
    assert champion(historian.store, house, "week") is None
    assert [each.id for each in promotions(historian.store, house)[::2]] == [only.id, second.id, first.id]


def test_drift_tells_other_weather_from_the_same(historian: Historian, capsys: pytest.CaptureFixture[str]) -> None:
    named(historian, HOUSE, 0.0)
    code, out, _ = said(historian, capsys, "drift", HOUSE.name, "--episodes", "60", "--json")
    same = {each["name"]: each for each in json.loads(out)["drifts"]}
    assert code == 0
    assert max(each["psi"] for each in same.values()) < 0.25
    code, out, _ = said(historian, capsys, "drift", HOUSE.name, "--scenario", "frost", "--episodes", "60", "--json")
    assert code == 1
    other = {each["name"]: each for each in json.loads(out)["drifts"]}
    assert any(each["verdict"] == "act" for name, each in other.items() if each["what"] == "observation" and name in same)


def test_the_champion_is_a_policy_by_its_name(historian: Historian, capsys: pytest.CaptureFixture[str]) -> None:
    simulate = ("simulate", CSTR.name, "--controller", "ppo", "--policy", "champion", "--json")
    code, _, err = said(historian, capsys, *simulate)
    assert code == 2
    assert "setpoint promote RUN" in err
    named(historian, CSTR, 0.0)
    code, out, _ = said(historian, capsys, *simulate)
    assert code == 0
    recorded = json.loads(out)["run"]
    code, _, err = said(historian, capsys, "drift", CSTR.name, recorded)
    assert code == 2
    assert "1 episodes of ppo" in err


def test_a_run_that_another_policy_drove_says_nothing_of_the_champion(
    historian: Historian, capsys: pytest.CaptureFixture[str]
) -> None:
    _, other = trained(historian, CSTR, 0.2)
    named(historian, CSTR, 0.0)
    runs = []
    for policy in ("champion", str(other)):
        words = ("simulate", CSTR.name, "--controller", "ppo", "--policy", policy, "--episodes", "2", "--json")
        runs.append(json.loads(said(historian, capsys, *words)[1])["run"])
    runs.append(json.loads(said(historian, capsys, "simulate", CSTR.name, "--json")[1])["run"])
    told = [said(historian, capsys, "drift", CSTR.name, each) for each in runs]
    assert told[0][0] != 2
    assert [code for code, *_ in told[1:]] == [2, 2]
    assert "ran another policy than the champion's; leave RUN out, or simulate with --policy champion" in told[1][2]
    assert "does not say which policy it ran" in told[2][2]
    with historian.store.transaction() as connection:
        config = historian.find(runs[0]).config | {"plant_hash": "0"}
        connection.execute(update(RUN).where(RUN.c.id == runs[0]).values(config=config))
    assert "as it was before a change" in said(historian, capsys, "drift", CSTR.name, runs[0])[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("promote", "no-such-run"), "run 'no-such-run': not in the store"),
        (("promote", "{train}", "--scenario", "weak"), "unknown scenario 'weak'; did you mean 'week'?"),
        (("promote", "{train}", "--policy", "nowhere"), "no policy in nowhere"),
        (("promote", "{simulate}"), "a simulate, and only a training has a policy"),
        (("promote", "{train}", "--episodes", "0"), "greater than or equal to 2"),
        (("promote", "{other}"), "trained on 'exothermic_cstr'"),
        (("rollback", "heat_pump_hose"), "did you mean 'heat_pump_house'"),
        (("drift", "heat_pump_house"), "no champion"),
    ],
)
def test_bad_input_is_one_line_and_enters_nothing(
    arguments: tuple[str, ...], message: str, historian: Historian, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = {"train": trained(historian, HOUSE, 0.0)[0], "simulate": historian.start("simulate", HOUSE.name, "pid", 0, {}, {})}
    runs["other"] = historian.start("train", HOUSE.name, "ppo", 0, {}, {})
    constant(CSTR, 0.0).save(runs_folder() / runs["other"] / "policy")
    code, out, err = said(historian, capsys, *(each.format(**runs) for each in arguments))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert promotions(historian.store) == []
