"""How safe the shield keeps every plant that has hard limits, what it refuses in vain, and how long a decision takes.

``python -m benchmarks.safety --json --out benchmarks/results/safety.json``. Every cell is kept, so that a run that was cut off
goes on where it stopped. ``--parts`` are some parts of each row alone, and :data:`SIZES` make a row cheaper; ``fuzz`` and
``mutants`` are of the shell, not of a plant, and left out where plants are named.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import crossings, fuzz, verdicts
from benchmarks.cells import text
from benchmarks.provenance import parser, report
from benchmarks.safety_case import Case, Sizes
from controller.baselines import Pid
from controller.safety.attack import attack, sequences
from controller.safety.corners import enforced
from controller.safety.field import Field, unmoved
from controller.safety.governor import Governor
from controller.safety.known import calibrated
from controller.safety.opponents import along, steered
from controller.safety.stress import ADVERSARIES, Opposed, adversary, alike, nominal, outcome, stressed
from controller.safety.trial import check_hard, hard, limits
from controller.safety.worst_case import NAME, Space, met, search
from plant_models.catalogue import get, names
from plant_models.core.errors import BadInput, SetpointError, UnknownName, unknown
from plant_models.core.plant import SECONDS, Plant
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command
from plant_models.env.scenario import draw

ROOT = Path(__file__).resolve().parents[1]
WORKERS = 2
LOOKED_AT = 64
"""Episodes at once in which states are judged."""
SIZES = {
    "episodes": ("episodes", "judging episodes of each adversary"),
    "nominal": ("nominal", "episodes of each adversary on the nominal plant"),
    "generations": ("generations", "generations in which the CMA-ES attack is fitted"),
    "states": ("states", "states of each adversary that CVODES judges"),
    "search": ("search", "cases in which worse ones are searched for"),
    "learn": ("share", "share of the plant's training steps in which PPO learns behind the shield"),
}  # fmt: skip
"""What may be smaller than usual, by option: which size it is, and what it counts."""
UNSEEN = 1
"""Seed of the search for worst cases; a calibration searches from another one."""
PASSES = 5
"""How often the same decisions are timed: of each the least counts, as what a machine does beside it only ever adds to it."""
STEADY = ("max", "min")
"""Adversaries whose crossings are looked into: what they send never changes, so that all that happens is the plant's doing."""


def row(name: str, sizes: Sizes, parts: tuple[str, ...]) -> dict[str, Any]:
    """Return a plant's row: these parts of it."""
    plant = get(name)
    case = Case(plant, calibrated(plant, plant.scenario()), sizes)
    reserve, margins = (_by_limit(plant, values) for values in (case.known.slack, case.known.margins))
    given = {option: getattr(sizes, size) for option, (size, _) in SIZES.items() if getattr(sizes, size) != getattr(Sizes, size)}
    whole: dict[str, Any] = {"scenario": plant.scenario().name, "reserve": reserve, "margins": margins, "sizes": given}
    for part in parts:
        for key, value in PARTS[part](case).items():
            whole[key] = whole.get(key, {}) | value if isinstance(value, dict) else value
    return whole


def _by_limit(plant: Plant, values: Array) -> dict[str, float]:
    """Return values (margins,) of the limits that are enforced, by name."""
    return {limits(plant)[c]: float(values[c]) for c in np.flatnonzero(enforced(plant))}


def attacked(case: Case) -> dict[str, Any]:
    """Return each adversary's row on the plant as it is drawn."""
    sizes = case.sizes
    each = {name: case.cell(name, partial(_attacked, case, name), sizes.episodes, sizes.generations) for name in ADVERSARIES}
    worst = max(found["violating_unshielded"] / found["episodes"] for found in each.values())
    return {"adversaries": each, "counts": worst >= 0.5}


def _opposed(case: Case, name: str) -> Opposed:
    """Return an adversary; the attack is fitted once."""
    plant, generations = case.plant, case.sizes.generations
    scenario = plant.scenario()
    if name != "CMA-ES":
        return adversary(name, plant, scenario, case.known, 0, generations)

    def fitted() -> dict[str, Any]:
        against = {"shielded": case.known, "bare": None}
        return {side: sequences(plant, scenario, known, 0, generations).tolist() for side, known in against.items()}

    knots = case.cell("attack", fitted, generations)
    return Opposed(*(attack(scenario, np.array(knots[side])) for side in ("shielded", "bare")))


def _attacked(case: Case, name: str) -> dict[str, Any]:
    plant, sizes = case.plant, case.sizes
    return stressed(_opposed(case, name), case.known, plant, plant.scenario(), sizes.episodes, 0).as_json()


def crossed(case: Case) -> dict[str, Any]:
    """Return what stood behind the limits that were crossed with the shield, by adversary."""
    episodes, beside = case.sizes.episodes, text(crossings)
    each = {name: case.cell(f"crossings-{name}", partial(_crossed, case, name), episodes, beside=beside) for name in STEADY}
    return {"crossings": each}


def _crossed(case: Case, name: str) -> dict[str, Any]:
    return crossings.found(_opposed(case, name).shielded, case.known, case.plant, case.sizes.episodes, 0)


def held(case: Case) -> dict[str, Any]:
    """Return how many episodes cross a hard limit where what the hierarchy sends first is held, no adversary and no shield."""
    plant, episodes = case.plant, case.sizes.episodes
    return {"held": case.cell("held", partial(crossings.held, plant, episodes, 0), episodes, beside=text(crossings))}


def at_nominal(case: Case) -> dict[str, Any]:
    """Return how often the nominal plant without noise crosses a hard limit, over all adversaries, and in how many steps."""
    sizes = case.sizes
    each = [case.cell(f"nominal-{name}", partial(_nominal, case, name), sizes.nominal, sizes.generations) for name in ADVERSARIES]
    return {"nominal": {key: sum(part[key] for part in each) for key in ("steps", "violating", "violating_unshielded")}}


def _nominal(case: Case, name: str) -> dict[str, Any]:
    plant, sizes = case.plant, case.sizes
    found = stressed(_opposed(case, name), case.known, plant, plant.scenario(), sizes.nominal, 1, change=nominal)
    counts = {"violating": found.violating, "violating_unshielded": found.violating_unshielded}
    return counts | {"steps": sizes.nominal * plant.scenario().steps}


def wrong(case: Case) -> dict[str, Any]:
    """Return how many states were certified and refused in vain."""
    sizes = case.sizes
    each = [case.cell(f"verdicts-{name}", partial(_wrong, case, name), sizes.states, sizes.generations) for name in ADVERSARIES]
    total = {key: sum(part[key] for part in each) for key in each[0]}
    return {"false_safe": total["false_safe"], "false_unsafe": total["false_unsafe"] / total["states"], "states": total}


def _wrong(case: Case, name: str) -> dict[str, Any]:
    plant, sizes = case.plant, case.sizes
    episodes = draw(plant, plant.scenario(), 2, LOOKED_AT, "judging")
    return asdict(verdicts.judged(_opposed(case, name).shielded, episodes, case.known, sizes.states, 0))


def timed(case: Case) -> dict[str, Any]:
    """Return how long the whole decision for one plant takes, estimate and search, under random moves."""
    return case.cell("decision", partial(_timed, case), case.sizes.decisions, PASSES)


def _timed(case: Case) -> dict[str, Any]:
    took = np.array([_once(case) for _ in range(PASSES)])
    (p50, p99), once = np.percentile(took.min(axis=0), [50.0, 99.0]).tolist(), float(np.percentile(took, 99.0))
    interval = 1e6 * case.plant.decision * SECONDS[case.plant.time_unit]
    return {"p50_us": p50, "p99_us": p99, "p99_once_us": once, "p99_of_interval": p99 / interval}


def _once(case: Case) -> list[float]:
    """Return how long each of the decisions took in one pass over them."""
    return [each for seed in range(_rounds(case)) for each in _decisions(case, seed)][: case.sizes.decisions]


def _rounds(case: Case) -> int:
    return -(-case.sizes.decisions // case.plant.scenario().steps) + 1


def _decisions(case: Case, seed: int) -> list[float]:
    """Return how long each decision for the first of two plants takes, in microseconds."""
    plant, one = case.plant, np.array([True, False])
    drawn = draw(plant, plant.scenario(), seed, 2, "tuning")
    field, governor, send = Field(plant, drawn), Governor(plant, 1, case.known), along("random", 1, seed).begin(drawn, 0)
    governor.begin(np.arange(1), field.read().of(one), unmoved(field).of(one))
    took = []
    gc.disable()
    try:
        for k in range(plant.scenario().steps):
            reading, proposed = field.read().of(one), send(field, k)
            begun = time.perf_counter_ns()
            decision = governor.allow(governor.estimate(reading), proposed.of(one))
            took.append(1e-3 * (time.perf_counter_ns() - begun))
            field.command(_both(decision.sent))
    finally:
        gc.enable()
    return took[1:]


def _both(sent: Command) -> Command:
    """Return a command for one plant as one for two."""
    return Command(np.repeat(sent.r, 2, axis=0), np.repeat(sent.a, 2, axis=0), np.repeat(sent.safe, 2))


def intervening(case: Case) -> dict[str, Any]:
    """Return the share of decisions in which the shield changes what the PID layer does by itself."""
    return {"interventions": {"pid": case.cell("pid", partial(_intervening, case), case.sizes.episodes)}}


def _intervening(case: Case) -> dict[str, Any]:
    plant = case.plant
    found = stressed(alike(steered(Pid(plant))), case.known, plant, plant.scenario(), case.sizes.episodes, 0)
    return {"share": found.interventions, "uncertified": found.decided["uncertified"], "violating": found.violating,
            "violating_unshielded": found.violating_unshielded}  # fmt: skip


def worst(case: Case) -> dict[str, Any]:
    """Return how the shield fares with the worst cases that a search finds."""
    return {"worst_cases": case.cell("worst", partial(_worst, case), case.sizes.search, UNSEEN)}


def _worst(case: Case) -> dict[str, Any]:
    space = Space.of(case.plant, case.plant.scenario(), UNSEEN)
    found = search(space, case.known, UNSEEN, case.sizes.search)
    shielded, bare = (met(space, found.points, known) for known in (case.known, None))
    return outcome(case.plant, NAME, shielded, bare).as_json() | {"tried": found.tried}


def learning(case: Case) -> dict[str, Any]:
    """Return what learning behind the shield brings and costs."""
    from benchmarks.shielded_learning import learned  # loads the learners, which the other parts do without

    return learned(case)


PARTS: dict[str, Callable[[Case], dict[str, Any]]] = {
    "attacked": attacked, "crossings": crossed, "held": held, "nominal": at_nominal, "verdicts": wrong, "timed": timed,
    "pid": intervening, "worst": worst, "learned": learning,
}  # fmt: skip
"""What makes up a plant's row."""


def borne(sizes: Sizes) -> dict[str, Any]:
    """Return what the shell sends, whatever comes."""
    return fuzz.measure(*sizes.fuzzed)


def noticed(sizes: Sizes) -> dict[str, Any]:
    """Return how many faults in the shell its tests notice; they run in a process of their own."""
    command = [sys.executable, "-m", "benchmarks.mutants", "--json", "--seconds", str(sizes.seconds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BadInput(f"mutants: {done.stderr.strip()[-300:]}")
    found = json.loads(done.stdout)
    return {key: found[key] for key in ("made", "killed", "not_run", "equivalent", "survivors", "modules")}


WHOLE: dict[str, Callable[[Sizes], dict[str, Any]]] = {"fuzz": borne, "mutants": noticed}
"""What is measured of the shell itself, whatever plant it stands around."""


def measure(wanted: tuple[str, ...], sizes: Sizes, parts: tuple[str, ...]) -> dict[str, Any]:
    """Return the rows of plants, each with these parts, and what is measured of the shell itself.

    Raises:
        UnknownName: where there is no plant, or no part, of that name.
        BadInput: where one has no hard limit.
    """
    for name in wanted:
        check_hard(get(name))
    for part in parts:
        if part not in PARTS | WHOLE:
            raise UnknownName(unknown("part", part, (*PARTS, *WHOLE)))
    of_plants, whole = (
        tuple(part for part in parts if part in PARTS),
        {part: WHOLE[part](sizes) for part in parts if part in WHOLE},
    )
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        rows = {name: pool.submit(row, name, sizes, of_plants) for name in wanted if of_plants}
        return {"plants": {name: found.result() for name, found in rows.items()}, **whole, "sizes": asdict(sizes)}


def having() -> tuple[str, ...]:
    """Return the plants that have hard limits."""
    return tuple(name for name in names() if hard(get(name)).any())


if __name__ == "__main__":
    parsed = parser(__doc__ or "")
    for option, (size, counts) in SIZES.items():
        usual = getattr(Sizes, size)
        parsed.add_argument(f"--{option}", type=type(usual), default=usual, help=f"{counts}, usually {usual:g}")
    parsed.add_argument("--parts", type=lambda text: tuple(text.split(",")), help=", ".join(PARTS | WHOLE))
    options = parsed.parse_args()
    chosen = (
        Sizes(4, 2, 1, 2, 50, 64, 0.01, 2, (1, 200, 1000), 0.0)
        if options.quick
        else replace(Sizes(), **{size: getattr(options, option) for option, (size, _) in SIZES.items()})
    )
    try:
        parts = options.parts or (*PARTS, *(() if options.plants else WHOLE))
        report(measure(options.plants or having(), chosen, parts), options)
    except SetpointError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
