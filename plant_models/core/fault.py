"""What goes wrong with instruments, valves and equipment, as a scenario declares it; drawn anew for each episode.

Sizes are in the quantity's unit, times in the plant's time unit. A fault with an onset begins at a moment drawn from the first
two thirds of the episode and stays; signs are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Noise:
    """An instrument ``factor`` times as noisy as declared."""

    output: str
    factor: float


@dataclass(frozen=True)
class Bias:
    """An instrument that reads up to ``size`` too much or too little from its onset."""

    output: str
    size: float


@dataclass(frozen=True)
class Drift:
    """An instrument whose error grows by up to ``rate`` per time unit from its onset."""

    output: str
    rate: float


@dataclass(frozen=True)
class Spike:
    """An instrument that at each reading errs by ``size``, up or down, with probability ``chance``."""

    output: str
    size: float
    chance: float


@dataclass(frozen=True)
class Stuck:
    """An instrument that shows its last reading from its onset, for ``time``."""

    output: str
    time: float


@dataclass(frozen=True)
class Dropout:
    """An instrument that at each reading falls silent with probability ``chance``, for ``time``; its last reading stands."""

    output: str
    chance: float
    time: float


@dataclass(frozen=True)
class Delay:
    """An instrument that shows what was true up to ``time`` ago: an analyser, or a slow link."""

    output: str
    time: float


@dataclass(frozen=True)
class Stiction:
    """A valve that moves only once its command is more than ``band`` away, and then jumps (He et al., 2007, J and S equal)."""

    input: str
    band: float


@dataclass(frozen=True)
class DeadBand:
    """A valve with a play of ``band``: on reversal its command travels that far before it follows."""

    input: str
    band: float


@dataclass(frozen=True)
class Jammed:
    """A valve that stays where it is from its onset, for ``time``."""

    input: str
    time: float


@dataclass(frozen=True)
class Fading:
    """A parameter that loses up to ``share`` of its value over the episode: fouling, or a catalyst that decays."""

    parameter: str
    share: float


Sensor: TypeAlias = Noise | Bias | Drift | Spike | Stuck | Dropout | Delay
Valve: TypeAlias = Stiction | DeadBand | Jammed
Timed: TypeAlias = Stuck | Dropout | Delay | Jammed
Fault: TypeAlias = Sensor | Valve | Fading
