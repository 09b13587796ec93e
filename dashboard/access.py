"""How the dashboard is served and what it lets its users change, as one object that every page asks before it does so."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from dataclasses import dataclass

from plant_models.core.errors import BadInput

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SHORTEST_TOKEN = 16  # characters


@dataclass(frozen=True)
class Access:
    """Where the dashboard is served, the token that opens it (none: ""), and whether its users may change things."""

    host: str = "127.0.0.1"
    token: str = ""
    operator: bool = False

    @property
    def loopback(self) -> bool:
        """Whether only this machine is served."""
        return self.host in LOOPBACK

    @property
    def twins(self) -> bool:
        """Whether the live page's simulated twins may be operated: they exist for one browser and change nothing else."""
        return self.operator or self.loopback

    def require_operator(self, what: str) -> None:
        """Raise BadInput unless the dashboard was started to change things; ``what`` names the change, as in "stop a run"."""
        if not self.operator:
            raise BadInput(f"{what}: this dashboard only shows; start it with `setpoint dashboard --operator` to allow it")

    def require_twins(self) -> None:
        """Raise BadInput where the simulated twins may not be operated."""
        if not self.twins:
            raise BadInput("operate the twins: allowed on this machine itself, elsewhere with `setpoint dashboard --operator`")

    def answers_to(self, name: str) -> bool:
        """Whether a browser may know the dashboard by this name or address.

        A name that was made to point here must not let a foreign page read through a browser; a bare address cannot be so made.
        """
        if self.loopback:
            return name in LOOPBACK
        return name in {*LOOPBACK, self.host, socket.gethostname(), socket.getfqdn()} or _is_address(name)


def access(host: str = "127.0.0.1", token: str = "", *, operator: bool = False) -> Access:
    """Access at ``host``; raises BadInput for a short token.

    A token is made where others than this machine are served, and where what is started runs as this user: a port of 127.0.0.1
    is open to every user of the machine.
    """
    if token and len(token) < SHORTEST_TOKEN:
        raise BadInput(f"token of {len(token)} characters: at least {SHORTEST_TOKEN}; leave it out to have one made")
    if not token and (operator or host not in LOOPBACK):
        token = secrets.token_urlsafe(24)
    return Access(host, token, operator)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
