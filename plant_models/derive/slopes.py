"""Slopes of a decision and of what instruments show, over states, unmeasured disturbances and uncertain parameters."""

from __future__ import annotations

import casadi as ca

from plant_models.core.plant import Plant
from plant_models.derive import symbolic
from plant_models.derive.prediction import Prediction, instants


def moved(model: Prediction, hidden: list[int], uncertain: list[int]) -> ca.Function:
    """Return the states after a decision, their slopes over states, disturbances and parameters, and those over noise.

    The slopes of the pieces are multiplied from the last to the first, so that there are never more rows than states.
    """
    nx, nz = len(model.plant.State.names()), model.z.size
    xi = ca.MX.sym("xi", nx + len(hidden) + len(uncertain))
    z, v, e, s = (ca.MX.sym(name, model.step.size1_in(i)) for i, name in enumerate("zves"))
    c, q, slopes = ca.vertcat(xi[:nx], z[nx:]), xi[nx:], list[list[ca.MX]]()
    control, substep = (_sloped(model, piece, hidden, uncertain) for piece in (model.pieces.control, model.pieces.substep))
    for seen, tau in instants(model.plant):
        c, *slope = control(c, v, e, s, 0.0, seen, tau, q)
        slopes.append(slope)
        for _ in range(model.substeps):
            c, *slope = substep(c, e, s, 0.0, tau, q)
            slopes.append(slope)
    left, over, noise = ca.MX(ca.DM.eye(nz)[:nx, :]), ca.MX(nx, q.numel()), list[ca.MX]()
    for A, B, *N in reversed(slopes):
        over += left @ B
        noise = [left @ N[0], *noise] if N else noise
        left @= A
    results = [c[:nx], ca.densify(ca.horzcat(left[:, :nx], over)), ca.densify(ca.horzcat(*noise))]
    return ca.Function("move", [xi, z, v, e, s], results)


def _sloped(model: Prediction, piece: ca.Function, hidden: list[int], uncertain: list[int]) -> ca.Function:
    """Return a piece on columns ``z``, with a further argument ``q`` for what is estimated beside the states, and its slopes.

    The slopes are those over ``z``, over ``q``, and over the noise of instruments where the piece reads them.
    """
    symbols = {name: ca.SX.sym(name, piece.size1_in(i)) for i, name in enumerate(piece.name_in())}
    q, z = ca.SX.sym("q", len(hidden) + len(uncertain)), ca.SX.sym("z", model.z.size)
    d, p = q[: len(hidden)], q[len(hidden) :]
    e, s = ca.SX(symbols["e"]), ca.SX(symbols["s"])
    for part in ("d", "d1"):
        e[model.e[part]] = _filled(e[model.e[part]], hidden, d)
    s[model.s["p"]] = _filled(s[model.s["p"]], uncertain, p)
    c = ca.vertcat(z, ca.SX.zeros(piece.numel_in(0) - z.numel()))
    after = piece(*(symbols | {"c": c, "e": e, "s": s}).values())[: z.numel()]
    over = [z, q, *([symbols["n"]] if "n" in symbols else [])]
    arguments = (symbols | {"c": z}).values()
    return ca.Function(piece.name(), [*arguments, q], [after, *(ca.jacobian(after, each) for each in over)])


def shown(plant: Plant, hidden: list[int], uncertain: list[int]) -> ca.Function:
    """Return the outputs and their slope over states, disturbances and parameters."""
    nx = len(plant.State.names())
    xi = ca.SX.sym("xi", nx + len(hidden) + len(uncertain))
    u, d, p = (ca.SX.sym(name, len(vector.names())) for name, vector in zip("udp", plant.arguments[1:], strict=True))
    filled = _filled(d, hidden, xi[nx : nx + len(hidden)]), _filled(p, uncertain, xi[nx + len(hidden) :])
    y = symbolic.outputs(plant, xi[:nx], u, *filled)
    return ca.Function("show", [xi, u, d, p], [y, ca.jacobian(y, xi)])


def _filled(column: ca.SX, places: list[int], values: ca.SX) -> ca.SX:
    whole = ca.SX(column)
    for k, place in enumerate(places):
        whole[place] = values[k]
    return whole
