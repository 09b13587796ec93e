"""What a plant's closed loop comes to under held commands, in one compiled call for many plants in several variants.

Plants are taken a chunk of lanes at a time, so that the room for one chunk serves any number of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from plant_models.derive.interpreter import PLAIN_HEAD
from plant_models.derive.kernel import Kernel, load
from plant_models.derive.layout import COMPLETE, LANES, RUNNING, STRIDE
from plant_models.derive.vector_math import HEAD

LOOP = f"""
@plain
def foresee(S, P, E, N, W, k, substeps, rows, delayed, by_hand, plants, x, p, d, u, y, memory, v, was, r, a, safe, then_r, then_a,
            then_safe, decisions, lowest, sound, x_end, y_end):
    # Commands and what is found have a row for each of ``plants``, how plants stand one for each of all that there are.
    # ``rows`` are the first ones of x, u, y, memory, v, was, d, status, lowest, history in S, p in P, and d, d1, r, a, mode in E.
    n, variants = plants.shape[0], x.shape[1]
    last = d.shape[2] - 1
    for begin in range(0, n * variants, {LANES}):
        m = min({LANES}, n * variants - begin)
        for lane in range(m):
            e, j = (begin + lane) // variants, (begin + lane) % variants
            g = plants[e]
            q = g if p.shape[0] > 1 else 0
            for i in range(x.shape[2]):
                S[0, (rows[0] + i) * {STRIDE} + lane] = x[g, j, i]
            for i in range(u.shape[1]):
                S[0, (rows[1] + i) * {STRIDE} + lane] = u[g, i]
            for i in range(y.shape[1]):
                S[0, (rows[2] + i) * {STRIDE} + lane] = y[g, i]
            for i in range(memory.shape[1]):
                S[0, (rows[3] + i) * {STRIDE} + lane] = memory[g, i]
            for i in range(v.shape[1]):
                S[0, (rows[4] + i) * {STRIDE} + lane] = v[g, i]
            for i in range(was.shape[1]):
                S[0, (rows[5] + i) * {STRIDE} + lane] = was[g, i]
            for i in range(d.shape[3]):
                S[0, (rows[6] + i) * {STRIDE} + lane] = d[g, j, 0, i]
            for i in range(delayed.shape[0]):
                S[0, (rows[9] + i) * {STRIDE} + lane] = y[g, delayed[i]]
            S[0, rows[7] * {STRIDE} + lane] = {RUNNING}
            for i in range(p.shape[2]):
                P[0, (rows[10] + i) * {STRIDE} + lane] = p[q, j, i]
            for i in range(lowest.shape[2]):
                lowest[e, j, i] = np.inf
        for t in range(decisions):
            for lane in range(m):
                e, j = (begin + lane) // variants, (begin + lane) % variants
                for i in range(d.shape[3]):
                    E[0, (rows[11] + i) * {STRIDE} + lane] = d[plants[e], j, min(t, last), i]
                    E[0, (rows[12] + i) * {STRIDE} + lane] = d[plants[e], j, min(t + 1, last), i]
                if t < 2:
                    for i in range(r.shape[1]):
                        E[0, (rows[13] + i) * {STRIDE} + lane] = r[e, i] if t == 0 else then_r[e, i]
                    for i in range(a.shape[1]):
                        E[0, (rows[14] + i) * {STRIDE} + lane] = a[e, i] if t == 0 else then_a[e, i]
                    stopped = safe[e] if t == 0 else then_safe[e]
                    for i in range(by_hand.shape[0]):
                        E[0, (rows[15] + i) * {STRIDE} + lane] = by_hand[i] if stopped else 0.0
            closed_loop(S, P, E, N, W, k[:m], 1, substeps)
            for lane in range(m):
                e, j = (begin + lane) // variants, (begin + lane) % variants
                for i in range(lowest.shape[2]):
                    reached = S[0, (rows[8] + i) * {STRIDE} + lane]
                    # Not min(): what is not a number must stay one.
                    if not reached >= lowest[e, j, i]:
                        lowest[e, j, i] = reached
        for lane in range(m):
            e, j = (begin + lane) // variants, (begin + lane) % variants
            status = S[0, rows[7] * {STRIDE} + lane]
            good = status == {RUNNING} or status == {COMPLETE}
            for i in range(lowest.shape[2]):
                good = good and math.isfinite(lowest[e, j, i])
            sound[e, j] = good
            for i in range(x.shape[2]):
                x_end[e, j, i] = S[0, (rows[0] + i) * {STRIDE} + lane]
            for i in range(y.shape[1]):
                y_end[e, j, i] = S[0, (rows[2] + i) * {STRIDE} + lane]
"""


@cache
def foresight(of: Kernel) -> Callable[..., None]:
    """Return ``foresee`` for a kernel, compiled where it is new, and loaded once a process."""
    head = HEAD if of.compiled else PLAIN_HEAD
    module = load(f"{head}# {of.name}\n\n{LOOP}")
    vars(module)["closed_loop"] = of.closed_loop
    found: Callable[..., None] = module.foresee
    return found
