"""What is kept of each decision of a plant behind the shell: enough to repeat it bit for bit, and to tell an operator why."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from controller.safety.evidence import Finding
from controller.safety.given import Given, Numbers
from controller.safety.state import Mode
from controller.safety.watchdog import Answer
from plant_models.core.errors import BadInput


@dataclass(frozen=True)
class Sent:
    """A command as it was sent: setpoints ``r`` (masters), ``a`` (actions) in [-1, 1], or ``safe``: the plant's safe action."""

    r: Numbers
    a: Numbers
    safe: bool


@dataclass(frozen=True)
class Record:
    """One decision: what it was given, what was found, who decided, and what was sent.

    ``expected`` and ``spread`` are what readings were tested against, ``used`` what was gone by; ``statuses`` are NE 107's of
    outputs, then of inputs. The policy's answer is a ``finding``, an ``action`` (empty where there is none) and a ``detail``.
    ``share`` is how much of its move is certified, None where not even the backup's is. ``trips`` are the trip margins.
    ``reason`` says in an operator's words why the ``mode`` is what it is, ``words`` what else there is to know.
    """

    decision: int
    given: Given
    expected: Numbers
    spread: Numbers
    used: Numbers
    statuses: tuple[str, ...]
    finding: Finding
    action: Numbers
    detail: str
    share: float | None
    trips: Numbers
    mode: Mode
    sent: Sent
    reason: str
    words: tuple[str, ...]

    @property
    def answer(self) -> Answer:
        """The policy's answer as the shell took it, of one plant."""
        return Answer(self.finding, np.array([self.action]) if self.finding == "in time" else None, self.detail)

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON knows it: numbers that are not finite are words."""
        kept: dict[str, Any] = _worded(asdict(self))
        return kept


def packed(record: Record) -> str:
    """Return a record as one line of JSON, each number as it is to the last bit."""
    return json.dumps(record.as_json(), allow_nan=False)


def unpacked(text: str) -> Record:
    """Return the record of :func:`packed`.

    Raises:
        BadInput: where the text is no record.
    """
    try:
        parts = json.loads(text)
        given = {name: _numbers(value) for name, value in parts.pop("given").items()}
        sent = parts.pop("sent")
        rest = {name: _numbers(value) for name, value in parts.items()}
        return Record(given=Given(**given), sent=Sent(_numbers(sent["r"]), _numbers(sent["a"]), sent["safe"]), **rest)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadInput("a line that is no record of a decision; give lines as the shell wrote them") from error


def _worded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _worded(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_worded(part) for part in value]
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value


def _numbers(value: Any) -> Any:
    """Return lists as tuples, and the words for numbers that are not finite as those."""
    if isinstance(value, list):
        return tuple(_numbers(part) for part in value)
    return float(value) if value in ("nan", "inf", "-inf") else value
