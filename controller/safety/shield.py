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
PLACES = np.array([*SHARES, HELD])[:, None, None]
LAST = len(SHARES)
"""Shares of the way from what was last safe to what is proposed, (places, 1, 1), and the place of what was last safe."""

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
class Options:
    """What is tried at once, the first certified counts; (options,) each.

    ``given`` and ``followed`` are places of the command given and of the one after it; where ``stopped``, or ``after``, it is the
    safe action instead. Where it is ``kept`` the command is what was last safe from then on.
    """

    given: Index
    followed: Index
    stopped: Flags
    after: Flags
    kept: Flags

    @classmethod
    def of(cls, *rows: tuple[int, int, bool, bool, bool]) -> Options:
        """Return options, row by row."""
        return cls(*(np.array(column) for column in zip(*rows, strict=True)))


@dataclass(frozen=True)
class Certificate:
    """Whether plants are safe, (m,), the smallest margins foreseen, (m, margins), and the ``nearest`` of those enforced, (m,).

    The nearest is a share of the margin at the nominal point, and minus infinity where it cannot be told; it is worked out where
    it is asked for.
    """

    found: Flags
    foreseen: Array
    nearest: Callable[[], Array]


Certify = Callable[[Command, Command, Index, Flags], Certificate]
"""``certify(first, then, plants, moved)``: of these plants (m,), of which one may be named more than once, under a command
that is followed by another; ``moved`` where it is not what they have."""


def certified(outlook: Outlook, margins: Array, enforced: Flags) -> Flags:
    """Return whether each plant keeps ``margins`` (n, margins), those that are enforced, in every variant, (n,)."""
    kept = np.isfinite(outlook.lowest) & (outlook.lowest >= margins[:, None])
    return np.asarray(outlook.sound.all(axis=1) & (kept | ~enforced).all(axis=(1, 2)))


def nearest(outlook: Outlook, scales: Array, enforced: Flags) -> Array:
    """Return the smallest enforced margin of each plant in any variant, over ``scales`` (margins,); minus infinity if unsound."""
    shares = (outlook.lowest / scales)[:, :, enforced].min(axis=(1, 2))
    told: Array = np.where(outlook.sound.all(axis=1) & np.isfinite(shares), shares, -np.inf)
    return told


PARTS = range(1, LAST)
HOLD = (LAST, LAST, False, False, True)
CONTINUOUS = Options.of(
    (0, LAST, False, False, False),
    *((k, *then) for k in PARTS for then in ((k, False, False, True), (LAST, False, False, False))), HOLD,
)  # fmt: skip
BATCH = Options.of(*((k, LAST, False, True, True) for k in PARTS), HOLD)
RETREATS = Options.of((LAST, LAST, False, True, False), (LAST, LAST, True, True, False))
"""What is tried where the whole move cannot be held: the largest share first, held before followed, and what was last safe, held;
then how else the plant may retreat. In a batch all moves are followed by the safe action."""


def decide(proposed: Command, safe: Command, batch: bool, certify: Certify) -> Decision:
    """Return what to send ``n`` plants that are asked for ``proposed`` and were last safe with ``safe``."""
    n, proposed = len(safe.r), heard(proposed, safe)
    stop, move = Command(safe.r, safe.a, np.ones(n, dtype=bool)), between(safe, proposed, SHARES[0])
    then = stop if batch else move
    whole = certify(move, then, np.arange(n), differs(move, safe))
    made = Decision(copied(move), np.full(n, SHARES[0]), copied(move), copied(then), whole.foreseen)
    if not whole.found.all():
        _search(made, np.flatnonzero(~whole.found), proposed, safe, BATCH if batch else CONTINUOUS, certify)
    return made


def _search(made: Decision, left: Index, proposed: Command, safe: Command, options: Options, certify: Certify) -> None:
    """Write into the decision what is certified for the plants that are ``left``, or what foretells more room.

    How else a plant may retreat is tried only where nothing else is certified.
    """
    still, held = _allow(made, options, proposed, safe, left, certify)
    if len(still):
        lost, stopped = _allow(made, RETREATS, proposed, safe, left[still], certify)
        made.share[left[still][lost]], made.foreseen[left[still][lost]] = UNCERTIFIED, np.nan
        hold = lost[held()[still][lost] > stopped()[lost]] if len(lost) else lost
        made.sent.safe[left[still][hold]] = False


def _allow(
    made: Decision, options: Options, proposed: Command, safe: Command, left: Index, certify: Certify
) -> tuple[Index, Callable[[], Array]]:
    """Try options on the plants that are ``left``, and write the first certified of each into the decision, else the last one.

    Returns the places, among those left, of plants for which none is, and what room the last one foretells, worked out on demand.
    """
    m, count, (r, a, _) = len(left), len(options.kept), safe.of(left)
    rs, as_ = (old + PLACES * (new[left] - old) for old, new in ((r, proposed.r), (a, proposed.a)))
    firsts = _flat(rs, as_, options.given, options.stopped)
    thens = _flat(rs, as_, options.followed, options.after)
    moved = ((rs != r).any(axis=2) | (as_ != a).any(axis=2))[options.given].ravel()
    tried = certify(firsts, thens, np.concatenate([left] * count), moved)
    found = tried.found.reshape(count, m)
    some = found.any(axis=0)
    turn = np.where(some, found.argmax(axis=0), count - 1)
    at, kept = turn * m + np.arange(m), (some & options.kept[turn])[:, None]
    taken = firsts.of(at)
    made.share[left], made.foreseen[left] = PLACES[options.given[turn], 0, 0], tried.foreseen[at]
    _put(made.sent, left, taken)
    _put(made.then, left, thens.of(at))
    _put(made.safe, left, Command(np.where(kept, taken.r, r), np.where(kept, taken.a, a), np.zeros(m, dtype=bool)))
    return np.flatnonzero(~some), lambda: tried.nearest().reshape(count, m)[-1]


def _flat(r: Array, a: Array, places: Index, stopped: Flags) -> Command:
    """Return commands by their places (places, m, ...) as one for all plants in all options."""
    r, a, m = r[places], a[places], r.shape[1]
    return Command(r.reshape(-1, r.shape[2]), a.reshape(-1, a.shape[2]), np.repeat(stopped, m))


def heard(proposed: Command, safe: Command) -> Command:
    """Return what was proposed, and for plants for which any number of it is not finite what was safe."""
    finite = np.asarray(np.isfinite(proposed.r).all(axis=1) & np.isfinite(proposed.a).all(axis=1))
    if finite.all():
        return proposed._replace(safe=safe.safe)
    r, a = (np.where(finite[:, None], new, old) for new, old in ((proposed.r, safe.r), (proposed.a, safe.a)))
    return Command(r, a, safe.safe)


def between(safe: Command, proposed: Command, share: float) -> Command:
    """Return the command that goes a share of the way from one to the other; both leave the plants to their loops."""
    r, a = (old + share * (new - old) for old, new in ((safe.r, proposed.r), (safe.a, proposed.a)))
    return Command(r, a, np.zeros(len(r), dtype=bool))


def copied(command: Command) -> Command:
    """Return a command that shares no memory with this one."""
    return Command(command.r.copy(), command.a.copy(), command.safe.copy())


def differs(move: Command, safe: Command) -> Flags:
    """Return whether setpoints or offsets are others than those that plants have, (n,)."""
    return np.asarray((move.r != safe.r).any(axis=1) | (move.a != safe.a).any(axis=1))


def _put(into: Command, plants: Index, command: Command) -> None:
    for part, values in zip(into, command, strict=True):
        part[plants] = values
