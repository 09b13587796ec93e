"""Mutants: what is made wrong in a module, one fault at a time, and that tests which do not use it are told apart."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.mutants import ROOT, SUITE, equivalents, measure
from benchmarks.mutation import mutants

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
        ("[a for a in b if c(a)]", {"c(a) -> not c(a)", "b -> list(b)[1:]"}),
        ("for a in b: c(a)", {"b -> list(b)[1:]"}),
        ("a = b.signs", {f"b.signs -> np.delete(b.signs, {i}, axis=0)" for i in range(3)}),
        ("b.signs = a", set()),
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


TRANSFER = "controller/safety/transfer.py"


def test_without_time_no_mutant_runs() -> None:
    found = measure({TRANSFER: ("tests/unit/test_transfer.py",)}, 0.0)
    assert found["made"] == found["not_run"] == found["modules"][TRANSFER] > 0
    assert (found["killed"], found["survivors"]) == (0, [])


def test_a_module_of_which_no_tests_are_known_is_refused() -> None:
    done = told(TRANSFER)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"{TRANSFER}: no tests are known of it" in done.stderr


def test_each_module_of_the_suite_and_its_tests_are_there() -> None:
    assert all((ROOT / path).is_file() for module, tests in SUITE.items() for path in (module, *tests))


def test_what_is_called_equivalent_is_a_mutant_of_today() -> None:
    made = [mutant.within for module in SUITE for mutant in mutants((ROOT / module).read_text(), module)]
    assert [made.count(each) for each in equivalents()] == [1] * len(equivalents())


def test_a_mutant_is_told_by_its_line_wherever_that_moves() -> None:
    first, moved = (next(mutants(source, "m.py")) for source in ("if x < 1:\n    pass", "import a\n\n\nif x < 1:\n    pass"))
    assert (first.where, moved.where) == ("m.py:1:4", "m.py:4:4")
    assert first.within == moved.within == "m.py: if x < 1: :4: x < 1 -> x <= 1"


@pytest.mark.slow
def test_tests_that_do_not_use_a_module_are_refused() -> None:
    done = told("controller/safety/watchdog.py", "--tests", "tests/unit/test_transfer.py")
    assert done.returncode == 2
    assert "watchdog.py: not used by tests/unit/test_transfer.py" in done.stderr


@pytest.mark.slow
def test_a_test_kills_the_mutants_that_it_notices_and_the_others_survive(tmp_path: Path) -> None:
    blind = tmp_path / "test_blind.py"
    blind.write_text("from controller.safety.transfer import BLEND\n\n\ndef test_blend() -> None:\n    assert BLEND == 15\n")
    before = (ROOT / TRANSFER).read_bytes()
    found = json.loads(told(TRANSFER, "--tests", str(blind), "--json").stdout)
    assert (found["killed"], found["not_run"], len(found["survivors"])) == (1, 0, found["made"] - 1)
    assert not any("15 -> 16" in each for each in found["survivors"])
    assert (ROOT / TRANSFER).read_bytes() == before
    assert json.loads(told(TRANSFER, "--tests", "tests/unit/test_transfer.py", "--json").stdout)["killed"] == found["made"]


def told(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmark as a program."""
    command = [sys.executable, "-m", "benchmarks.mutants", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
