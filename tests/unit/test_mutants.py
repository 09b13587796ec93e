"""Mutants: what is made wrong in a module, one fault at a time, and that tests which do not use it are told apart."""

from __future__ import annotations

import ast

import pytest

from benchmarks.mutants import ROOT, measure, mutants
from plant_models.core.errors import BadInput

MODULES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "controller" / "safety").glob("*.py"))


def changes(source: str) -> set[str]:
    return {mutant.change for mutant in mutants(source, "module.py")}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", {"a < b -> a <= b", "a < b -> a >= b"}),
        ("a <= b == c", {"a <= b == c -> a < b == c", "a <= b == c -> a > b == c", "a <= b == c -> a <= b != c"}),
        ("a == b", {"a == b -> a != b"}),
        ("a is not None", {"a is not None -> a is None"}),
        ("a in b", {"a in b -> a not in b"}),
        ("a and b", {"a and b -> a or b", "a and b -> not (a and b)"}),
        ("not a", {"not a -> a"}),
        ("a & b", {"a & b -> a | b"}),
        ("np.isfinite(a).all()", {"np.isfinite(a).all() -> np.isfinite(a).any()", "np.isfinite(a) -> np.isfinite(a) | True"}),
        ("max(a)", {"max(a) -> min(a)"}),
        ("N = 3", {"3 -> 4"}),
        ("x = a if b else c", {"b -> not b"}),
        ("[a for a in b if c(a)]", {"c(a) -> not c(a)"}),
        ("def f(a: int | None) -> int | None:\n    return a", set()),
        ("a: int | None = b", set()),
        ("x = True", set()),
    ],
)  # fmt: skip
def test_each_fault_is_made_once_and_types_are_left_alone(source: str, expected: set[str]) -> None:
    assert changes(source) == expected


@pytest.mark.parametrize("module", MODULES)
def test_every_mutant_has_one_fault_and_is_a_module(module: str) -> None:
    source = (ROOT / module).read_text()
    plain = ast.unparse(ast.parse(source))
    made = list(mutants(source, module))
    assert len({mutant.source for mutant in made} - {plain}) == len(made)
    for mutant in made:
        compile(mutant.source, module, "exec")


def test_without_time_no_mutant_runs_and_the_module_is_as_it_was() -> None:
    module = "controller/safety/transfer.py"
    before = (ROOT / module).read_bytes()
    found = measure([module], ["tests/unit/test_transfer.py"], 0.0)
    assert found["made"] == found["not_run"] > 0
    assert (found["killed"], found["survivors"]) == (0, [])
    assert (ROOT / module).read_bytes() == before


@pytest.mark.slow
def test_tests_that_do_not_use_a_module_are_refused() -> None:
    with pytest.raises(BadInput, match=r"watchdog\.py: not used"):
        measure(["controller/safety/watchdog.py"], ["tests/unit/test_transfer.py"], 0.0)
