"""Control changes hands without a bump: a policy that takes over moves the command to its own over some decisions.

The other way needs nothing here. At the levels ``setpoint`` and ``absolute`` the PID layer never stops: it holds the command, and
its integral follows what was applied. A loop that has not run, as at level ``direct``, is started from the output it finds by
:func:`plant_models.core.loop.align`.
"""

from __future__ import annotations

import numpy as np

from plant_models.core.scenario import Array

BLEND = 15
"""Decisions from the command that was found to the policy's own: with ten, a policy that asks for its whole authority moves the
pumps of the quadruple tank by 2.8 % of their span in the first one, with these by less than 2 %."""


def blended(wanted: Array, previous: Array, dwell: int) -> Array:
    """Return the command between the one applied last and the one wanted; ``dwell`` is 1 where the policy takes over.

    It goes by what was applied, not by what was asked for, so a command that was held back on the way is no bump either. A wanted
    command that stays is reached on a straight line. All have one shape and the same units; what is not finite stays so.
    """
    share = 1.0 / (1 + BLEND - min(max(dwell, 1), BLEND))
    return np.asarray((1.0 - share) * previous + share * wanted)
