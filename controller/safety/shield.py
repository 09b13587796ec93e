"""The shield: a command governor that lets through the part of each move that keeps every limit for every declared plant.

    v_k = v_safe + k (v_proposed - v_safe)        k = 1, 0.75, 0.5, 0.25

The largest k that is certified is sent: held over the horizon, or, where that fails, given for one decision and followed by
v_safe. Where none is certified the plant retreats: v_safe is held, over the horizon, or for one decision followed by the plant's
safe action, or the safe action is taken at once, whichever is certified first. Where none of these is, the decision counts as
uncertified, and of v_safe and the safe action that one is sent that foretells more room: a safe action for one danger may be
the way into another. A batch is never left with one command for long: there every move is certified for one decision, followed
by the safe action.

A move must keep more distance than what is held, by the most that is lost from one decision to the next when readings and
disturbances have changed: or what was let through could rarely be held.

A certificate is positive: every margin of every variant is finite and keeps its distance. What is not a number is not safe, and
a proposal that is not finite asks for v_safe.

Source: Gilbert and Kolmanovsky, Automatica 38 (2002) 2063-2073 (command governors); Bastani, ACC 2021 (model predictive
shielding).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command, Outlook

SHARES = (1.0, 0.75, 0.5, 0.25)
HELD, UNCERTIFIED = 0.0, -1.0
"""Shares of a move in decisions in which nothing of it was let through: the retreat was certified, or not even that."""

Flags = NDArray[np.bool_]
Index = NDArray[np.intp]


@dataclass(frozen=True)
class Decision:
    """What is sent, the ``share`` (n,) of each move that it lets through, what is safe from now on, and what ``then`` follows.

    ``foreseen`` (n, margins) are the smallest margins of the certified course, NaN where there is none.
    """

    sent: Command
    share: Array
    safe: Command
    then: Command
    foreseen: Array


@dataclass(frozen=True)
class Option:
    """A ``share`` of the move, given and followed by ``then``, which is the move itself where it is held.

    Where it is ``kept`` it is what was last safe from then on.
    """

    share: float
    move: Command
    then: Command
    kept: bool

    def moved(self, n: int) -> Flags:
        """Return whether each of ``n`` plants would be moved from what it has, (n,)."""
        return np.full(n, self.share > HELD)


@dataclass(frozen=True)
class Certificate:
    """Whether plants are safe, (m,), the smallest margins foreseen, (m, margins), and the ``nearest`` of those enforced, (m,).

    The nearest is a share of the margin at the nominal point, and minus infinity where it cannot be told.
    """

    found: Flags
    foreseen: Array
    nearest: Array


Certify = Callable[[Command, Command, Index, Flags], Certificate]
"""``certify(first, then, plants, moved)``: of these plants (m,), of which one may be named more than once, under a command
that is followed by another; ``moved`` where it is not what they have."""


def certified(outlook: Outlook, margins: Array, enforced: Flags) -> Flags:
    """Return whether each plant keeps ``margins`` (n, margins), those that are enforced, in every variant, (n,)."""
    kept = np.isfinite(outlook.lowest) & (outlook.lowest >= margins[:, None])
    return np.asarray(outlook.sound.all(axis=1) & kept[:, :, enforced].all(axis=(1, 2)))


def nearest(outlook: Outlook, scales: Array, enforced: Flags) -> Array:
    """Return the smallest enforced margin of each plant in any variant, over ``scales`` (margins,); minus infinity if unsound."""
    shares = (outlook.lowest / scales)[:, :, enforced].min(axis=(1, 2))
    told: Array = np.where(outlook.sound.all(axis=1) & np.isfinite(shares), shares, -np.inf)
    return told


def decide(proposed: Command, safe: Command, batch: bool, certify: Certify) -> Decision:
    """Return what to send ``n`` plants that are asked for ``proposed`` and were last safe with ``safe``."""
    n, proposed = len(safe.r), heard(proposed, safe)
    stop = Command(safe.r, safe.a, np.ones(n, dtype=bool))
    first, *others = _tried(proposed, safe, stop, batch)
    plants = np.arange(n)
    whole = certify(first.move, first.then, plants, first.moved(n))
    made = Decision(copied(stop), np.full(n, UNCERTIFIED), copied(safe), copied(stop), np.full_like(whole.foreseen, np.nan))
    _allow(made, first, whole.found, whole.foreseen)
    left = plants[~whole.found]
    if len(left):
        _search(made, others, left, certify)
    return made


def _search(made: Decision, options: list[Option], left: Index, certify: Certify) -> None:
    """Try all other options for the plants that are left at once, and allow each the first that is certified.

    Where none is, what was safe and the safe action are compared, and what foretells more room is sent.
    """
    n, m = len(made.share), len(left)
    firsts, thens = ([getattr(option, part).of(left) for option in options] for part in ("move", "then"))
    moved = np.concatenate([option.moved(m) for option in options])
    tried = certify(stacked(firsts), stacked(thens), np.tile(left, len(options)), moved)
    open_, rows = np.isin(np.arange(n), left), tried.found.reshape(len(options), m)
    for option, good, lowest in zip(options, rows, tried.foreseen.reshape(len(options), m, -1), strict=True):
        chosen, margins = np.zeros(n, dtype=bool), np.full((n, lowest.shape[1]), np.nan)
        chosen[left], margins[left] = good, lowest
        _allow(made, option, chosen & open_, margins)
        open_ &= ~chosen
    nearest, held = tried.nearest.reshape(len(options), m), np.zeros(n, dtype=bool)
    hold, stop = -3, -1
    held[left] = nearest[hold] > nearest[stop]
    _put(made.sent, options[hold].move, held & open_)


def _allow(made: Decision, option: Option, plants: Flags, foreseen: Array) -> None:
    """Write an option into the decision of some plants."""
    made.share[plants], made.foreseen[plants] = option.share, foreseen[plants]
    _put(made.sent, option.move, plants)
    _put(made.then, option.then, plants)
    if option.kept:
        _put(made.safe, option.move, plants)


def _tried(proposed: Command, safe: Command, stop: Command, batch: bool) -> list[Option]:
    """Return what is tried, the largest share first, held before followed."""
    moves = {k: between(safe, proposed, k) for k in (*SHARES, HELD)}
    held = moves.pop(HELD)
    retreats = [Option(HELD, held, held, kept=True), Option(HELD, held, stop, kept=False), Option(HELD, stop, stop, kept=False)]
    if batch:
        return [*(Option(k, move, stop, kept=True) for k, move in moves.items()), *retreats]
    options = [option for k, move in moves.items() for option in (Option(k, move, move, True), Option(k, move, safe, False))]
    return [*options, *retreats]


def heard(proposed: Command, safe: Command) -> Command:
    """Return what was proposed, and for plants for which any number of it is not finite what was safe."""
    finite = np.asarray(np.isfinite(np.hstack([proposed.r, proposed.a])).all(axis=1))[:, None]
    return Command(np.where(finite, proposed.r, safe.r), np.where(finite, proposed.a, safe.a), safe.safe)


def between(safe: Command, proposed: Command, share: float) -> Command:
    """Return the command that goes a share of the way from one to the other; both leave the plants to their loops."""
    r, a = (old + share * (new - old) for old, new in ((safe.r, proposed.r), (safe.a, proposed.a)))
    return Command(r, a, np.zeros(len(r), dtype=bool))


def copied(command: Command) -> Command:
    """Return a command that shares no memory with this one."""
    return Command(command.r.copy(), command.a.copy(), command.safe.copy())


def stacked(commands: list[Command]) -> Command:
    """Return commands one after the other, as one for all their plants."""
    r, a, stop = zip(*commands, strict=True)
    return Command(np.concatenate(r), np.concatenate(a), np.concatenate(stop))


def _put(into: Command, command: Command, plants: Flags) -> None:
    for part, values in zip(into, command, strict=True):
        part[plants] = values[plants]
