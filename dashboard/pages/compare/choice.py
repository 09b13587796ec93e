"""What a comparison's address chooses: runs, a scenario with its seed, controllers, and which of them is the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from controller.records import EpisodeRow, RunRecord
from dashboard.data import Case, Data, cases

MOST = 10  # runs, and lines over each other that can still be told apart


@dataclass(frozen=True)
class Choice:
    """The runs, every case with its episodes by label, the case shown, the labels shown, and the baseline among them."""

    runs: tuple[RunRecord, ...]
    cases: Mapping[Case, Mapping[str, EpisodeRow]]
    case: Case
    labels: tuple[str, ...]
    base: str

    @property
    def shared(self) -> list[Mapping[str, EpisodeRow]]:
        """The episodes of the cases that all shown controllers ran, of the plant that is shown."""
        found = [rows for case, rows in self.cases.items() if case.plant == self.case.plant]
        return [rows for rows in found if all(label in rows for label in self.labels)]


def named(data: Data, query: Mapping[str, str]) -> tuple[RunRecord, ...]:
    """The runs of the address, ``runs`` with commas between or one ``run``; raises UnknownName."""
    given = (query.get("runs") or query.get("run", "")).split(",")
    return tuple(data.run(name) for name in dict.fromkeys(filter(None, given)))[:MOST]


def choose(data: Data, runs: Sequence[RunRecord], query: Mapping[str, str]) -> Choice | None:
    """What to show; None where no two labels share a case."""
    shared = {case: rows for case, rows in _labelled(data, runs).items() if len(rows) > 1}
    if not shared:
        return None
    fitting = [case for case in shared if all(query.get(key) in (None, str(value)) for key, value in case._asdict().items())]
    case = next(iter(fitting or shared))
    wanted = [label for label in query.get("controllers", "").split(",") if label in shared[case]]
    labels = tuple((wanted or usual(list(shared[case])))[:MOST])
    base = query.get("base", "")
    return Choice(tuple(runs), shared, case, labels, base if base in labels else baseline(labels))


def usual(labels: list[str]) -> list[str]:
    """What is compared unless the address says otherwise: one PID with the PPO of every run where there are both, else all."""
    pid, ppo = ([label for label in labels if label.split()[0] == name and "+" not in label] for name in ("pid", "ppo"))
    return [*pid[:1], *ppo] if pid and ppo else labels


def baseline(labels: Sequence[str]) -> str:
    """Differences are to PID where there is one."""
    return next((label for label in labels if label.split()[0] == "pid"), labels[0])


def _labelled(data: Data, runs: Sequence[RunRecord]) -> dict[Case, dict[str, EpisodeRow]]:
    """Every case of the runs, its episodes by controller; by run too where several runs have the same controller there."""
    each = [(run, cases(data.episodes(run.id))) for run in runs]
    held: dict[tuple[Case, str], int] = {}
    for _, found in each:
        for case, rows in found.items():
            for name in {row.controller for row in rows}:
                held[case, name] = held.get((case, name), 0) + 1
    twice = {name for (_, name), count in held.items() if count > 1}
    labelled: dict[Case, dict[str, EpisodeRow]] = {}
    for run, found in each:
        for case, rows in found.items():
            labels = {f"{row.controller} {run.id[-6:]}" if row.controller in twice else row.controller: row for row in rows}
            labelled.setdefault(case, {}).update(labels)
    return labelled
