"""Plants behind the shield: in roll-outs, in training and in figures; what it corrects is counted, and costs reward."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from controller.baselines import Pid
from controller.benchmark import compare, record
from controller.ground import Ground, environment
from controller.ground import shield as shield_of
from controller.historian import Historian
from controller.interface import Reading
from controller.methods import Method
from controller.recording import episode_record
from controller.rollout import returns, rollout
from controller.safety.adversaries import channels, command, mixed
from controller.safety.guarded import Guarded, Unguarded, behind
from controller.safety.shield import HELD, SHARES, UNCERTIFIED
from controller.sb3_env import CORRECTED, Interventions, PlantVecEnv
from controller.scores import kpis
from plant_models.catalogue import get
from plant_models.core.errors import BadInput, InvalidAction
from plant_models.core.scenario import Array
from plant_models.env.batched import PlantVectorEnv
from plant_models.env.scenario import Episodes, Single
from plant_models.env.simulator import Simulator
from plant_models.env.substeps import fleet, substeps
from tests.safety import SHIELDED, WORST, episodes, known

CSTR = get("exothermic_cstr")
N = 70  # more than one chunk of lanes
shielded = pytest.mark.parametrize("name", SHIELDED)


class Wild(Pid):
    """Moves the offsets over their whole authority, at random moments."""

    def plan(self, episodes: Episodes) -> Episodes:
        """Draw the moves."""
        moves = mixed(len(episodes), episodes.scenario.steps, channels(self.plant), np.random.default_rng(0))
        object.__setattr__(self, "moves", iter(moves[:, :, len(self.plant.masters) :].transpose(1, 0, 2)))
        return episodes

    def act(self, reading: Reading) -> Single:
        """Move as drawn."""
        return next(vars(self)["moves"]).astype(np.float32)


class Worst(Wild):
    """Brings a plant over its limits."""

    def plan(self, episodes: Episodes) -> Episodes:
        """Ask for the worst setpoints, sent ahead of time as the hierarchy does, and offsets beside them."""
        n, exogenous = len(episodes), episodes.exogenous.copy()
        moves = WORST[self.plant.name][: exogenous.shape[1]]
        ahead = np.maximum(np.arange(exogenous.shape[1]) - self.plant.advance, 0)
        exogenous[:, :, episodes.references()] = command(self.plant, moves).r[ahead]
        object.__setattr__(self, "moves", (np.tile(move[len(self.plant.masters) :], (n, 1)) for move in moves))
        return replace(episodes, exogenous=exogenous)


def loaded(n: int = 6, known_: Any = None) -> tuple[Simulator, Guarded]:
    """Return plants behind a shield, at the start of episodes."""
    drawn = episodes(CSTR, n)
    simulator = Simulator(CSTR, n, drawn.scenario.steps, substeps(CSTR), operated=True)
    simulator.load(drawn, np.arange(n))
    guarded = behind(known_ or known(CSTR.name), simulator)
    assert isinstance(guarded, Guarded)
    return simulator, guarded


@shielded
def test_a_run_behind_the_shield_knows_what_was_let_through(name: str) -> None:
    """Of the PID layer, nearly all; and it is what the figures and the watch of a training say."""
    plant, drawn = get(name), episodes(get(name), 16)
    run = rollout(Pid(plant), drawn, shield=known(name))
    assert run.share is not None
    assert run.share.shape == (16, drawn.scenario.steps)
    assert set(np.unique(run.share)) <= {UNCERTIFIED, HELD, *SHARES}
    assert (run.share == 1.0).mean() > 0.9
    found, expected = kpis(run), {"interventions": run.share < 1.0, "uncertified": run.share == UNCERTIFIED}
    for kpi, decisions in expected.items():
        np.testing.assert_allclose(found[kpi].values, 100.0 * decisions.mean(axis=1))
        assert found[kpi].unit == "% of decisions"


def test_what_was_let_through_is_recorded_with_the_episode_that_was_shielded_and_with_no_other() -> None:
    """Sample k + 1 tells of decision k, as a setpoint does; where nothing was certified stands -1."""
    known_share = np.tile([1.0, 0.5, HELD, UNCERTIFIED], 15)
    run = rollout(Pid(CSTR), episodes(CSTR, 2), shield=known("exothermic_cstr"))
    made = replace(run, share=np.stack([np.ones(60), known_share]))
    kept = episode_record(made, "pid", 1, 0, {}, {})
    (row,) = kept.of_role("shield")
    assert kept.signals[row].unit == "1"
    np.testing.assert_array_equal(kept.values[row][1:], known_share)
    assert not episode_record(replace(run, share=None), "pid", 1, 0, {}, {}).of_role("shield")


def test_a_comparison_records_the_shield_of_those_behind_it_alone(tmp_path: Path) -> None:
    with Historian(f"sqlite:///{tmp_path / 'runs.db'}") as historian:
        run = historian.start("benchmark", CSTR.name, "", 0, {}, {})
        record(compare(CSTR, [Pid(CSTR)], 2, shield=known("exothermic_cstr")), historian, run, most=1)
        found = {row.controller: historian.read_episode(row.id).of_role("shield") for row in historian.episodes(run)}
    assert not found["pid"]
    assert len(found["pid + shield"]) == 1


def test_without_a_shield_a_run_knows_nothing_of_one() -> None:
    run = rollout(Pid(CSTR), episodes(CSTR, 4))
    assert run.share is None
    assert not {"interventions", "uncertified"} & set(kpis(run))
    plain = behind(None, fleet(CSTR, 4, CSTR.scenario().steps))
    assert isinstance(plain, Unguarded)
    assert plain.share.tolist() == [1.0] * 4


@shielded
def test_what_would_cross_limits_is_held_back_and_crosses_none(name: str) -> None:
    """Setpoints and offsets alike."""
    plant, drawn = get(name), episodes(get(name), 32)
    run, bare = rollout(Worst(plant), drawn, shield=known(name)), rollout(Worst(plant), drawn)
    assert run.share is not None
    hard = [margin.kind == "hard" for margin in plant.margins(*(part.nominal() for part in plant.arguments)).values()]
    assert (run.lowest[:, hard] >= 0.0).all()
    crossing = (bare.lowest[:, hard] < 0.0).any(axis=1)
    assert (run.share[crossing] < 1.0).any(axis=1).all()
    assert crossing.mean() > 0.9


def test_a_shield_that_lets_all_through_changes_nothing() -> None:
    """Beside the same plants without one, to the last digits: it only looks."""
    drawn = episodes(CSTR, 8)
    lenient = replace(known(CSTR.name), margins=np.full(2, -1e9), slack=np.zeros(2))
    run, bare = rollout(Wild(CSTR), drawn, shield=lenient), rollout(Wild(CSTR), drawn)
    assert run.share is not None
    assert (run.share == 1.0).all()
    for part in ("x", "u", "y"):
        np.testing.assert_allclose(run.path[part], bare.path[part], rtol=1e-9)
    np.testing.assert_allclose(run.cost, bare.cost, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(returns(Wild(CSTR), drawn, shield=lenient), returns(Wild(CSTR), drawn), rtol=1e-7)


def test_a_correction_is_by_how_much_the_action_was_changed() -> None:
    """Nothing where all is let through; one where the safe action is taken; from an end to the middle, half."""
    asked = np.full((6, 1), 1.0)
    for margin, share, correction in ((-1e9, 1.0, 0.0), (1e9, UNCERTIFIED, 1.0)):
        simulator, guarded = loaded(known_=replace(known(CSTR.name), margins=np.full(2, margin), slack=np.zeros(2)))
        guarded.step(asked)
        assert guarded.share.tolist() == [share] * 6
        assert guarded.correction.tolist() == [correction] * 6
        assert (simulator.S.read("v") == 3.0).all() == (share == 1.0)
    _, guarded = loaded(known_=replace(known(CSTR.name), slack=np.full(2, 1e9), margins=np.full(2, -1e8)))
    guarded.step(asked)
    assert guarded.share.tolist() == [HELD] * 6
    assert guarded.correction.tolist() == [0.5] * 6


REFUSED: dict[str, Any] = {
    "not a number": np.array([[0.1], [np.nan], [0.1], [0.1], [0.1], [0.1]]),
    "infinite": np.full((6, 1), np.inf),
    "flat": np.zeros(6),
    "too few": np.zeros((5, 1)),
    "too many": np.zeros((6, 2)),
    "texts": [["0.5"]] * 6,
    "complex": np.full((6, 1), 1j),
    "nothing": None,
}


@pytest.mark.parametrize("kind", REFUSED)
def test_an_action_that_is_none_is_refused_and_nothing_has_moved(kind: str) -> None:
    """Neither a plant, nor a count, nor what the shield knows; the next action goes as if nothing had been said."""
    (simulator, guarded), (beside, other) = loaded(), loaded()
    kept, before = guarded.snapshot(), simulator.snapshot()
    with pytest.raises(InvalidAction, match=r"^exothermic_cstr: [^\n]+$"):
        guarded.step(REFUSED[kind])
    same(guarded.snapshot(), kept)
    same(simulator.snapshot(), before)
    guarded.step(np.full((6, 1), 0.5))
    other.step(np.full((6, 1), 0.5))
    same(guarded.snapshot(), other.snapshot())
    same(simulator.snapshot(), beside.snapshot())


def test_beyond_its_range_an_action_is_taken_back_and_counted() -> None:
    (simulator, guarded), (beside, other) = loaded(), loaded()
    guarded.step(np.array([[7.0], [-2.0], [1.0], [0.5], [-1.0], [0.0]]))
    other.step(np.array([[1.0], [-1.0], [1.0], [0.5], [-1.0], [0.0]]))
    assert simulator.clipped.tolist() == [1, 1, 0, 0, 0, 0]
    np.testing.assert_array_equal(simulator.S.data, beside.S.data)
    same(guarded.snapshot(), other.snapshot())


def same(one: Any, other: Any) -> None:
    """Check that two snapshots are the same, to the last bit."""
    assert one.keys() == other.keys()
    for name, part in one.items():
        np.testing.assert_array_equal(part, other[name], err_msg=name)


def env(shield: Any, n: int = N) -> PlantVecEnv:
    """Return a training environment that was reset."""
    made = PlantVecEnv(PlantVectorEnv(CSTR, n, operated=shield is not None), shield=shield)
    made.seed(3)
    made.reset()
    return made


def actions(steps: int, n: int = N) -> NDArray[np.float32]:
    moves: Array = mixed(n, steps, 1, np.random.default_rng(1)).transpose(1, 0, 2)
    return moves.astype(np.float32)


def test_what_follows_a_snapshot_is_the_same_to_the_last_bit() -> None:
    """Across the ends of episodes, on an environment that has gone elsewhere in between."""
    steps = CSTR.scenario().steps
    moves = actions(2 * steps)
    first, second = env(known(CSTR.name)), env(known(CSTR.name))
    for action in moves[: steps // 2]:
        first.step(action)
    kept = first.snapshot()
    for action in moves[:3]:
        second.step(-action)
    ours = [first.step(action) for action in moves[steps // 2 :]]
    second.restore(kept)
    for action, (observation, reward, done, _) in zip(moves[steps // 2 :], ours, strict=True):
        again = second.step(action)
        assert np.asarray(again[0]).tobytes() == np.asarray(observation).tobytes()
        assert again[1].tobytes() == reward.tobytes()
        np.testing.assert_array_equal(again[2], done)
    same(second.snapshot(), first.snapshot())
    assert {"shield.phase", "shield.safe.r", "shield.safe.a"} <= set(kept)


def test_a_snapshot_is_not_changed_by_what_follows() -> None:
    one = env(known(CSTR.name), 4)
    kept = one.snapshot()
    before = {name: part.copy() for name, part in kept.items()}
    one.step(actions(1, 4)[0])
    same(kept, before)


def test_a_snapshot_without_a_shield_fits_none_that_has_one() -> None:
    with pytest.raises((BadInput, KeyError)):
        env(known(CSTR.name), 4).restore(env(None, 4).snapshot())


def test_what_the_shield_corrects_costs_reward() -> None:
    """Of the plants' own reward, by how much the action was changed; what is let through costs nothing."""
    one, plain = env(known(CSTR.name)), Interventions()
    guarded = one._guarded
    assert guarded is not None
    corrections = []
    for action in actions(30):
        stage: list[Array] = []
        after = one.plants.after

        def tapped(result: Any, after: Any = after, stage: list[Array] = stage) -> Any:
            stage.append(result.reward.copy())
            return after(result)

        one.plants.after = tapped  # type: ignore[method-assign]
        _, reward, _, _ = one.step(action)
        one.plants.after = after  # type: ignore[method-assign]
        np.testing.assert_array_equal(reward, (stage[0] - CORRECTED * guarded.correction).astype(np.float32))
        assert (guarded.correction[guarded.share == 1.0] <= 1e-7).all()
        plain.count(guarded.share)
        corrections.append(guarded.correction.copy())
    assert CORRECTED > 0.0
    assert (np.array(corrections) > 0.0).any()
    assert (np.array(corrections) <= 1.0).all()
    assert one.interventions == plain
    assert plain.corrected > 0


def test_interventions_are_counted_since_the_last_look() -> None:
    counted = Interventions()
    assert counted.metrics() == {}
    counted.count(np.array([1.0, 0.5, HELD, UNCERTIFIED]))
    counted.count(np.ones(4))
    assert counted.metrics() == {"train/interventions": 37.5, "train/uncertified": 12.5}
    assert counted.metrics() == {}


def test_an_episode_begins_with_what_its_hierarchy_sends() -> None:
    """Where one ended the shield forgets what it knew of it; the others go on."""
    one = env(known(CSTR.name), 12)
    guarded = one._guarded
    assert guarded is not None
    ended = 0
    for action in actions(CSTR.scenario().steps, 12):
        before = guarded._governor.phase.copy()
        _, _, done, _ = one.step(action)
        np.testing.assert_array_equal(guarded._governor.phase, np.where(done, 0, before + 1))
        if done.any():
            np.testing.assert_array_equal(guarded._governor.safe.r[done], one.plants.simulator.sent[done])
            assert (guarded._governor.safe.a[done] == 0.0).all()
        ended += int(done.sum())
    assert ended >= 12


def test_what_a_training_watches_runs_behind_its_shield() -> None:
    drawn = episodes(CSTR, 8)
    ground, run = Ground((drawn,), known(CSTR.name)), rollout(Wild(CSTR), drawn, shield=known(CSTR.name))
    np.testing.assert_allclose(ground.returns(Wild(CSTR)), run.total, rtol=1e-2)
    assert (ground.returns(Wild(CSTR)) != Ground((drawn,), None).returns(Wild(CSTR))).any()


@pytest.mark.parametrize("safety", ["shield", "both"])
@pytest.mark.parametrize("level", ["direct", "absolute"])
def test_the_shield_governs_setpoints_only(safety: Any, level: Any) -> None:
    with pytest.raises(BadInput, match=rf"^safety '{safety}' at level '{level}': the shield governs level setpoint; [^\n]+$"):
        Method(safety=safety, level=level)


def test_a_plant_without_hard_limits_is_refused_in_one_line() -> None:
    plant = get("heat_pump_house")
    for ask in (lambda m: environment(plant, 0, method=m), lambda m: shield_of(plant, "", m)):
        with pytest.raises(BadInput, match=r"^heat_pump_house has no hard limit [^\n]*exothermic_cstr[^\n]*$"):
            ask(Method(safety="shield"))
    assert shield_of(plant, "", Method()) is None
