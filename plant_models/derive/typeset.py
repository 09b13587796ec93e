"""A plant's balances set for print, from the very functions that are compiled: LaTeX, one line a state.

What the plant's file computes on the way under a name of its own is set as a quantity of this name, defined on a line below.
Lines that differ in nothing but a counted index, as those of a column's trays do, are one line over that index.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plant_models.core.plant import Plant
from plant_models.derive import signs
from plant_models.derive.families import Line, families, member, merged, together
from plant_models.derive.local_names import Call, Definition, Keys, Named, named
from plant_models.derive.written import Written

LEAST = 3
"""Operations from which what has a name in the file is set apart, unless it belongs to a family; a limit is as many."""
_RAMP = (
    r"\operatorname{ramp}\!\left(x, a, b\right) = s^{2} \, \left(3 - 2 \, s\right), \quad "
    r"s = \min\!\left(\max\!\left(\frac{x - a}{b - a}, 0\right), 1\right)"
)


def typeset(plant: Plant) -> tuple[str, ...]:
    """Return the time derivative of every state as LaTeX, and below them what they name."""
    keys, states = Keys(), plant.State.names()
    found = named(plant, keys)
    rates = {keys.of(e): state for state, e in zip(states, found.slopes, strict=True) if isinstance(e, Written) and not e.leaf}
    page = _Page(_apart(found, keys), rates, found.calls, keys)
    balances = [Line(state, page.line(e)) for state, e in zip(states, found.slopes, strict=True)]
    definitions = []
    for key in page.asked:  # grows while its definitions are set
        text, e = page.names[key]
        definitions.append(Line(text, page.line(e)))
    shared = {rates[key]: signs.marked(page.names[key][0]) for key in page.asked if key in rates}
    balances = [Line(state, shared.get(state, text)) for state, text in balances]
    lines = (*merged(balances, signs.rate), *merged(together(definitions), str))
    return (*lines, _RAMP) if any("ramp" in line for line in lines) else lines


class _Page:
    """Sets expressions, those that have a name by it; ``asked`` are the keys whose definitions are wanted, in this order."""

    def __init__(self, names: Mapping[int, Definition], rates: Mapping[int, str], calls: Mapping[int, Call], keys: Keys) -> None:
        self.names, self.asked = names, list[int]()
        self._rates, self._calls, self._keys = rates, calls, keys

    def line(self, e: Any) -> str:
        """Return one expression written out, its names marked."""
        return (self._written(e) if isinstance(e, Written) else signs.number(float(e)))[0]

    def _term(self, e: Any) -> signs.Term:
        if not isinstance(e, Written):
            return signs.number(float(e))
        key = self._keys.of(e)
        state = self._rates.get(key)
        if state is not None and self.names.get(key, (f"d{state}",))[0] == f"d{state}":
            return signs.rate(signs.marked(state)), signs.POWER
        if key not in self.names:
            return self._written(e)
        if key not in self.asked:
            self.asked.append(key)
        return signs.marked(self.names[key][0]), signs.ATOM

    def _written(self, e: Written) -> signs.Term:
        if e.leaf:
            return signs.marked(e.operands[0]), signs.ATOM
        call = self._calls.get(self._keys.of(e), Call(e.operation, e.operands))
        return signs.sign(call.function)(*map(self._term, call.arguments))


def _apart(found: Named, keys: Keys) -> dict[int, Definition]:
    """What is set apart: what is long enough, and whole families."""
    large = families(text for text, _ in found.names.values())

    def size(e: Any, most: int) -> int:
        """Operations of an expression written out, counted no further than ``most``."""
        if not isinstance(e, Written) or e.leaf:
            return 0
        call = found.calls.get(keys.of(e))
        count = LEAST if call else 1
        for part in call.arguments if call else e.operands:
            if count < most:
                count += size(part, most - count)
        return count

    return {key: (text, e) for key, (text, e) in found.names.items() if size(e, LEAST) >= LEAST or member(text)[0] in large}
