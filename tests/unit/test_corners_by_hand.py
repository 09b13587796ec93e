"""Which corners are chosen, and how limits are compared, on numbers small enough to be worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from controller.safety import corners
from controller.safety.corners import Situations, Spread, further, scales, worst
from plant_models.catalogue import get
from plant_models.core.plant import hard, soft
from plant_models.core.scenario import Array
from plant_models.env.lookahead import Command, Standing

CSTR = get("exothermic_cstr")
LIMITED = replace(
    CSTR,
    margins=lambda x, u, d, p: {
        "first": hard(0.0 * x.T), "price": soft(x.T - x.T - 0.25), "second": hard(x.T - x.T - 0.5), "third": hard(x.T - x.T + 4.0)
    },
)  # fmt: skip
"""Three limits that must hold, and a soft one; two margins are below zero at the nominal point, one is nothing there."""
SPREAD = Spread(np.zeros((1, 2)), np.zeros((1, 1)), np.zeros(0))


def met(n: int, then: Command | None = None) -> Situations:
    """Return situations of which only the number matters."""
    x = np.arange(n, dtype=float)[:, None, None]
    rows = x[:, 0]
    sent = Command(rows, rows, rows[:, 0] > 0.0)
    return Situations(Standing(x, x, x[..., None], rows, rows, rows, rows, rows), np.arange(n), sent, then)


def situation(nominal: float, up: tuple[float, float, float], down: tuple[float, float, float]) -> list[float]:
    """Return the lowest margins by three entries: as it stands, each up, each down."""
    return [nominal, *up, *down]


def chosen(monkeypatch: pytest.MonkeyPatch, *limits: Array) -> list[list[float]]:
    """Return the corners of limits of which margins (situations, 7) were foreseen; the soft one would have one of its own."""
    price = np.full_like(limits[0], 9.0) - np.array([0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0])
    low = np.stack([limits[0], price, *limits[1:]], axis=2)
    monkeypatch.setattr(corners, "sensitivities", lambda *_: low)
    return [[int(sign) for sign in row] for row in worst(LIMITED, met(len(low)), SPREAD, 6)]


def test_every_limit_that_must_hold_has_its_corner_beside_the_nominal_plant(monkeypatch: pytest.MonkeyPatch) -> None:
    one = np.array([situation(5.0, (4.0, 5.0, 5.0), (6.0, 5.0, 5.0))])
    two = np.array([situation(5.0, (5.0, 6.0, 5.0), (5.0, 4.0, 5.0))])
    three = np.array([situation(5.0, (5.0, 5.0, 4.0), (5.0, 5.0, 6.0))])
    assert chosen(monkeypatch, one, two, three) == [[0, -1, 0], [0, 0, 0], [0, 0, 1], [1, 0, 0]]


def test_the_situations_nearest_as_the_plant_stands_tell_which_corner_is_the_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of five is near; the others are far as they stand, and near at an end, where the other direction is the worse one."""
    near = situation(1.0, (1.5, 1.0, 1.0), (0.5, 1.0, 1.0))
    far = situation(9.0, (0.0, 9.0, 9.0), (9.0, 9.0, 9.0))
    limit = np.array([near, *[far] * 4])
    assert chosen(monkeypatch, limit, limit, limit) == [[-1, 0, 0], [0, 0, 0]]


def test_what_is_worst_for_one_situation_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the one after it is near to, and of the limit that was asked for."""
    up, down = situation(5.0, (4.0, 5.0, 5.0), (6.0, 5.0, 5.0)), situation(5.0, (9.0, 5.0, 5.0), (1.0, 5.0, 5.0))
    low = np.stack([np.array([down, up, down]), np.array([up, down, down])], axis=2)
    monkeypatch.setattr(corners, "sensitivities", lambda *_: low)
    found = further(LIMITED, met(3), np.array([1, 0, 0]), SPREAD, 6)
    assert found.tolist() == [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]


def test_a_small_effect_is_one_where_there_is_no_larger() -> None:
    low = np.array([situation(5.0, (5.0 - 1e-6, 5.0, 5.0), (5.0 + 1e-6, 5.0, 5.0))])
    assert corners._direction(low).tolist() == [1.0, 0.0, 0.0]


def test_limits_are_compared_by_their_size_at_the_nominal_point_or_as_they_are() -> None:
    assert scales(LIMITED).tolist() == [1.0, 0.25, 0.5, 4.0]


def test_some_situations_are_picked_with_what_followed_or_without() -> None:
    which = np.array([True, False, True])
    alone = met(3).of(which)
    assert alone.then is None
    assert alone.phase.tolist() == alone.sent.r[:, 0].tolist() == alone.standing.x[:, 0, 0].tolist() == [0, 2]
    followed = met(3, Command(np.array([[7.0], [8.0], [9.0]]), np.zeros((3, 1)), np.zeros(3, dtype=bool))).of(which)
    assert followed.then is not None
    assert followed.then.r[:, 0].tolist() == [7.0, 9.0]
