"""The shield: a command governor that lets through the part of each move that keeps every limit for every declared plant.

    v_k = v_safe + k (v_proposed - v_safe)        k = 1, 0.75, 0.5, 0.25

The largest k that is certified is sent: held over the horizon, or, where that fails, given for one decision and followed by
v_safe. Where none is certified v_safe is held: over the horizon, or for one decision followed by the plant's safe action. Where
that is not certified either, the safe action is taken at once, and the decision counts as uncertified. A batch is never left with
one command for long: there every move is certified for one decision, followed by the safe action.

A move must keep more distance than what is held, by the most that is lost from one decision to the next when readings and
disturbances have changed: or what was let through could rarely be held.

A certificate is positive: every margin of every variant is finite and keeps its distance. What is not a number is not safe.

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


Certify = Callable[[Command, Command | None, Flags, bool], tuple[Flags, Array]]
"""``certify(first, then, plants, moved)``: whether these plants are safe under a command, held or followed by another, and the
smallest margins foreseen, (plants,) and (plants, margins); ``moved`` where it is not what they have."""


def certified(outlook: Outlook, margins: Array, enforced: Flags) -> Flags:
    """Return whether each plant keeps every enforced margin in every variant, (n,)."""
    kept = np.isfinite(outlook.lowest) & (outlook.lowest >= margins)
    return np.asarray(outlook.sound.all(axis=1) & kept[:, :, enforced].all(axis=(1, 2)))


def decide(proposed: Command, safe: Command, batch: bool, margins: int, certify: Certify) -> Decision:
    """Return what to send ``n`` plants that are asked for ``proposed`` and were last safe with ``safe``."""
    n = len(proposed.r)
    stop = Command(safe.r, safe.a, np.ones(n, dtype=bool))
    share, sent, after, kept = np.full(n, UNCERTIFIED), copied(stop), copied(stop), copied(safe)
    foreseen = np.full((n, margins), np.nan)
    for k, then in _tried(safe, stop, batch):
        left = share == UNCERTIFIED
        if not left.any():
            break
        move = between(safe, proposed, k)
        found, lowest = np.zeros(n, dtype=bool), np.empty((n, margins))
        found[left], lowest[left] = certify(move.of(left), None if then is None else then.of(left), left, k > HELD)
        share[found], foreseen[found] = k, lowest[found]
        _put(sent, move, found)
        if then is None or batch:
            _put(kept, move, found)
        _put(after, move if then is None else then, found)
    return Decision(sent, share, kept, after, foreseen)


def _tried(safe: Command, stop: Command, batch: bool) -> list[tuple[float, Command | None]]:
    """Return the shares of the move that are tried, largest first, each with what follows it; None: it is held."""
    if batch:
        return [(k, stop) for k in (*SHARES, HELD)]
    return [*((k, then) for k in SHARES for then in (None, safe)), (HELD, None), (HELD, stop)]


def between(safe: Command, proposed: Command, share: float) -> Command:
    """Return the command that goes a share of the way from one to the other; both leave the plants to their loops."""
    r, a = (old + share * (new - old) for old, new in ((safe.r, proposed.r), (safe.a, proposed.a)))
    return Command(r, a, np.zeros(len(r), dtype=bool))


def copied(command: Command) -> Command:
    """Return a command that shares no memory with this one."""
    return Command(command.r.copy(), command.a.copy(), command.safe.copy())


def _put(into: Command, command: Command, plants: Flags) -> None:
    for part, values in zip(into, command, strict=True):
        part[plants] = values[plants]
