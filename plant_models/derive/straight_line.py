"""A traced piece as a list of assignments, no name assigned twice, for whoever writes it down in a language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import casadi as ca


@dataclass(frozen=True)
class Assignment:
    """``name`` becomes the operation's result; ``constant`` is the value of a constant, for which there are no operands."""

    name: str
    operation: int
    operands: tuple[str, ...]
    constant: float | None = None


class StraightLine:
    """The assignments of a function in their order; inputs are called ``r0``, ``r1``, ...

    Registers that CasADi uses again get a name of their own each time: compilers are quadratic in what is assigned twice.
    """

    def __init__(self, f: ca.Function) -> None:
        self.assignments: Final = list[Assignment]()
        self.results: Final = dict[int, str]()
        """What each output is called at the end."""
        held = dict[int, str]()
        for k in range(f.n_instructions()):
            operation, inputs, outputs = f.instruction_id(k), f.instruction_input(k), f.instruction_output(k)
            if operation == ca.OP_INPUT:
                held[outputs[0]] = f"r{inputs[1]}"
            elif operation == ca.OP_OUTPUT:
                self.results[outputs[1]] = held[inputs[0]]
            else:
                constant = float(f.instruction_constant(k)) if operation == ca.OP_CONST else None
                operands = () if operation == ca.OP_CONST else tuple(held[i] for i in inputs)
                held[outputs[0]] = f"w{k}"
                self.assignments.append(Assignment(f"w{k}", operation, operands, constant))
