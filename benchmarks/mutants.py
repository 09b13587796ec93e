"""Whether the tests notice a fault in the shell around a plant: each mutant of its modules is run against their tests.

``python -m benchmarks.mutants --json`` makes every mutant of every module of :data:`SUITE` and prints how many were made, how
many the tests killed, which are equivalent, why, and which survived. A mutant runs in a fork of a process in which the tests have
passed without a fault before, so that only they take time; nothing is written to the working tree. What became of each is kept by
everything it depends on: a run that was cut off goes on where it stopped.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.abc
import importlib.util
import os
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import pytest

from benchmarks.cells import kept, known
from benchmarks.mutation import Mutant, mutants
from benchmarks.provenance import report
from plant_models.core.errors import BadInput, SetpointError

ROOT = Path(__file__).resolve().parents[1]
SAFETY, UNIT, FAULTS = "controller/safety/", "tests/unit/test_", ("tests/faults/test_shell.py",)
SUITE: dict[str, tuple[str, ...]] = {
    f"{SAFETY}{module}.py": (*(f"{UNIT}{each}.py" for each in tests.split()), *faults)
    for module, tests, faults in (
        ("limiter", "limiter", ()),
        ("supervisor", "supervisor", ()),
        ("shield", "shield governor corners", ()),
        ("certifier", "certifier", ()),
        ("corners", "corners_by_hand corners governor", ()),
        ("governor", "governor corners", ()),
        ("shell", "shell_decisions", FAULTS),
    )
}
"""The tests of each module, those that are fastest first."""
EQUIVALENT = ROOT / "benchmarks" / "equivalent_mutants.toml"
PATIENCE, PAUSE = 10.0, 0.02
"""Times the duration of the tests without a fault after which a mutant hangs and is dead; seconds between looks at a fork."""
OURS = ("controller", "dashboard", "tests", "benchmarks")
"""Packages that are imported anew beside each mutant; what they compile stays in ``plant_models``, which no mutant changes."""
SHARED, COMPILED = "SETPOINT_TESTS_SHARED", ("kernels", "substeps")


class Source(importlib.abc.SourceLoader):
    """Loads a module from a source that is not its file's, though the module knows itself by its file."""

    def __init__(self, path: Path, source: str) -> None:
        self._path, self._source = path, source

    def get_filename(self, fullname: str) -> str:
        """Return the module's own file."""
        return str(self._path)

    def get_data(self, path: str | bytes) -> bytes:
        """Return the source."""
        return self._source.encode()


class Mutated(importlib.abc.MetaPathFinder):
    """Finds one module, a path from the root on, with another source than its file's."""

    def __init__(self, module: str, source: str) -> None:
        self._name, self._loader = module.removesuffix(".py").replace("/", "."), Source(ROOT / module, source)

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Find that module, and no other."""
        return importlib.util.spec_from_loader(fullname, self._loader) if fullname == self._name else None


@dataclass(frozen=True)
class Ended:
    """How tests ended: by what pytest returned, or -1 where they hung or the process died; what they said, and in how many s."""

    code: int
    said: str
    seconds: float


def measure(suite: dict[str, tuple[str, ...]], seconds: float) -> dict[str, Any]:
    """Return the mutants ``made``, ``killed``, ``equivalent`` with reasons, ``not_run`` for want of time, and the ``survivors``.

    Raises:
        BadInput: where tests fail without a fault, or do not use the module whose tests they are.
    """
    made = {module: list(mutants((ROOT / module).read_text(), module)) for module in suite}
    end, survivors, killed, excused = time.monotonic() + seconds, list[Mutant](), 0, equivalents()
    with _own_cache():
        for module, tests in suite.items():
            for mutant, dead in _judged(module, made[module], tests, end):
                killed += dead
                survivors += [] if dead else [mutant]
    total = sum(map(len, made.values()))
    return {
        "made": total, "killed": killed, "not_run": total - killed - len(survivors),
        "equivalent": {each.within: excused[each.within] for each in survivors if each.within in excused},
        "survivors": [f"{each.where}: {each.change}" for each in survivors if each.within not in excused],
        "modules": {module: len(each) for module, each in made.items()},
    }  # fmt: skip


def equivalents() -> dict[str, str]:
    """Return why mutants behave as the module does, by the text of the line, the column in it and the change."""
    found: dict[str, str] = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))
    return found


def _judged(module: str, made: list[Mutant], tests: tuple[str, ...], end: float) -> Iterator[tuple[Mutant, bool]]:
    """Yield of each mutant whether the tests kill it, as far as that is kept or there is time; they run first without a fault."""
    patience = None
    for mutant in made:
        depends = "".join([mutant.source, _code(), *((ROOT / test).read_text() for test in tests)])
        name = f"mutant-{Path(module).stem}"
        if known(name, depends) is None:
            if time.monotonic() > end:
                continue
            patience = patience or _patience(module, tests)
        yield mutant, bool(kept(name, depends, partial(_run, module, mutant, tests, patience))["killed"])


def _run(module: str, mutant: Mutant, tests: tuple[str, ...], patience: float | None) -> dict[str, Any]:
    return {"killed": _forked(module, mutant.source, tests, patience).code != 0}


@cache
def _code() -> str:
    """Return the text of what the shell and its plants are made of, and of what the tests share."""
    files = [path for package in (SAFETY, "plant_models") for path in sorted((ROOT / package).rglob("*.py"))]
    return "".join(path.read_text() for path in (*files, ROOT / "tests" / "safety.py", ROOT / "tests" / "conftest.py"))


@contextlib.contextmanager
def _own_cache() -> Iterator[None]:
    """Keep the user's cache from mutants, which take nothing from it but what is compiled; restore the environment."""
    before, home = dict(os.environ), Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    with tempfile.TemporaryDirectory() as folder:
        for name in COMPILED:
            (home / "setpoint" / name).mkdir(parents=True, exist_ok=True)
            (Path(folder) / "setpoint").mkdir(exist_ok=True)
            (Path(folder) / "setpoint" / name).symlink_to(home / "setpoint" / name)
        os.environ |= {"XDG_CACHE_HOME": folder, SHARED: folder}
        try:
            yield
        finally:
            os.environ.clear()
            os.environ |= before


def _patience(module: str, tests: tuple[str, ...]) -> float:
    """Return how long a run may take, s, having seen to it that the tests pass and that they use the module.

    They run in this process once, which keeps what is compiled and calibrated for its forks.
    """
    with _silent():
        first = pytest.main(_words(tests))
    if first:
        raise BadInput(f"{' '.join(tests)}: fail without a fault; mend them first")
    _forget(tests)
    plain = _forked(module, (ROOT / module).read_text(), tests, None)
    if plain.code:
        raise BadInput(f"{' '.join(tests)}: fail in a fork without a fault: {plain.said[-300:]}")
    if not _forked(module, "raise ImportError", tests, None).code:
        raise BadInput(f"{module}: not used by {' '.join(tests)}; name the tests of this module")
    return PATIENCE * plain.seconds


def _words(tests: tuple[str, ...]) -> list[str]:
    return [
        "-x",
        "-q",
        "-n0",
        "-p",
        "no:cacheprovider",
        "-c",
        str(ROOT / "pyproject.toml"),
        *(str(ROOT / test) for test in tests),
    ]


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        yield


def _forget(tests: tuple[str, ...]) -> None:
    """Forget the tests, and what is imported of the packages that may use a mutant; this module goes on from what it holds."""
    files = {str(ROOT / test) for test in tests}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in OURS or vars(module).get("__file__") in files:
            del sys.modules[name]


def _forked(module: str, source: str, tests: tuple[str, ...], patience: float | None) -> Ended:
    """Run tests in a fork in which a module has this source."""
    with tempfile.TemporaryFile() as said:
        begun, child = time.monotonic(), os.fork()
        if child == 0:
            _beside(Mutated(module, source), tests, said.fileno())
        code = _awaited(child, patience)
        said.seek(0)
        return Ended(code, said.read().decode(errors="replace"), time.monotonic() - begun)


def _beside(mutated: Mutated, tests: tuple[str, ...], said: int) -> NoReturn:
    """Run tests in this process and leave it, whatever happens."""
    code = -1
    try:
        os.setsid()
        os.dup2(said, 1)
        os.dup2(said, 2)
        sys.meta_path.insert(0, mutated)
        code = int(pytest.main(_words(tests)))
        sys.stdout.flush()
    finally:
        os._exit(code & 0xFF)


def _awaited(child: int, patience: float | None) -> int:
    """Return the code a process ends with; -1 where it dies otherwise, or is ended for want of patience."""
    end = time.monotonic() + patience if patience else None
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0xFF else -1
        if end and time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return -1
        time.sleep(PAUSE)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help="paths of modules, from the root on; all of the suite where none is given")
    parser.add_argument("--tests", nargs="+", help="paths of their tests; those of the suite where none is given")
    parser.add_argument("--seconds", type=float, default=3600.0, help="stop after this time")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    parser.add_argument("--out", type=Path, help="also write the JSON to this file")
    return parser.parse_args()


def _suite(modules: Sequence[str], tests: Sequence[str] | None) -> dict[str, tuple[str, ...]]:
    """Return the tests of each module that was named.

    Raises:
        BadInput: for a module without tests.
    """
    for module in modules:
        if not tests and module not in SUITE:
            raise BadInput(f"{module}: no tests are known of it; name them with --tests, or one of {', '.join(SUITE)}")
    return {module: tuple(tests or SUITE[module]) for module in modules or SUITE}


if __name__ == "__main__":
    options = _arguments()
    try:
        report(measure(_suite(options.modules, options.tests), options.seconds), options)
    except SetpointError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
