"""The fault catalogue on one plant behind the shell, as a table: what was expected, and what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboard import terminal

if TYPE_CHECKING:
    from controller.safety.fault_trial import Verdict
    from controller.safety.governor import Calibration
    from plant_models.core.plant import Plant
    from plant_models.core.scenario import Scenario

COLUMNS = ("fault", "what goes wrong", "expected", "mode", "after", "limits crossed", "the log's words", "as expected")


def verdicts(plant: Plant, scenario: Scenario, known: Calibration, seed: int) -> list[Verdict]:
    """Try the shell with every fault of the catalogue, and the PID layer with a valve at its end."""
    from controller.safety.fault_cases import cases
    from controller.safety.fault_trial import tried, verdict
    from controller.safety.signal_limits import instruments
    from controller.safety.windup import wound_up

    catalogue, found = cases(plant, instruments(plant)), list["Verdict"]()
    with terminal.progress(f"{plant.name}: faults") as bar:
        for case in catalogue:
            found.append(verdict(case, plant, tried(case, plant, scenario, known, seed)))
            bar.update(len(found), len(catalogue), "")
    found.append(wound_up(plant, scenario, seed))
    return sorted(found, key=lambda each: int(each.code[1:]))


def show(result: dict[str, Any]) -> None:
    """Print the table of a result."""
    title = f"{result['plant']}, {result['scenario']}: faults that begin at a decision with the policy in charge"
    terminal.show_table(title, COLUMNS, [_cells(row) for row in result["faults"]])
    missed = sum(not row["kept"] for row in result["faults"])
    said = f"{missed} of {len(result['faults'])} not as expected" if missed else "all as expected"
    terminal.say(f"{said}; seed {result['seed']}; recorded as {result['run']}")


def _cells(row: dict[str, Any]) -> list[str]:
    crossed = ", ".join((*row["crossed"], *(("stopped by its trip",) if row["stopped"] else ())))
    after = "never" if row["decisions"] is None else str(row["decisions"])
    return [row["code"], row["fault"], row["expected"], row["mode"], after, crossed or "none", row["said"] or "nothing",
            "yes" if row["kept"] else "no"]  # fmt: skip
