"""Release policies and take them back: the verdict in the run store, the policy in a folder that no training writes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from platformdirs import user_data_path

from controller.champions import Promotion, champion, promotions
from controller.champions import judge as enter
from controller.fingerprint import fingerprint
from controller.policy import Policy, load
from controller.records import RunRecord
from controller.release import Judgement, Scope, judge
from controller.safety.governor import Calibration
from controller.store import Store, runs_folder
from plant_models.core.errors import BadInput, InvalidFile, UnknownName
from plant_models.core.plant import Plant
from plant_models.derive.identity import plant_hash

EVERY = ""
"""In place of a scenario's name: a champion judged on every scenario of its plant."""


def folder_of(policy: Policy, source: Path) -> Path:
    """Return where a released policy is kept: by its plant and its weights, so that nothing ever replaces it."""
    return user_data_path("setpoint", appauthor=False) / "champions" / policy.plant.name / fingerprint(source)[:16]


def origin(plant: Plant, source: Path) -> dict[str, str]:
    """Return what the configuration of a run keeps of the policy that drove it, and of its plant."""
    return {"policy_sha256": fingerprint(source), "plant_hash": plant_hash(plant)}


def check_driven(run: RunRecord, plant: Plant, source: Path) -> None:
    """Raise BadInput unless a run's episodes are those of this very policy on this very plant.

    Raises:
        InvalidFile: where the policy of a training cannot be read, or its plant has changed since.
    """
    wanted, own = origin(plant, source), runs_folder() / run.id / "policy"
    kept: Mapping[str, object] = run.config
    if run.kind == "train":
        kept = origin(load(own, plant).plant, own)
    told = {"policy_sha256": "another policy than the champion's", "plant_hash": f"{plant.name} as it was before a change"}
    for key, other in told.items():
        if kept.get(key) != wanted[key]:
            why = f"ran {other}" if key in kept else "does not say which policy it ran"
            raise BadInput(f"run {run.id}: {why}; leave RUN out, or simulate with --policy champion")


def released(store: Store, plant: str, scenario: str = EVERY) -> Promotion:
    """Return the champion of a scenario; else the one judged on every scenario, else the only one that the plant has.

    Raises:
        UnknownName: where there is none; the text says how to name one.
    """
    found = champion(store, plant, scenario) or champion(store, plant, EVERY)
    if found is not None:
        return found
    cases = {promotion.scenario for promotion in promotions(store, plant)}
    held = [each for each in (champion(store, plant, case) for case in sorted(cases)) if each is not None]
    if len(held) != 1:
        told = f"champions of {', '.join(each.scenario for each in held)}; give --scenario" if held else "no champion"
        raise UnknownName(f"{plant}: {told}; `setpoint promote RUN` names one")
    return held[0]


def promote(
    store: Store, run: str, plant: Plant, source: Path, scope: Scope, case: str = EVERY, shield: Calibration | None = None,
    consent: str = "", report: Callable[[str], None] = lambda what: None,
) -> tuple[Judgement, Promotion]:  # fmt: skip
    """Judge the policy in folder ``source``, which ``run`` trained, record the verdict and, where it accepts, name it champion.

    ``case`` is the scenario it is champion of. A champion that cannot be read any more, because its plant has changed for
    instance, is replaced like none: the challenger is compared with the PID layer, and the verdict says so.

    Raises:
        InvalidFile: where the challenger cannot be read.
        BadInput: where somebody named another champion meanwhile.
    """
    challenger, standing = load(source, plant), champion(store, plant.name, case)
    before, problem = _champion(standing, plant)
    found = judge(plant, challenger, before, scope, shield, consent, report)
    folder = folder_of(challenger, source)
    if found.accepted:
        challenger.save(folder)
    verdict = found.as_json() | {"episodes": scope.episodes, "shielded": scope.shielded if shield else 0, "seed": scope.seed}
    verdict |= {"scenarios": [scenario.name for scenario in scope.scenarios], "unreadable_champion": problem}
    previous = None if standing is None else standing.id
    kept = str(folder if found.accepted else source)
    return found, enter(store, Promotion(plant.name, case, kept, found.accepted, verdict, run, previous))


def _champion(standing: Promotion | None, plant: Plant) -> tuple[Policy | None, str]:
    """Return the champion's policy, or why there is none to compare with."""
    if standing is None:
        return None, ""
    try:
        return load(Path(standing.policy), plant), ""
    except InvalidFile as error:
        return None, str(error)
