"""Where a shield cannot vouch for the limits: much of what the PID layer does by itself gets no certificate."""

from __future__ import annotations

from controller.safety.calibration import UNSURE


def helpless(uncertified: float) -> str:
    """Return what a user has to hear where so much of what the PID layer does gets no certificate; empty where it is little."""
    share = f"in {100.0 * uncertified:.0f} % of what the PID layer does"
    return f"{share} the shield can certify nothing: there it cannot say that any limit is kept" if uncertified > UNSURE else ""
