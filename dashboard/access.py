"""What this dashboard lets its users change, as one object that every page asks before it does so."""

from __future__ import annotations

from dataclasses import dataclass

from plant_models.core.errors import BadInput

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Access:
    """Who may do what: ``operator`` allows changes, ``loopback`` says that only this machine is served."""

    operator: bool = False
    loopback: bool = True

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
