"""No plant claims a number that no test holds: by what the tests say, and, in one process, by what they did."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from plant_models.catalogue import get, usable
from tests.books.published import HELD

HERE = Path(__file__).parent
every_plant = pytest.mark.parametrize("name", usable())


def beside(name: str) -> list[Path]:
    """Return the files that hold a plant against its sources."""
    return sorted(HERE.glob(f"test_{name}*.py"))


def passed(file: Path) -> Iterator[str]:
    """Yield a pattern for every claim that a file passes to ``check``, with anything where a formatted string has a hole."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check":
            what = node.args[1]
            parts = what.values if isinstance(what, ast.JoinedStr) else [what]
            assert all(isinstance(part, ast.Constant | ast.FormattedValue) for part in parts), (
                f"{file.name}, line {node.lineno}: {ast.unparse(what)} given; a string or a formatted string allowed"
            )
            yield "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in parts)


@every_plant
def test_every_claim_is_passed_to_a_check(name: str) -> None:
    patterns = [pattern for file in beside(name) for pattern in passed(file)]
    untied = [claim.what for claim in get(name).reproduced if not any(re.fullmatch(p, claim.what) for p in patterns)]
    assert untied == []


@pytest.mark.skipif("PYTEST_XDIST_WORKER" in os.environ, reason="what other workers held is not known here")
def test_every_claim_was_held_in_this_run(request: pytest.FixtureRequest) -> None:
    """Of the plants whose tests are part of this run; exact where the patterns above have holes."""
    run = {item.path for item in request.session.items}
    claims = {(name, claim.what) for name in usable() if run & set(beside(name)) for claim in get(name).reproduced}
    assert claims - HELD == set()


@every_plant
def test_not_every_number_is_a_check_of_our_own(name: str) -> None:
    assert {claim.kind for claim in get(name).reproduced} - {"check"}


@every_plant
def test_every_claim_has_a_name_of_its_own(name: str) -> None:
    whats = [claim.what for claim in get(name).reproduced]
    assert len(set(whats)) == len(whats)
