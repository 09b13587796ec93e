"""Where a shield is of no use: what it cannot certify it cannot keep, least of all where the plant is run as usual."""

from __future__ import annotations

from controller.safety.calibration import UNSURE


def helpless(uncertified: float) -> str:
    """Return what a user has to hear where so much of what the PID layer does gets no certificate; empty where it is little."""
    share = f"in {100.0 * uncertified:.0f} % of what the PID layer does"
    return f"{share} the shield can certify nothing, and there it keeps no limit" if uncertified > UNSURE else ""
