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
HOLD, RETURN, STOP = (LAST, LAST, False, False, True), (USUAL, USUAL, False, False, True), (LAST, LAST, True, True, False)
WHOLE = {False: ((0, 0, False, False, True),), True: ((0, LAST, False, True, True),)}
"""The whole move, which a continuous plant holds, and a batch, as after all moves, follows with the safe action."""
SMALLER = {
    False: (
        (0, LAST, False, False, False),
        *((k, *then) for k in PARTS for then in ((k, False, False, True), (LAST, False, False, False))), HOLD,
    ),
    True: (*((k, LAST, False, True, True) for k in PARTS), HOLD),
}  # fmt: skip
"""What is tried where the whole move cannot be held: the largest share first, held before followed, and at last no move."""
RETREATS = (RETURN, (LAST, LAST, False, True, False), STOP)
"""How else the plant may retreat: the usual command first, the safe action at once last."""
REMAINS = Options.of(STOP, HOLD, RETURN)
"""Of what remains where nothing is certified, what foretells most room is sent."""
OPTIONS = {batch: len((*WHOLE[batch], *SMALLER[batch], *RETREATS)) for batch in (False, True)}
"""How many options there are in all."""


def stages(batch: bool, at_once: bool) -> tuple[Options, ...]:
    """Return what is tried one after the other on plants for which nothing is certified yet, or ``at_once`` on all.

    What is decided is the same, up to rounding: for many plants it is faster to look ahead at less, for few to look ahead once.
    """
    rows = WHOLE[batch], SMALLER[batch], RETREATS
    return (Options.of(*(row for part in rows for row in part)),) if at_once else tuple(Options.of(*part) for part in rows)


def decide(proposed: Command, safe: Command, usual: Command, tried: tuple[Options, ...], certify: Certify) -> Decision:
    """Return what to send ``n`` plants that are asked for ``proposed``, were last safe with ``safe``, and have a ``usual``."""
    places, left = Places(heard(proposed, safe), safe, usual), np.arange(len(safe.r))
    made, lost = _allow(tried[0], places, left, certify)
    for options in tried[1:]:
        left = left[lost]
        if not len(left):
            return made
        part, lost = _allow(options, places, left, certify)
        _put(made, left, part)
    if len(lost):
        _make_do(made, left[lost], places, certify)
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


def _make_do(made: Decision, lost: Index, places: Places, certify: Certify) -> None:
    """Write into the decision of plants for which nothing is certified that what foretells most room is sent."""
    count = len(REMAINS.kept)
    asked = _asked(REMAINS, *places.of(lost))
    unmoved = np.zeros(count * len(lost), dtype=bool)
    rooms = certify(*asked, np.tile(lost, count), unmoved).nearest(np.arange(len(unmoved))).reshape(count, -1)
    most = rooms.argmax(axis=0)
    made.share[lost], made.foreseen[lost] = UNCERTIFIED, np.nan
    made.sent.safe[lost[most > 0]] = False
    back = lost[most > 1]
    for command in (made.sent, made.safe):
        _put_command(command, back, places.usual.of(back))
    made.returned[back] = True


def _allow(options: Options, places: Places, left: Index, certify: Certify) -> tuple[Decision, Index]:
    """Return the decision for the plants that are ``left``, the first certified of these options for each, else the last.

    Beside it which of those left no option is certified for.
    """
    m, count, (r, a, _), (rs, as_) = len(left), len(options.kept), places.safe.of(left), places.of(left)
    firsts, thens = _asked(options, rs, as_)
    away = ((rs != r).any(axis=2) | (as_ != a).any(axis=2))[options.given] & (options.given != USUAL)[:, None]
    tried = certify(firsts, thens, np.tile(left, count), away.ravel())
    found = tried.found.reshape(count, m)
    some = found.any(axis=0)
    turn = np.where(some, found.argmax(axis=0), count - 1)
    at, kept, given = turn * m + np.arange(m), (some & options.kept[turn])[:, None], options.given[turn]
    sent = firsts.of(at)
    safe = Command(np.where(kept, sent.r, r), np.where(kept, sent.a, a), np.zeros(m, dtype=bool))
    decision = Decision(sent, LET_THROUGH[given], safe, thens.of(at), tried.foreseen[at], given == USUAL)
    return decision, np.flatnonzero(~some)


def _asked(options: Options, r: Array, a: Array) -> tuple[Command, Command]:
    """Return the commands given and followed of all options, one option after the other, by setpoints and offsets at places."""
    return _flat(r, a, options.given, options.stopped), _flat(r, a, options.followed, options.after)


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


def copied(command: Command) -> Command:
    """Return a command that shares no memory with this one."""
    return Command(command.r.copy(), command.a.copy(), command.safe.copy())


def _put(into: Decision, plants: Index, made: Decision) -> None:
    for whole, part in ((into.sent, made.sent), (into.safe, made.safe), (into.then, made.then)):
        _put_command(whole, plants, part)
    into.share[plants], into.foreseen[plants], into.returned[plants] = made.share, made.foreseen, made.returned


def _put_command(into: Command, plants: Index, command: Command) -> None:
    for part, values in zip(into, command, strict=True):
        part[plants] = values
