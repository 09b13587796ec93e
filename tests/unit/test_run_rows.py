"""What the grid of runs shows of each, and what of it is read again when the store grew."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t
from sqlalchemy import event, insert

from controller import tags
from controller.historian import Historian
from controller.schema import METRIC
from dashboard.access import access
from dashboard.data import open_data
from dashboard.digest import OVERTAKEN, Digest
from dashboard.pages import runs
from dashboard.results import outcome
from dashboard.run_rows import course, figure_names, group_of, grouped, in_address, mean_and_half, row, shown_figures
from plant_models.core.errors import BadInput
from tests.browser.plants import Cards
from tests.browser.store import reactor_episode


@pytest.mark.parametrize("n", [2, 5, 30, 31, 400])
def test_the_interval_over_seeds_is_students(n: int) -> None:
    values = np.random.default_rng(n).normal(3.0, 1.0, n)
    mean, half = mean_and_half([*values])
    assert mean == pytest.approx(values.mean(), rel=1e-5)
    assert half == pytest.approx(t.ppf(0.975, n - 1) * values.std(ddof=1) / math.sqrt(n), rel=2e-3)


def test_one_seed_has_no_interval_and_none_no_mean() -> None:
    assert mean_and_half([2.0]) == (2.0, None)
    assert mean_and_half([]) == (None, None)


def test_a_long_course_is_thinned_and_keeps_its_ends() -> None:
    thinned = course([float(k) for k in range(1000)])
    assert len(thinned) <= 25
    assert (thinned[0], thinned[-1]) == (0.0, 999.0)


def test_best_last_and_worst_score_and_the_episodes_figures_stand_in_a_row(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "runs.db")) as store:
        name = store.start("train", "exothermic_cstr", "ppo", 3, {}, {})
        for step, score in enumerate((-3.0, -1.0, -2.0)):
            store.metrics(name, step, {"score/ppo": score, "score/best": max(score, -1.0), "score/pid": -9.0})
        for seed in (1, 2):
            store.episode(name, reactor_episode("ppo", seed))
        store.episode(name, reactor_episode("pid", 1))
        data = open_data(str(tmp_path / "runs.db"), Cards())
        data.digest.refresh()
        shown = row(data.run(name), ("paper",), data.digest, "highest")
        assert [shown[key] for key in ("best", "last", "worst", "tags", "episodes")] == [-1.0, -2.0, -3.0, "paper", 2]
        iae = [reactor_episode("ppo", seed).kpis["IAE"] for seed in (1, 2)]
        assert shown["kpi IAE"] == pytest.approx(max(iae), rel=1e-5)
        assert data.digest.units("exothermic_cstr")["IAE"] == "mol min/L"
        store.episode(name, reactor_episode("ppo", 3))
        store.metrics(name, 9, {"score/ppo": -7.0})
        data.digest.refresh()
        shown = row(data.run(name), (), data.digest, "mean")
        assert (shown["worst"], shown["episodes"]) == (-7.0, 3)
        assert shown["kpi IAE"] == pytest.approx(np.mean([*iae, reactor_episode("ppo", 3).kpis["IAE"]]), rel=1e-5)


def test_a_comparison_shows_what_its_ppo_costs_and_saves(tmp_path: Path) -> None:
    costs = {"constant": 30.0, "pid": 20.0, "ppo": 19.0}
    saves = {"constant": {"mean": -10.0, "low": -12.0, "high": -8.0}, "ppo": {"mean": 1.0, "low": 0.6, "high": 1.4}}
    result = {"episodes": 40, "units": {"cost": "EUR"}, "controllers": {name: {"cost": each} for name, each in costs.items()}}
    with Historian(str(tmp_path / "runs.db")) as store:
        name = store.start("benchmark", "exothermic_cstr", "constant,pid,ppo", 0, {}, {})
        for controller in costs:
            store.episode(name, reactor_episode(controller, 1))
        store.finish(name, "completed", {**result, "against_pid": saves})
        several = store.start("benchmark", "2 plants", "pid,nmpc", 0, {}, {})
        typical = {"nmpc": {"iqm": {"mean": 0.04, "low": 0.03, "high": 0.05}}}
        store.finish(several, "completed", {"plants": {"exothermic_cstr": result, "b": result}, "overall": typical})
        data = open_data(str(tmp_path / "runs.db"), Cards())
        data.digest.refresh()
        shown, recorded, whole = (row(data.run(each), (), data.digest, of) for each, of in
                                  ((name, "mean"), (name, "highest"), (several, "mean")))  # fmt: skip
    assert shown["controller"] == "PPO, constant, PID"
    assert (shown["kpi cost"], shown["episodes"]) == (19.0, 40)
    assert (shown["saved"], shown["± saved"]) == (5.0, 2.0)
    assert outcome(data.run(name)) == "+5.0 % vs PID"
    (alone,) = grouped([data.run(name)], [shown])
    assert (alone["saved"], alone["± saved"]) == (5.0, 2.0)
    assert recorded["kpi IAE"] == pytest.approx(reactor_episode("ppo", 1).kpis["IAE"], rel=1e-5)
    assert "kpi cost" not in recorded
    assert (whole["saved"], whole["± saved"]) == (4.0, 1.0)
    assert not any(key.startswith("kpi ") for key in whole)


def test_rows_that_come_to_light_after_higher_numbers_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction takes its numbers before it ends; PostgreSQL lets another one end first."""
    with Historian(str(tmp_path / "runs.db")) as store:
        name = store.start("train", "exothermic_cstr", "ppo", 0, {}, {})

        def score(number: int) -> None:
            with store.store.transaction(name) as connection:
                row = {"id": number, "run": name, "step": number, "key": "score/ppo", "value": float(number)}
                connection.execute(insert(METRIC).values(**row))

        digest, now = Digest(store.store), 0.0
        monkeypatch.setattr("time.monotonic", lambda: now)
        for number, after in ((5, (5.0,)), (3, (5.0, 3.0)), (9, (5.0, 3.0, 9.0)), (7, (5.0, 3.0, 9.0, 7.0))):
            score(number)
            digest.refresh()
            digest.refresh()
            assert digest.scores(name) == after
        now = 2.0 * OVERTAKEN
        digest.refresh()
        asked: list[str] = []
        event.listen(store.store.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
        digest.refresh()
        assert len(asked) == 2  # nothing is looked for again once it is settled


def test_seeds_of_one_configuration_stand_together(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "runs.db")) as store:
        for seed, best in enumerate((-1.0, -2.0, -4.0)):
            name = store.start("train", "exothermic_cstr", "ppo", seed, {"seed": seed, "ppo": {"gamma": 0.9}}, {})
            store.metrics(name, 1, {"score/best": best, "score/ppo": best})
        store.start("train", "exothermic_cstr", "ppo", 0, {"seed": 0, "ppo": {"gamma": 0.99}}, {})
    data = open_data(str(tmp_path / "runs.db"), Cards())
    found = data.runs()
    rows = grouped(found, [row(one, (), data.digest, "mean") for one in found])
    assert sorted(one["runs"] for one in rows) == [1, 3]
    (several,) = (one for one in rows if one["runs"] == 3)
    assert several["best"] == pytest.approx(-7 / 3, rel=1e-4)
    assert several["± best"] == pytest.approx(4.303 * np.std([-1, -2, -4], ddof=1) / math.sqrt(3), rel=1e-3)
    assert len({group_of(one) for one in found}) == 2


def test_figures_are_named_in_the_address_whatever_is_in_their_names() -> None:
    rows = [{"kpi IAE": 1.0, "kpi cost, PT tariff": 2.0}, {"kpi IAE": 1.0}]
    names = figure_names(rows)
    assert names == ["IAE", "cost, PT tariff"]
    assert shown_figures(names, ",".join(in_address(name) for name in reversed(names))) == ["cost, PT tariff", "IAE"]
    assert shown_figures(names, "nonsense") == names


def test_a_store_that_did_not_change_has_the_same_pulse(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "runs.db")) as store:
        name = store.start("train", "exothermic_cstr", "ppo", 0, {}, {})
        data = open_data(str(tmp_path / "runs.db"), Cards())
        seen = [data.pulse()]
        assert data.pulse() == seen[0]
        for change in (
            lambda: store.metrics(name, 5, {"score/ppo": 1.0}),
            lambda: store.episode(name, reactor_episode("ppo", 0)),
            lambda: tags.add(store.store, name, "paper"),
            lambda: tags.archive(store.store, name),
            lambda: store.finish(name, "completed"),
        ):
            change()
            seen.append(data.pulse())
    assert len(set(seen)) == 6


def test_only_new_and_unfinished_runs_are_sent_again(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "runs.db")) as store:
        done, going = (store.start("train", "exothermic_cstr", "ppo", seed, {}, {}) for seed in (0, 1))
        store.finish(done, "completed")
        data = open_data(str(tmp_path / "runs.db"), Cards())
        seen = runs._stamp(data, data.runs())
        assert runs._changes(data, seen, {})[2] is runs.no_update
        store.metrics(going, 7, {"score/ppo": 1.0})
        new = store.start("train", "exothermic_cstr", "ppo", 2, {}, {})
        sent, _, stamp = runs._changes(data, seen, {})
        assert ([one["id"] for one in sent["add"]], [one["id"] for one in sent["update"]]) == ([new], [going])
        assert runs._changes(data, stamp, {})[2] is runs.no_update


def test_only_an_operator_tags_and_archives(tmp_path: Path) -> None:
    with Historian(str(tmp_path / "runs.db")) as store:
        name = store.start("train", "exothermic_cstr", "ppo", 0, {}, {})
    for_all, for_operators = (open_data(str(tmp_path / "runs.db"), Cards(), access(operator=on)) for on in (False, True))
    with pytest.raises(BadInput, match="--operator"):
        for_all.tag(name, "paper", on=True)
    assert "--operator" in runs._acted(for_all, "archive", [name], "")
    assert runs._acted(for_operators, "tag", [name], "paper") == "Tag: 1 runs"
    assert for_operators.tags() == {name: ("paper",)}
    assert "not in the store" in runs._acted(for_operators, "tag", ["nobody"], "paper")
    runs._acted(for_operators, "archive", [name], "")
    assert "No run fits" in str(runs.layout(for_operators, {}))
