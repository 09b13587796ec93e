"""Who controls the plant: every rule on both sides of its threshold, every latch, and the graph that no evidence leaves."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from random import Random
from typing import Any

import pytest

from controller.safety.evidence import Evidence
from controller.safety.state import MODES, POLICY, Mode, State, packed, unpacked
from controller.safety.supervisor import Settings, supervise
from plant_models.core.errors import BadInput

SETTINGS = Settings("TIC-101", 1.0)
GOOD = Evidence(status="good", answer="in time", share=1.0, drift=False, within=True)
HELD = "PID holds the last certified setpoint"
REDUCED, UNCERTIFIED, TRIP = replace(GOOD, share=0.5), replace(GOOD, share=None), replace(GOOD, within=False, margin="T_high")
MANUAL, AUTO, ACKNOWLEDGE = (replace(GOOD, request=each) for each in ("manual", "auto", "acknowledge"))
FAULTS: dict[str, Any] = {
    "signal": {"status": "failure"}, "late": {"answer": "late"}, "raised": {"answer": "raised"},
    "type": {"answer": "wrong type"}, "shape": {"answer": "wrong shape"}, "finite": {"answer": "not finite"},
    "drift": {"drift": True},
}  # fmt: skip
GRAPH: dict[Mode, set[Mode]] = {
    "AUTO": {"AUTO", "FILTERED", "BACKUP", "TRIPPED", "MANUAL"},
    "FILTERED": {"AUTO", "FILTERED", "BACKUP", "TRIPPED", "MANUAL"},
    "BACKUP": {"AUTO", "BACKUP", "TRIPPED", "MANUAL"},
    "TRIPPED": {"TRIPPED", "BACKUP"},
    "MANUAL": {"MANUAL", "BACKUP", "TRIPPED"},
}


def after(state: State, *evidence: Evidence, settings: Settings = SETTINGS) -> State:
    for each in evidence:
        state = supervise(settings, state, each)
    return state


def begun(mode: Mode, **parts: Any) -> State:
    return State(mode=mode, reason="so far", decision=10_000, dwell=1, **parts)


# -- to the backup ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("mode", POLICY)
def test_a_fault_hands_the_plant_to_pid_in_the_same_decision(mode: Mode, fault: str) -> None:
    state = after(begun(mode), replace(GOOD, **FAULTS[fault]))
    assert (state.mode, state.dwell, state.full) == ("BACKUP", 1, 0)


@pytest.mark.parametrize("status", ["good", "maintenance", "out of specification", "check"])
def test_a_signal_that_has_not_failed_leaves_the_policy_in_charge(status: Any) -> None:
    assert after(begun("AUTO"), replace(GOOD, status=status)).mode == "AUTO"


@pytest.mark.parametrize("unknown", [{"status": "bad"}, {"answer": "yes"}])
def test_a_word_that_is_not_known_counts_as_a_fault(unknown: Any) -> None:
    assert after(begun("AUTO"), replace(GOOD, **unknown)).mode == "BACKUP"


def test_one_decision_without_a_certificate_is_filtered_and_the_second_in_a_row_goes_to_pid() -> None:
    once = after(begun("AUTO"), UNCERTIFIED)
    assert (once.mode, once.uncertified) == ("FILTERED", 1)
    assert after(once, UNCERTIFIED).mode == "BACKUP"
    between = after(once, GOOD, UNCERTIFIED)
    assert (between.mode, between.uncertified) == ("FILTERED", 1)


@pytest.mark.parametrize("share", [float("nan"), float("inf"), -0.25, 1.25])
def test_a_share_that_is_none_is_no_certificate(share: float) -> None:
    assert after(begun("AUTO"), *[replace(GOOD, share=share)] * 2).mode == "BACKUP"


@pytest.mark.parametrize("share", [0.75, 0.5, 0.25, 0.0])
def test_a_reduced_move_is_filtered_and_a_full_one_is_not(share: float) -> None:
    state = after(begun("AUTO"), *[replace(GOOD, share=share)] * 3)
    assert (state.mode, state.full, state.uncertified, state.dwell) == ("FILTERED", 0, 0, 4)
    state = after(state, GOOD)
    assert (state.mode, state.full, state.dwell) == ("AUTO", 1, 5)


def test_twenty_interventions_in_a_hundred_decisions_are_allowed_and_twenty_one_are_not() -> None:
    twenty = after(begun("AUTO"), *[GOOD] * 80, *[REDUCED] * 20)
    assert (twenty.mode, sum(twenty.interventions), len(twenty.interventions)) == ("FILTERED", 20, 100)
    state = after(twenty, REDUCED)
    assert (state.mode, state.reason) == ("BACKUP", f"TIC-101 shield intervened in more than 20 of 100 decisions: {HELD}")


def test_an_intervention_is_forgotten_after_a_hundred_decisions() -> None:
    spread = [REDUCED, GOOD, GOOD, GOOD, GOOD] * 60
    assert after(begun("AUTO"), *spread).mode == "AUTO"
    twenty = after(begun("AUTO"), *[REDUCED] * 20)
    assert after(twenty, *[GOOD] * 80, REDUCED).mode == "FILTERED"
    assert after(twenty, *[GOOD] * 79, REDUCED).mode == "BACKUP"


def test_before_a_hundred_decisions_the_twenty_first_intervention_is_one_too_many() -> None:
    assert after(begun("AUTO"), *[REDUCED] * 20).mode == "FILTERED"
    assert after(begun("AUTO"), *[REDUCED] * 21).mode == "BACKUP"


def test_interventions_are_counted_only_while_the_policy_is_in_charge() -> None:
    out = after(begun("FILTERED", interventions=(True,) * 20), REDUCED)
    assert (out.mode, out.interventions) == ("BACKUP", ())
    assert after(out, *[REDUCED] * 50).interventions == ()
    assert after(begun("AUTO", interventions=(True,)), MANUAL).interventions == ()


# -- back to the policy -------------------------------------------------------------------------------------------------


def test_thirty_full_certificates_return_the_plant_and_twenty_nine_do_not() -> None:
    waiting = replace(begun("BACKUP"), dwell=500)
    assert after(waiting, *[GOOD] * 29).mode == "BACKUP"
    state = after(waiting, *[GOOD] * 30)
    assert (state.mode, state.dwell, state.returns) == ("AUTO", 1, (10_030,))
    assert state.reason == "TIC-101 policy in charge again after 30 decisions with a full certificate"


def test_pid_has_the_plant_for_sixty_decisions_and_not_for_fifty_nine() -> None:
    out = after(begun("AUTO"), replace(GOOD, drift=True))
    assert after(out, *[GOOD] * 58).mode == "BACKUP"
    last = after(out, *[GOOD] * 59)
    assert (last.mode, last.dwell, last.full) == ("BACKUP", 60, 59)
    assert after(last, GOOD).mode == "AUTO"


def test_a_new_plant_is_pids_until_the_policy_has_earned_it() -> None:
    assert after(State(), *[GOOD] * 60).mode == "BACKUP"
    assert after(State(), *[GOOD] * 61).mode == "AUTO"


@pytest.mark.parametrize("exception", [*FAULTS.values(), {"share": 0.75}, {"share": None}])
def test_every_exception_has_the_certificates_counted_anew(exception: Any) -> None:
    waiting = replace(begun("BACKUP"), dwell=500)
    state = after(waiting, *[GOOD] * 29, replace(GOOD, **exception))
    assert (state.mode, state.full) == ("BACKUP", 0)
    assert after(state, *[GOOD] * 29).mode == "BACKUP"
    assert after(state, *[GOOD] * 30).mode == "AUTO"


def earned(state: State, settings: Settings = SETTINGS) -> State:
    """One more loss of the plant, and all that earns it back."""
    return after(state, replace(GOOD, drift=True), *[GOOD] * 60, settings=settings)


def test_the_third_return_within_an_hour_is_granted_and_the_fourth_waits_for_the_operator() -> None:
    state = begun("AUTO")
    for n in (1, 2, 3):
        state = earned(state)
        assert (state.mode, len(state.returns), state.latched) == ("AUTO", n, False)
    state = earned(state)
    assert (state.mode, state.latched) == ("BACKUP", True)
    assert state.reason == f"TIC-101 policy had 3 returns within an hour: {HELD} until acknowledged"
    still = after(state, *[GOOD] * 5000)
    assert (still.mode, still.latched, still.returns, still.reason) == ("BACKUP", True, (), state.reason)
    free = after(state, ACKNOWLEDGE)
    assert (free.mode, free.latched, free.returns) == ("AUTO", False, (free.decision,))


def test_a_return_is_forgotten_after_an_hour_of_plant_time() -> None:
    waiting = replace(begun("BACKUP"), dwell=500, full=100)
    for age, mode, latched in ((3599, "BACKUP", True), (3600, "AUTO", False)):
        state = after(replace(waiting, returns=(10_001 - age, 9_990, 9_995)), GOOD)
        assert (state.mode, state.latched) == (mode, latched)


@pytest.mark.parametrize(("period", "hour"), [(1.0, 3600), (0.1, 36_000), (60.0, 60), (7.0, 515), (3600.0, 1), (1e300, 1)])
def test_an_hour_is_counted_in_decisions_and_rounded_up(period: float, hour: int) -> None:
    assert Settings("TIC-101", period).hour == hour


@pytest.mark.parametrize("period", [0.0, -1.0, float("nan"), float("inf"), 0.000999, 5e-324])
def test_a_period_that_is_none_is_refused(period: float) -> None:
    with pytest.raises(BadInput, match="TIC-101"):
        Settings("TIC-101", period)
    assert Settings("TIC-101", 0.001).hour == 3_600_000


def test_a_latch_is_told_again_after_a_fault_and_outlasts_the_operators_hand() -> None:
    latched = begun("BACKUP", latched=True)
    state = after(latched, replace(GOOD, drift=True))
    assert (state.reason, state.latched) == (f"TIC-101 drift alarm: {HELD}", True)
    assert after(state, GOOD).reason == f"TIC-101 policy had 3 returns within an hour: {HELD} until acknowledged"
    assert after(latched, MANUAL, AUTO, *[GOOD] * 200).mode == "BACKUP"
    assert after(latched, replace(TRIP, request="acknowledge")).latched


def test_acknowledging_what_is_not_latched_forgets_no_return() -> None:
    state = begun("AUTO", returns=(9_999,))
    assert after(state, ACKNOWLEDGE) == after(state, GOOD)


# -- trip and operator --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("request_", ["none", "manual", "auto", "acknowledge"])
def test_a_crossed_margin_trips_at_once_whatever_is_asked(mode: Mode, request_: Any) -> None:
    state = after(begun(mode), replace(TRIP, request=request_))
    assert state.mode == "TRIPPED"
    assert state.reason == "TIC-101 trip margin T_high crossed: safe action until it is reset"


@pytest.mark.parametrize("ask", [GOOD, MANUAL, AUTO])
def test_a_trip_stays_whatever_else_is_asked(ask: Evidence) -> None:
    tripped = after(begun("AUTO"), TRIP)
    state = after(tripped, *[ask] * 200)
    assert (state.mode, state.reason, state.dwell) == ("TRIPPED", tripped.reason, 201)


def test_a_trip_is_reset_only_while_the_margins_are_kept_and_then_pid_begins() -> None:
    tripped = after(begun("AUTO"), TRIP, replace(TRIP, request="acknowledge"))
    assert tripped.mode == "TRIPPED"
    state = after(tripped, ACKNOWLEDGE)
    assert (state.mode, state.dwell, state.reason) == ("BACKUP", 1, f"TIC-101 trip reset by the operator: {HELD}")
    assert after(state, *[GOOD] * 59).mode == "BACKUP"
    assert after(state, *[GOOD] * 60).mode == "AUTO"


@pytest.mark.parametrize("mode", ["AUTO", "FILTERED", "BACKUP"])
@pytest.mark.parametrize("fault", [{}, *FAULTS.values()])
def test_the_operator_gets_the_plant_whatever_else_is_wrong(mode: Mode, fault: Any) -> None:
    state = after(begun(mode), replace(MANUAL, **fault))
    assert (state.mode, state.dwell, state.reason) == ("MANUAL", 1, "TIC-101 in the operator's hands")


@pytest.mark.parametrize("ask", [GOOD, MANUAL, ACKNOWLEDGE, REDUCED, replace(GOOD, drift=True)])
def test_nobody_takes_the_plant_from_the_operator(ask: Evidence) -> None:
    assert after(begun("MANUAL"), *[ask] * 200).mode == "MANUAL"


def test_the_operator_gives_the_plant_to_pid_and_never_to_the_policy() -> None:
    state = after(begun("MANUAL"), *[GOOD] * 200, AUTO)
    assert (state.mode, state.dwell, state.reason) == ("BACKUP", 1, f"TIC-101 given back by the operator: {HELD}")
    assert after(state, *[AUTO] * 59).mode == "BACKUP"
    assert after(state, *[AUTO] * 60).mode == "AUTO"


@pytest.mark.parametrize("mode", ["AUTO", "FILTERED", "BACKUP"])
def test_a_request_for_what_is_not_in_manual_changes_nothing(mode: Mode) -> None:
    assert after(begun(mode), AUTO) == after(begun(mode), GOOD)


# -- reasons, text, properties ------------------------------------------------------------------------------------------


def test_reasons_are_in_an_operators_words() -> None:
    late, auto = replace(GOOD, answer="late"), begun("AUTO")
    expected = {
        (late,): f"TIC-101 policy silent for 1 decision: {HELD}",
        (late, late, late): f"TIC-101 policy silent for 3 decisions: {HELD}",
        (late, GOOD): f"TIC-101 policy silent for 1 decision: {HELD}",
        (late, GOOD, late): f"TIC-101 policy silent for 1 decision: {HELD}",
        (replace(GOOD, answer="raised"),): f"TIC-101 policy broken off for 1 decision: {HELD}",
        (replace(GOOD, answer="wrong shape"),): f"TIC-101 policy of another shape for 1 decision: {HELD}",
        (replace(GOOD, status="failure", tag="TI-101"),): f"TIC-101 signal TI-101 failed: {HELD}",
        (UNCERTIFIED, UNCERTIFIED): f"TIC-101 no certificate for 2 decisions: {HELD}",
        (UNCERTIFIED,): "TIC-101 no certified move: what foretells most room in its place",
        (replace(GOOD, share=1.25),): "TIC-101 no certified move: what foretells most room in its place",
        (REDUCED,): "TIC-101 shield leaves 50 % of the policy's move",
        (replace(GOOD, share=0.75),): "TIC-101 shield leaves 75 % of the policy's move",
        (replace(GOOD, share=0.0),): "TIC-101 shield leaves 0 % of the policy's move",
        (GOOD,): "TIC-101 policy in charge",
    }
    assert {given: after(auto, *given).reason for given in expected} == expected


def test_a_state_is_kept_as_json_and_read_back_the_same() -> None:
    state = after(begun("FILTERED", returns=(9_000, 9_500)), REDUCED, GOOD, UNCERTIFIED)
    assert unpacked(packed(state)) == state
    assert after(unpacked(packed(state)), GOOD, TRIP) == after(state, GOOD, TRIP)


BAD_PARTS: dict[str, list[Any]] = {
    "mode": ["auto", 1, None], "reason": [1], "decision": [-1, 1.0, True, None], "dwell": ["1"], "latched": [0, None],
    "interventions": [[1], "x", None], "returns": [[True], [1.0], [-1], 3],
}  # fmt: skip


@pytest.mark.parametrize(("part", "bad"), [(part, bad) for part, values in BAD_PARTS.items() for bad in values])
def test_a_state_with_a_bad_part_is_refused_in_one_line(part: str, bad: Any) -> None:
    with pytest.raises(BadInput, match=part) as raised:
        unpacked(json.dumps(asdict(State()) | {part: bad}))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "1", '{"mode": "AUTO"}', "[" * 100_000, '{"further": 1, ' + packed(State())[1:]]
)
def test_what_is_no_state_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(BadInput) as raised:
        unpacked(text)
    assert "\n" not in str(raised.value)


def test_the_least_counts_are_allowed_and_a_new_state_has_counted_nothing() -> None:
    assert unpacked(packed(State(returns=(0,)))) == State(returns=(0,))
    state = State()
    assert (state.decision, state.dwell, state.full, state.uncertified, state.silent, state.latched) == (0, 0, 0, 0, 0, False)


def test_of_a_long_part_forty_characters_are_told() -> None:
    with pytest.raises(BadInput, match=f"mode '{'x' * 40}';"):
        unpacked(json.dumps(asdict(State()) | {"mode": "x" * 41}))


def drawn(rng: Random, trouble: float, reduced: float) -> Evidence:
    """Evidence with something wrong, or a move that the shield reduced, at a probability."""
    wrong = [rng.random() < (reduced if i == 2 else trouble) for i in range(4)]
    return Evidence(
        status=rng.choice(("failure", "check")) if wrong[0] else "good",
        answer=rng.choice(("late", "raised", "wrong type", "wrong shape", "not finite")) if wrong[1] else "in time",
        share=rng.choice((0.75, 0.5, 0.25, 0.0, None)) if wrong[2] else 1.0,
        drift=wrong[3],
        within=rng.random() > 0.002,
        request=rng.choice(("manual", "auto", "auto", "acknowledge", "acknowledge")) if rng.random() < 0.03 else "none",
    )


def faulty(evidence: Evidence) -> bool:
    return evidence.status == "failure" or evidence.answer != "in time" or evidence.drift or not evidence.within


def test_a_hundred_thousand_random_decisions_keep_every_promise() -> None:
    rng, state, seen = Random(0), State(), set[tuple[Mode, Mode]]()
    clean = held = 0
    returns: list[int] = []
    trouble = reduced = 0.0
    for k in range(100_000):
        if rng.random() < 0.01:
            trouble, reduced = rng.choice((0.0, 0.0, 0.002, 0.3)), rng.choice((0.0, 0.0, 0.1, 0.5))
        evidence = drawn(rng, trouble, reduced)
        if state.latched and evidence.within and evidence.request == "acknowledge":
            returns = []
        was, state = state.mode, supervise(SETTINGS, state, evidence)
        seen.add((was, state.mode))
        clean = 0 if faulty(evidence) or evidence.share != 1.0 else clean + 1
        assert state.mode in GRAPH[was]
        assert state.mode not in POLICY or not faulty(evidence)
        assert evidence.within or state.mode == "TRIPPED"
        if was != state.mode and was == "TRIPPED":
            assert evidence.within
            assert evidence.request == "acknowledge"
        if was != state.mode and was == "MANUAL" and evidence.within:
            assert evidence.request == "auto"
        if was == "BACKUP" and state.mode == "AUTO":
            assert min(clean - 30, held - 60) >= 0
            returns = [*(at for at in returns if k - at < 3600), k]
            assert len(returns) <= 3
        held = held + 1 if state.mode == was == "BACKUP" else int(state.mode == "BACKUP")
    assert seen == {(a, b) for a, many in GRAPH.items() for b in many}
