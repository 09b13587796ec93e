"""Who controls the plant at each decision: the policy, the policy reduced by the shield, PID, the safe action or the operator.

The policy may be wrong in any way, what replaces it is simple and known to work: control goes to a policy slowly and leaves it at
once.

Source: L. Sha, Using simplicity to control complexity, IEEE Software 18(4), 2001 (the Simplex architecture). The numbers are
this project's own unless a source is named.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from controller.safety.evidence import USABLE, Evidence, Finding
from controller.safety.state import POLICY, Mode, State
from plant_models.core.errors import BadInput

STRIKES = 2
"""Decisions in a row without a certificate: the tail of the last certified backup course covers one, and nothing the next."""
WINDOW, INTERVENTIONS = 100, 20
"""Decisions looked back on, and interventions of the shield allowed in them: with more than a fifth it is the shield that runs
the plant. Decisions not yet seen count as none, so the 21st intervention is one too many however early it comes."""
CERTIFICATES = 30
"""Full certificates in a row before the policy has the plant back: half the dwell has to pass without any exception."""
DWELL = 60
"""Decisions that PID has the plant at least: switching slower than the loops settle leaves stable what is stable without it
(J. P. Hespanha and A. S. Morse, Stability of switched systems with average dwell-time, CDC 1999)."""
RETURNS = 3
"""Returns to the policy in an hour: a fourth is no accident, and a person has to look."""
HOUR = 3600.0  # s
SHORTEST = 1e-3
"""Plant time between two decisions, s, from which a period is taken for one."""

HELD = "PID holds the last certified setpoint"
SAID: dict[Finding, str] = {
    "late": "silent", "raised": "broken off", "wrong type": "without numbers", "wrong shape": "of another shape",
    "not finite": "not finite",
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """``loops``: the tags of what the policy moves, for the operator; ``period``: plant time between two decisions, s."""

    loops: str
    period: float

    def __post_init__(self) -> None:
        """Raise BadInput for a period that is none."""
        if not SHORTEST <= self.period < math.inf:
            raise BadInput(f"{self.loops}: {self.period:g} s between decisions; a finite time from {SHORTEST:g} s on is allowed")

    @property
    def hour(self) -> int:
        """Decisions in an hour of plant time, rounded up."""
        return math.ceil(HOUR / self.period)


def supervise(settings: Settings, state: State, evidence: Evidence) -> State:
    """Return the state of the next decision, whose ``mode`` tells who decides it; the same input gives the same state."""
    now = _counted(settings, state, evidence)
    cause = _cause(now, evidence)
    now = replace(now, full=0) if cause else now
    if state.mode == "TRIPPED" or not evidence.within:
        return _tripped(settings, now, evidence)
    if evidence.request == "manual" or state.mode == "MANUAL":
        return _manual(settings, now, evidence)
    if cause:
        return _entered(now, "BACKUP", f"{settings.loops} {cause}: {HELD}")
    return _backup(settings, now) if state.mode == "BACKUP" else _charged(settings, now, evidence)


def _counted(settings: Settings, state: State, evidence: Evidence) -> State:
    """Return the state with this decision counted and, where the operator acknowledges it, without a latch."""
    decision = state.decision + 1
    acknowledged = state.latched and evidence.within and evidence.request == "acknowledge"
    recent = tuple(at for at in state.returns if decision - at < settings.hour)
    return replace(
        state, decision=decision, dwell=state.dwell + 1,
        full=state.full + 1 if evidence.full else 0,
        uncertified=0 if evidence.certified else state.uncertified + 1,
        silent=0 if evidence.answer == "in time" else state.silent + 1,
        interventions=(*state.interventions, not evidence.full)[-WINDOW:] if state.mode in POLICY else (),
        returns=() if acknowledged else recent,
        latched=state.latched and not acknowledged,
    )  # fmt: skip


def _cause(now: State, evidence: Evidence) -> str:
    """Return why the policy must not have the plant, in words; empty where nothing speaks against it."""
    causes = (
        (evidence.status not in USABLE, f"signal {evidence.tag} failed"),
        (now.silent > 0, f"policy {SAID.get(evidence.answer, 'unusable')} for {_times(now.silent)}"),
        (evidence.drift, "drift alarm"),
        (now.uncertified >= STRIKES, f"no certificate for {_times(now.uncertified)}"),
        (sum(now.interventions) > INTERVENTIONS, f"shield intervened in more than {INTERVENTIONS} of {WINDOW} decisions"),
    )
    return next((words for holds, words in causes if holds), "")


def _times(n: int) -> str:
    return f"{n} decision" if n == 1 else f"{n} decisions"


def _entered(now: State, mode: Mode, reason: str) -> State:
    """Return the state in a mode; a policy that is reduced is as much in charge as one that is not."""
    same = mode == now.mode or (mode in POLICY and now.mode in POLICY)
    interventions = now.interventions if mode in POLICY else ()
    return replace(now, mode=mode, reason=reason, dwell=now.dwell if same else 1, interventions=interventions)


def _tripped(settings: Settings, now: State, evidence: Evidence) -> State:
    """Trip, stay tripped, or go to PID where the operator resets while all margins are kept."""
    if evidence.within and evidence.request == "acknowledge":
        return _entered(now, "BACKUP", f"{settings.loops} trip reset by the operator: {HELD}")
    if evidence.within:
        return _entered(now, "TRIPPED", now.reason)
    return _entered(now, "TRIPPED", f"{settings.loops} trip margin {evidence.margin} crossed: safe action until it is reset")


def _manual(settings: Settings, now: State, evidence: Evidence) -> State:
    """Give the plant to the operator, and take it back to PID only, which tracks what the operator did."""
    if evidence.request == "auto":
        return _entered(now, "BACKUP", f"{settings.loops} given back by the operator: {HELD}")
    return _entered(now, "MANUAL", f"{settings.loops} in the operator's hands")


def _backup(settings: Settings, now: State) -> State:
    """Return to the policy where it has earned that, latch where it has too often, or stay with PID."""
    # the dwell includes this decision, which is still to be given
    earned = now.full >= CERTIFICATES and now.dwell > DWELL
    if now.latched or (earned and len(now.returns) >= RETURNS):
        reason = f"{settings.loops} policy had {RETURNS} returns within an hour: {HELD} until acknowledged"
        return replace(_entered(now, "BACKUP", reason), latched=True)
    if not earned:
        return _entered(now, "BACKUP", now.reason)
    returned = replace(now, returns=(*now.returns, now.decision))
    return _entered(returned, "AUTO", f"{settings.loops} policy in charge again after {_times(now.full)} with a full certificate")


def _charged(settings: Settings, now: State, evidence: Evidence) -> State:
    """Leave the plant to the policy, filtered where the shield reduced its move."""
    if evidence.full:
        return _entered(now, "AUTO", f"{settings.loops} policy in charge")
    if not evidence.certified:
        return _entered(now, "FILTERED", f"{settings.loops} no certified move: what foretells most room in its place")
    left = 100.0 * (evidence.share or 0.0)
    return _entered(now, "FILTERED", f"{settings.loops} shield leaves {left:.0f} % of the policy's move")
