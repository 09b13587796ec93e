"""Faults put into a module, one at a time: a comparison, condition, number or finiteness check made wrong, a corner left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

OPERATORS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}  # fmt: skip
"""What a comparison is turned into: the neighbour that differs at the threshold only, and the opposite."""
NAMES = {"all": "any", "min": "max", "minimum": "maximum", "ceil": "floor"}
SWAPPED = NAMES | {other: name for name, other in NAMES.items()}
"""Functions that are taken one for the other."""
CORNERS = 3
"""Corners that are left out in turn, as many as the reactor of the tests has with the nominal plant."""


@dataclass(frozen=True)
class Mutant:
    """A module with one fault: where it is, by number and ``within`` which text, what was made of what, and the source."""

    where: str
    within: str
    change: str
    source: str


class _Swap(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> Any:
        return self._new if node is self._old else self.generic_visit(node)


def mutants(source: str, name: str) -> Iterator[Mutant]:
    """Make every mutant of a module; types are left alone."""
    tree, lines = ast.parse(source), source.splitlines()
    ignored = {id(part) for node in ast.walk(tree) for hint in _hints(node) for part in ast.walk(hint)}
    conditions = {id(test) for node in ast.walk(tree) for test in _tests(node)}
    gone_through = {id(node.iter) for node in ast.walk(tree) if isinstance(node, ast.For | ast.comprehension)}
    for node in [each for each in ast.walk(tree) if isinstance(each, ast.expr) and id(each) not in ignored]:
        for other in (*_faults(node, id(node) in conditions), *_left_out(node, id(node) in gone_through)):
            change = f"{ast.unparse(node)} -> {ast.unparse(other)}"
            _Swap(node, other).visit(tree)
            line = lines[node.lineno - 1]
            column = node.col_offset + 1 - (len(line) - len(line.lstrip()))
            within = f"{name}: {line.strip()} :{column}: {change}"
            yield Mutant(f"{name}:{node.lineno}:{node.col_offset + 1}", within, change, ast.unparse(tree))
            _Swap(other, node).visit(tree)


def _hints(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
        yield node.returns
    if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
        yield node.annotation


def _tests(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.If | ast.IfExp | ast.While | ast.Assert):
        yield node.test
    if isinstance(node, ast.comprehension):
        yield from node.ifs


def _faults(node: ast.expr, condition: bool) -> Iterator[ast.expr]:
    """Make what may stand wrongly in place of an expression."""
    match node:
        case ast.Compare():
            for i, operator in enumerate(node.ops):
                for other in OPERATORS[type(operator)]:
                    yield ast.Compare(node.left, [*node.ops[:i], other(), *node.ops[i + 1 :]], node.comparators)
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
            yield ast.UnaryOp(ast.Not(), node)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
            yield ast.BinOp(node.left, ast.BitOr() if isinstance(node.op, ast.BitAnd) else ast.BitAnd(), node.right)
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            yield ast.Constant(value + 1)
        case ast.Call():
            yield from _calls(node)
    if condition and not isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp):
        yield ast.UnaryOp(ast.Not(), node)


def _left_out(node: ast.expr, gone_through: bool) -> Iterator[ast.expr]:
    """Leave out the first of what a loop goes through, a limit, an option, a part of a command, and of corners one in turn."""
    if gone_through:
        yield ast.Subscript(ast.Call(ast.Name("list"), [node], []), ast.Slice(ast.Constant(1)))
    if isinstance(node, ast.Attribute) and node.attr == "signs" and isinstance(node.ctx, ast.Load):
        yield from (ast.parse(f"np.delete({ast.unparse(node)}, {i}, axis=0)", mode="eval").body for i in range(CORNERS))


def _calls(node: ast.Call) -> Iterator[ast.expr]:
    """Make a check of finiteness say yes always, and take a function for its counterpart."""
    called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
    if called == "isfinite":
        yield ast.BinOp(node, ast.BitOr(), ast.Constant(True))
    elif called in SWAPPED and isinstance(node.func, ast.Attribute):
        yield ast.Call(ast.Attribute(node.func.value, SWAPPED[called]), node.args, node.keywords)
    elif called in SWAPPED:
        yield ast.Call(ast.Name(SWAPPED[called]), node.args, node.keywords)
