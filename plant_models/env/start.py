"""How a plant stands when its episode begins: the kernel's columns, worked out for many episodes at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plant_models.core.loop import Loop, coefficients
from plant_models.core.plant import Plant
from plant_models.core.quantity import Quantity
from plant_models.core.scenario import Array
from plant_models.derive.layout import HELD, LIMITS, Layout, scheduled
from plant_models.env.scenario import Episodes

SETTINGS = ("coefficients", "feedforward", "limits", "advance")


@dataclass(frozen=True)
class Settings:
    """The rows of the PID layer that an episode fixes: ``coefficients``, ``feedforward``, ``limits``, ``advance``."""

    coefficients: Array
    feedforward: Array
    limits: Array
    advance: Array

    @classmethod
    def of(cls, plant: Plant, loops: tuple[Loop, ...], advance: int) -> Settings:
        """Work out the rows of declared loops, (rows, 1)."""
        h = plant.loop_period
        gains = [loop.gains for loop in loops]
        c = [number for g in gains for number in coefficients(g.K_c, g.T_i, g.T_d, g.b, g.setpoint, h)]
        for own, given in zip(plant.loops, loops, strict=True):
            if own.schedule:
                c += given.schedule.column if given.schedule else own.schedule.without
        feedforward = [gain for g in gains for _, gain in g.disturbance]
        limits = [bound for loop in loops for bound in (loop.low, loop.high)]
        return cls(*(np.reshape(np.asarray(rows, dtype=float), (-1, 1)) for rows in (c, feedforward, limits, [advance])))


@dataclass(frozen=True)
class Starts:
    """Episodes, the sample ``at`` which each begins (n,), and the first columns of ``S`` and ``P``, (n, rows)."""

    episodes: Episodes
    at: NDArray[np.intp]
    S: Array
    P: Array

    def __len__(self) -> int:
        return len(self.episodes)

    def __getitem__(self, which: slice | NDArray[np.intp]) -> Starts:
        """Return some of the starts."""
        return Starts(self.episodes[which], self.at[which], self.S[which], self.P[which])


def starts(layout: Layout, episodes: Episodes, settings: Settings | None = None, at: NDArray[np.intp] | None = None) -> Starts:
    """Work out how episodes begin: at nominal inputs, loops in automatic; by default at their first sample."""
    plant, n = episodes.plant, len(episodes)
    chosen = settings or Settings.of(plant, episodes.loops, plant.advance)
    first = np.zeros(n, dtype=np.intp) if at is None else at
    P = np.empty((n, layout.P.size))
    P[:, layout.P["p"]] = episodes.parameters
    for part in SETTINGS:
        P[:, layout.P[part]] = getattr(chosen, part).T
    P[:, layout.P["delay"]] = episodes.delays
    return Starts(episodes, first, _state(layout, episodes, chosen, first), P)


def _state(layout: Layout, episodes: Episodes, settings: Settings, at: NDArray[np.intp]) -> Array:
    plant, now = episodes.plant, episodes.exogenous[np.arange(len(episodes)), at]
    d = now[:, : len(plant.Disturbance.names())]
    clean, y = _measurement(episodes, d, at)
    S = np.zeros((len(episodes), layout.S.size))
    parts: dict[str, Any] = {
        "x": episodes.initial, "u": np.array(list(plant.Input.nominal())), "d": d, "y": y, "lowest": np.inf,
        "memory": _memory(plant, y), "base": _bases(episodes, settings, now),
        "history": _history(layout, plant, clean),
    }  # fmt: skip
    for part, values in parts.items():
        S[:, layout.S[part]] = values
    return S


def _measurement(episodes: Episodes, d: Array, at: NDArray[np.intp]) -> tuple[Array, Array]:
    """Return the outputs as they are and as instruments show them; one that is held from the start shows the truth."""
    plant, n = episodes.plant, len(episodes)
    clean = plant.outputs(plant.State.of(list(episodes.initial.T)), plant.Input.nominal(),
                          plant.Disturbance.of(list(d.T)), plant.Parameter.of(list(episodes.parameters.T)))  # fmt: skip
    y = np.stack([np.broadcast_to(value, (n,)) for value in clean], axis=1)
    added = episodes.noise[np.arange(n), at * plant.loops_per_decision, : y.shape[1]]
    return y, y + np.where(added < HELD, added, 0.0)


def _history(layout: Layout, plant: Plant, y: Array) -> Array:
    columns = [plant.Output.names().index(name) for name, periods in layout.delayed for _ in range(periods)]
    return y[:, columns]


def _memory(plant: Plant, y: Array) -> Array:
    columns, zero = [], np.zeros(len(y))
    for loop in plant.loops:
        output = plant.Input.quantities()[loop.mv].nominal if loop.mv else _slave(plant, loop).nominal
        columns += [zero, zero, y[:, plant.Output.names().index(loop.pv)], zero + output, zero]
    return np.stack([*columns, *(zero for _ in scheduled(plant))], axis=1)


def _slave(plant: Plant, loop: Loop) -> Quantity:
    return plant.Output.quantities()[plant.slave(loop).pv]


def _bases(episodes: Episodes, settings: Settings, now: Array) -> Array:
    """Before the first decision a master sends its reference, a slave its nominal setpoint."""
    plant, columns = episodes.plant, []
    masters, sent = list(plant.masters), now[:, episodes.references()]
    for loop in plant.acted:
        i = plant.loops.index(loop)
        nominal = np.full(len(episodes), plant.Output.quantities()[loop.pv].nominal)
        base = sent[:, masters.index(loop)] if loop in masters else nominal
        columns.append(np.clip(base, settings.limits[LIMITS * i], settings.limits[LIMITS * i + 1]))
    return np.stack(columns, axis=1) if columns else np.zeros((len(episodes), 0))
