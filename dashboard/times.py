"""Units of time: the one in which a length of time reads best, and lengths as people write them."""

from __future__ import annotations

import re

from plant_models.core.plant import SECONDS as DECLARED

SECONDS = {**DECLARED, "d": 86400.0}
_LEAST = (("d", 3 * 86400.0), ("h", 5 * 3600.0), ("min", 300.0))
_WRITTEN = re.compile(r"(.*?)\s*(s|min|h|d)?", re.ASCII | re.IGNORECASE)


def best(length: float, unit: str) -> str:
    """The unit in which a length of time, given in ``unit``, reads best; an unknown unit stays."""
    if unit not in SECONDS:
        return unit
    seconds = length * SECONDS[unit]
    return next((name for name, least in _LEAST if seconds > least), "s")


def longer(length: float, unit: str) -> str:
    """Likewise, but never a shorter unit than the one that it is given in."""
    return max(best(length, unit), unit, key=lambda name: SECONDS.get(name, 0.0))


def factor(unit: str, to: str) -> float:
    """By what a time in ``unit`` is multiplied to be one in ``to``."""
    return SECONDS.get(unit, 1.0) / SECONDS.get(to, 1.0)


def real(text: str) -> float | None:
    """A number as it is typed, with a true minus or a comma too; None for what is no finite one."""
    try:
        value = float(text.replace("−", "-").replace(",", "."))
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


def read(text: str, unit: str) -> float | None:
    """A length of time in ``unit`` from a number alone or one with its unit, as "8 h"; None for what is neither."""
    found = _WRITTEN.fullmatch(text.strip())
    value = real(found[1]) if found else None
    return None if found is None or value is None else value * factor((found[2] or unit).lower(), unit)


def written(text: str, unit: str) -> str:
    """What was typed, with its unit where it had none."""
    return f"{text.strip()} {unit}" if real(text) is not None else text.strip()
