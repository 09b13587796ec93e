"""A study of Optuna in the run store's database: what it proposes of a plant's declared learning, and what it was told.

A proposal that was not judged, because who asked for it was interrupted or killed, is proposed again to whoever goes on.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from controller.liveness import HOST, exists
from controller.store import BUSY_TIMEOUT, Store
from plant_models.core.errors import BadInput
from plant_models.core.plant import Learning

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

ROLLOUTS = (16, 32, 64, 128, 256)
"""Decisions between updates that are proposed, beside what the plant declares."""
KNOBS = ("rate", "horizon", "gae", "entropy", "spread", "rollout")
"""What is proposed of a plant's ``Learning``."""
_ATTEMPTS = 20


@dataclass(frozen=True)
class Tried:
    """One proposal and its return on tuning episodes, higher is better, NaN where it came to nothing."""

    number: int
    learning: Learning
    score: float


@dataclass(frozen=True)
class Proposal:
    """What to try under a number."""

    number: int
    learning: Learning


class Proposals:
    """The study ``name`` in a store, whose first proposal is what the plant declares.

    Raises:
        BadInput: where Optuna is not installed, or another version of it made the study.
    """

    def __init__(self, store: Store, name: str, declared: Learning, seed: int) -> None:
        optuna = _optuna()
        storage = self._storage = _storage(store)
        self._declared = declared
        self._study: Study = optuna.create_study(study_name=name, storage=storage, load_if_exists=True, direction="maximize")
        self._take_over()
        self._study.sampler = optuna.samplers.TPESampler(seed=self._start(seed), multivariate=True, constant_liar=True)
        own = {knob: vars(declared)[knob] for knob in KNOBS}
        self._study.enqueue_trial(own, skip_if_exists=True)

    def __enter__(self) -> Self:
        """The study itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Let go of the database."""
        self._storage.remove_session()
        self._storage.engine.dispose()

    def _start(self, seed: int) -> int:
        """Return where the sampler's random numbers begin: elsewhere than those of who was here before, or is here too."""
        trials = self._study.get_trials(deepcopy=False)
        others = [os.getpid()] if any(trial.state.name == "RUNNING" for trial in trials) else []
        return int(np.random.SeedSequence([seed, len(trials), *others]).generate_state(1)[0])

    def _take_over(self) -> None:
        """Give back what processes of this machine asked for that have gone."""
        for trial in self._study.get_trials(deepcopy=False):
            pid, host = trial.user_attrs.get("pid"), trial.user_attrs.get("host")
            if trial.state.name == "RUNNING" and host == HOST and pid is not None and not exists(pid):
                self._give_back(trial.number, trial.params)

    def tried(self) -> tuple[Tried, ...]:
        """Return what was judged, best first; what came to nothing is last."""
        done = [trial for trial in self._study.get_trials(deepcopy=False) if trial.state.name in ("COMPLETE", "PRUNED")]
        found = [Tried(trial.number, self._learning(trial), _value(trial)) for trial in done]
        return tuple(sorted(found, key=lambda each: (math.isnan(each.score), -each.score, each.number)))

    @contextmanager
    def some(self, count: int) -> Iterator[dict[int, Proposal]]:
        """Proposals by number; those that were not judged when the block ends are given back."""
        asked = {trial.number: trial for trial in (self._ask() for _ in range(count))}
        try:
            yield {number: Proposal(number, _proposed(trial, self._declared)) for number, trial in asked.items()}
        finally:
            open_still = {trial.number for trial in self._study.get_trials(deepcopy=False) if trial.state.name == "RUNNING"}
            for number, trial in asked.items():
                if number in open_still:
                    self._give_back(number, trial.params)

    def judge(self, number: int, score: float) -> None:
        """Say what a proposal is worth, NaN where it came to nothing."""
        from optuna.trial import TrialState

        if math.isfinite(score):
            self._study.tell(number, score)
        else:
            self._study.tell(number, state=TrialState.PRUNED)

    def _ask(self) -> Trial:
        trial = self._study.ask()
        trial.set_user_attr("host", HOST)
        trial.set_user_attr("pid", os.getpid())
        return trial

    def _give_back(self, number: int, parameters: Mapping[str, Any]) -> None:
        from optuna.trial import TrialState

        self._study.tell(number, state=TrialState.FAIL)
        self._study.enqueue_trial(dict(parameters))

    def _learning(self, trial: FrozenTrial) -> Learning:
        return replace(self._declared, **trial.params)


def _proposed(trial: Trial, declared: Learning) -> Learning:
    """Ask for each knob within a range around what is usual, or around what the plant declares."""
    return replace(
        declared,
        rate=trial.suggest_float("rate", 2e-4, 1e-2, log=True),
        horizon=trial.suggest_float("horizon", max(2.0, declared.horizon / 4.0), 4.0 * declared.horizon, log=True),
        gae=trial.suggest_float("gae", 0.8, 0.998),
        entropy=trial.suggest_float("entropy", 0.0, 0.02),
        spread=trial.suggest_float("spread", 0.05, 1.0, log=True),
        rollout=trial.suggest_categorical("rollout", sorted({*ROLLOUTS, declared.rollout})),
    )


def _value(trial: FrozenTrial) -> float:
    return math.nan if trial.value is None else float(trial.value)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise BadInput("a sweep needs Optuna; run: pip install 'setpoint[sweep]'") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _storage(store: Store) -> RDBStorage:
    """Open the store's database as Optuna does; of several that make its tables at once only one can, the others come again."""
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import DBAPIError

    url, local = store.engine.url, store.engine.dialect.name == "sqlite"
    options = {"connect_args": {"timeout": BUSY_TIMEOUT}} if local else {"pool_pre_ping": True}
    for attempt in range(_ATTEMPTS):
        try:
            return RDBStorage(url.render_as_string(hide_password=False), engine_kwargs=options)
        except RuntimeError as error:
            raise BadInput(f"store {store.url}: its studies were made by another version of Optuna; install that one") from error
        except DBAPIError:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(0.1)
    raise AssertionError
