"""The sessions that a server holds: a bounded number, each under a name that tells nothing."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable

from controller.live.session import Session
from plant_models.core.errors import BadInput, UnknownName

MOST = 6


class Sessions:
    """Sessions by name; what has ended is forgotten."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self._held = most, dict[str, Session]()
        self._beginning, self._lock = 0, threading.Lock()

    def begin(self, make: Callable[[], Session]) -> str:
        """Keep a new session and return its name; raises BadInput where there are as many as there may be."""
        with self._lock:
            self._forget()
            running = len(self._held) + self._beginning
            if running >= self._most:
                raise BadInput(f"{running} live sessions run already, {self._most} may; end one of them first")
            self._beginning += 1
        name = secrets.token_hex(4)
        try:
            session = make()
            with self._lock:
                self._held[name] = session
        finally:
            with self._lock:
                self._beginning -= 1
        return name

    def get(self, name: str) -> Session:
        """Return a session by name; raises UnknownName where it has ended or never was."""
        with self._lock:
            self._forget()
            if name not in self._held:
                raise UnknownName(f"live session {name[:20]!r}: it has ended; start another one")
            return self._held[name]

    def all(self) -> dict[str, Session]:
        """Return those that run, the oldest first."""
        with self._lock:
            self._forget()
            return dict(self._held)

    def end(self, name: str) -> None:
        """End a session; raises UnknownName where there is none of that name."""
        self.get(name).end()

    def _forget(self) -> None:
        self._held = {name: session for name, session in self._held.items() if session.alive}
