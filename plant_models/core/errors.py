"""One exception tree: what a user can mend, what the numerics could not do, what a file failed to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SetpointError(Exception):
    """Base of every error this package raises on purpose; its text is one line for a user."""


class BadInput(SetpointError):
    """What was given is not allowed; the text says what was given, what is allowed and what to do."""


class UnknownName(BadInput):
    """A name that the catalogue does not hold; the text suggests the nearest."""


MANY = 10


def unknown(what: str, given: str, known: Iterable[str]) -> str:
    """Return one line that names what was given, the nearest known name and all that are allowed, or the nearest of many."""
    names = tuple(known)
    near = difflib.get_close_matches(given, names, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    if len(names) <= MANY:
        return f"unknown {what} {given!r}{hint} Known: {', '.join(names)}"
    close = difflib.get_close_matches(given, names, n=MANY, cutoff=0.0)
    return f"unknown {what} {given!r}{hint} Known: {', '.join(sorted(close))} and {len(names) - len(close)} more"


class InvalidFile(BadInput):
    """A file that cannot be used, as ``file: key: what was given, what is allowed``."""

    def __init__(self, file: object, key: str, problem: str) -> None:
        super().__init__(f"{file}: {key}: {problem}")


class InvalidAction(BadInput):
    """An action of the wrong shape or not finite; the environment's state is untouched."""


class IntegrationError(SetpointError):
    """Neither the kernel nor CVODES could integrate a step inside the plant's valid range."""
