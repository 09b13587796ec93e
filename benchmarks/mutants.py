"""Whether tests notice a fault in what they test: each comparison, condition, number and finiteness check is made wrong in turn.

``python -m benchmarks.mutants controller/safety/limiter.py --tests tests/unit/test_limiter.py --json`` prints how many mutants
were made, how many the tests killed, and the survivors. The tests run in a copy of the working tree, which is left alone.
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from benchmarks.provenance import report
from plant_models.core.errors import BadInput

ROOT = Path(__file__).resolve().parents[1]
OPERATORS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}  # fmt: skip
"""What a comparison is turned into: the neighbour that differs at the threshold only, and the opposite."""
NAMES = {"all": "any", "min": "max", "minimum": "maximum", "ceil": "floor"}
SWAPPED = NAMES | {other: name for name, other in NAMES.items()}
"""Functions that are taken one for the other."""
PATIENCE = 10.0
"""Times the duration of the tests without a fault, after which a mutant hangs and is dead."""


@dataclass(frozen=True)
class Mutant:
    """A module with one fault: where it is, what was made of what, and the whole source."""

    where: str
    change: str
    source: str


class _Swap(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> Any:
        return self._new if node is self._old else self.generic_visit(node)


def mutants(source: str, name: str) -> Iterator[Mutant]:
    """Make every mutant of a module; types are left alone."""
    tree = ast.parse(source)
    ignored = {id(part) for node in ast.walk(tree) for hint in _hints(node) for part in ast.walk(hint)}
    conditions = {id(test) for node in ast.walk(tree) for test in _tests(node)}
    for node in [each for each in ast.walk(tree) if isinstance(each, ast.expr) and id(each) not in ignored]:
        for other in _faults(node, id(node) in conditions):
            change = f"{ast.unparse(node)} -> {ast.unparse(other)}"
            _Swap(node, other).visit(tree)
            yield Mutant(f"{name}:{node.lineno}", change, ast.unparse(tree))
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


def _calls(node: ast.Call) -> Iterator[ast.expr]:
    """Make a check of finiteness say yes always, and take a function for its counterpart."""
    called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
    if called == "isfinite":
        yield ast.BinOp(node, ast.BitOr(), ast.Constant(True))
    elif called in SWAPPED and isinstance(node.func, ast.Attribute):
        yield ast.Call(ast.Attribute(node.func.value, SWAPPED[called]), node.args, node.keywords)
    elif called in SWAPPED:
        yield ast.Call(ast.Name(SWAPPED[called]), node.args, node.keywords)


def _copied(to: Path) -> None:
    """Copy what git knows, and what is new and not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, to / name)


def _passed(where: Path, tests: list[str], seconds: float | None, keep: bool = False) -> bool:
    """Return whether the tests pass within some seconds; ``keep`` what is compiled, which must not be that of a mutant."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = os.environ | ({} if keep else {"PYTHONDONTWRITEBYTECODE": "1"})
    try:
        done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    if done.returncode not in (0, 1, 2):
        raise BadInput(f"{' '.join(tests)}: pytest could not run them: {done.stdout[-200:]}{done.stderr[-200:]}")
    return done.returncode == 0


def _patience(where: Path, modules: list[str], tests: list[str]) -> float:
    """Return how long a run may take, s, having seen to it that the tests pass and that they use each module of the copy."""
    begun = time.monotonic()
    if not _passed(where, tests, None, keep=True):
        raise BadInput(f"{' '.join(tests)}: fail without a fault; mend them first")
    took = time.monotonic() - begun
    for module in modules:
        _written(where, module, "raise ImportError")
        if _passed(where, tests, None):
            raise BadInput(f"{module}: not used by {' '.join(tests)}; name the tests of this module")
        shutil.copyfile(ROOT / module, where / module)
    return PATIENCE * took


def _written(where: Path, module: str, source: str) -> None:
    (where / module).write_text(source)
    Path(cache_from_source(str(where / module))).unlink(missing_ok=True)


def measure(modules: list[str], tests: list[str], seconds: float) -> dict[str, Any]:
    """Return the mutants ``made``, ``killed`` and left out (``not_run``), the latter for want of time, and the ``survivors``."""
    made = [(module, mutant) for module in modules for mutant in mutants((ROOT / module).read_text(), module)]
    survivors, run, end = [], 0, time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        _copied(where)
        patience = _patience(where, modules, tests)
        for module, mutant in made:
            if time.monotonic() > end:
                break
            run += 1
            _written(where, module, mutant.source)
            if _passed(where, tests, patience):
                survivors.append(f"{mutant.where}: {mutant.change}")
            shutil.copyfile(ROOT / module, where / module)
    return {"made": len(made), "killed": run - len(survivors), "not_run": len(made) - run, "survivors": survivors}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="+", help="paths of modules, from the root on")
    parser.add_argument("--tests", nargs="+", required=True, help="paths of their tests")
    parser.add_argument("--seconds", type=float, default=1800.0, help="stop after this time")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    parser.add_argument("--out", type=Path, help="also write the JSON to this file")
    return parser.parse_args()


if __name__ == "__main__":
    options = _arguments()
    report(measure(options.modules, options.tests, options.seconds), options)
