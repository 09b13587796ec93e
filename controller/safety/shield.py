"""The shield: a command governor that lets through the part of each move that keeps every limit for every declared plant.

    v_k = v_safe + k (v_proposed - v_safe)        k = 1, 0.75, 0.5, 0.25

The largest k that is certified is sent: held over the horizon, or, where that fails, given for one decision and followed by
v_safe. Where none is certified the plant retreats: v_safe is held, or the usual command is, the nominal setpoints without any
offset; or v_safe is held for one decision followed by the plant's safe action, or the safe action is taken at once, whichever is
certified first. Where none of these is, the decision counts as uncertified, and of v_safe, the usual command and the safe action
that one is sent that foretells most room: a safe action for one danger may be the way into another. A batch is never left with
one command for long: there every move is certified for one decision, followed by the safe action.

A move must keep more distance than a retreat, by the most that is lost from one decision to the next when readings and
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
LAST, USUAL = len(SHARES), len(SHARES) + 1
"""Shares of the way from what was last safe to what is proposed, (places, 1, 1), and the places of what was last safe and, after
it, of the usual command: the nominal setpoints without any offset."""
LET_THROUGH = np.array([*SHARES, HELD, HELD])
"""What each place lets through of a move."""

Flags = NDArray[np.bool_]
Index = NDArray[np.intp]


@dataclass(frozen=True)
class Decision:
    """What is sent, the ``share`` (n,) of each move that it lets through, what is safe from now on, and what ``then`` follows.

    ``foreseen`` (n, margins) are the smallest margins of the certified course, NaN where there is none; ``returned`` (n,) where
    the usual command is sent in place of what was last safe.
    """

    sent: Command
    share: Array
    safe: Command
    then: Command
    foreseen: Array
    returned: Flags


@dataclass(frozen=True)
class Options:
    """What is tried at once, the first certified counts; (options,) each.

    ``given`` and ``followed`` are places of the command given and of the one after it; where ``stopped``, or ``after``, it is the
    safe action instead. Where it is ``kept`` the command counts as what was last safe from then on.
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

    The nearest is a share of the margin at the nominal point, and minus infinity where it cannot be told; it is worked out for
    those entries that are asked for. Of a plant that is named more than once nothing need be found after what is certified first.
    """

    found: Flags
    foreseen: Array
    nearest: Callable[[Index], Array]


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
"""What is tried where the whole move cannot be held: the largest share first, held before followed, and what was last safe, held.
In a batch all moves are followed by the safe action."""
RETREATS = Options.of((USUAL, USUAL, False, False, True), (LAST, LAST, False, True, False), (LAST, LAST, True, True, False))
"""How else the plant may retreat: the usual command first, the safe action at once last."""


def decide(proposed: Command, safe: Command, usual: Command, batch: bool, certify: Certify) -> Decision:
    """Return what to send ``n`` plants that are asked for ``proposed``, were last safe with ``safe``, and have a ``usual``."""
    n, proposed = len(safe.r), heard(proposed, safe)
    stop, move = Command(safe.r, safe.a, np.ones(n, dtype=bool)), between(safe, proposed, SHARES[0])
    then = stop if batch else move
    whole = certify(move, then, np.arange(n), differs(move, safe))
    made = Decision(copied(move), np.full(n, SHARES[0]), copied(move), copied(then), whole.foreseen, np.zeros(n, dtype=bool))
    if not whole.found.all():
        _search(made, np.flatnonzero(~whole.found), Places(proposed, safe, usual), BATCH if batch else CONTINUOUS, certify)
    return made


@dataclass(frozen=True)
class Places:
    """The commands among which options choose: on the way from what was last ``safe`` to what is ``proposed``, and ``usual``."""

    proposed: Command
    safe: Command
    usual: Command

    def of(self, plants: Index) -> tuple[Array, Array]:
        """Return setpoints and offsets of some plants at all places, (places, m, ...) each."""
        proposed, safe, usual = (command.of(plants) for command in (self.proposed, self.safe, self.usual))
        r = np.concatenate([safe.r + PLACES * (proposed.r - safe.r), usual.r[None]])
        return r, np.concatenate([safe.a + PLACES * (proposed.a - safe.a), usual.a[None]])


def _search(made: Decision, left: Index, places: Places, options: Options, certify: Certify) -> None:
    """Write into the decision what is certified for the plants that are ``left``, or what foretells most room.

    How else a plant may retreat is tried only where nothing else is certified.
    """
    still, parts = _allow(made, options, places, left, certify)
    if len(still):
        lost, retreats = _allow(made, RETREATS, places, left[still], certify)
        if len(lost):
            rooms = np.stack([retreats(-1, lost), parts(-1, still[lost]), retreats(0, lost)])
            _make_do(made, left[still[lost]], places.usual, rooms.argmax(axis=0))


def _make_do(made: Decision, lost: Index, usual: Command, most: Index) -> None:
    """Send plants for which nothing is certified the safe action, what was last safe or the usual command: ``most`` 0, 1 or 2."""
    made.share[lost], made.foreseen[lost] = UNCERTIFIED, np.nan
    made.sent.safe[lost[most > 0]] = False
    back = lost[most > 1]
    _put(made.sent, back, usual.of(back))
    _put(made.safe, back, usual.of(back))
    made.returned[back] = True


def _allow(
    made: Decision, options: Options, places: Places, left: Index, certify: Certify
) -> tuple[Index, Callable[[int, Index], Array]]:
    """Try options on the plants that are ``left``, and write the first certified of each into the decision, else the last one.

    Returns which of those left no option is certified for, and what room an option foretells some of those left.
    """
    m, count, (r, a, _), (rs, as_) = len(left), len(options.kept), places.safe.of(left), places.of(left)
    firsts = _flat(rs, as_, options.given, options.stopped)
    thens = _flat(rs, as_, options.followed, options.after)
    away = ((rs != r).any(axis=2) | (as_ != a).any(axis=2))[options.given] & (options.given != USUAL)[:, None]
    tried = certify(firsts, thens, np.concatenate([left] * count), away.ravel())
    found = tried.found.reshape(count, m)
    some = found.any(axis=0)
    turn = np.where(some, found.argmax(axis=0), count - 1)
    at, kept = turn * m + np.arange(m), (some & options.kept[turn])[:, None]
    taken = firsts.of(at)
    made.share[left], made.foreseen[left] = LET_THROUGH[options.given[turn]], tried.foreseen[at]
    made.returned[left] = options.given[turn] == USUAL
    _put(made.sent, left, taken)
    _put(made.then, left, thens.of(at))
    _put(made.safe, left, Command(np.where(kept, taken.r, r), np.where(kept, taken.a, a), np.zeros(m, dtype=bool)))
    return np.flatnonzero(~some), lambda option, which: tried.nearest(option % count * m + which)


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
