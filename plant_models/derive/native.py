"""CasADi functions as machine code, by the system's C compiler; where there is none, CasADi's virtual machine serves."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import casadi as ca

from plant_models.derive.cache import kept
from plant_models.derive.interpreter import compiles_nothing

COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-O1", "-ffp-contract=off", "-fPIC", "-shared")
"""More optimisation takes twice the time and gains nothing on straight-line code; contracted operations would round otherwise."""


def native(f: ca.Function, order: int = 0) -> ca.Function:
    """Return the function as machine code, with what reverse derivatives of ``order`` 1 or exact Hessians, 2, need.

    It is the function itself where there is no compiler, where the compiler fails, which is said, and where Numba is told to
    compile nothing.
    """
    compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None or compiles_nothing():
        return f
    text = source(f, order)
    key = "\n".join((text, *FLAGS, platform.machine()))
    name = f"{f.name()}_{hashlib.sha256(key.encode()).hexdigest()[:32]}.so"
    try:
        path = kept(name, partial(_compiled, compiler, text), partial(_loads, f.name()))
        return ca.external(f.name(), str(path))
    except (subprocess.CalledProcessError, RuntimeError) as error:
        sys.stderr.write(f"{f.name()} is not compiled, which is slower: {error}\n")
        return f


def source(f: ca.Function, order: int) -> str:
    """Return the function and its derivatives up to ``order`` in C."""
    generator = ca.CodeGenerator(f"{f.name()}.c")
    generator.add(f)
    if order > 0:
        generator.add(f.reverse(1))
    if order > 1:
        generator.add(f.reverse(1).forward(1))
    return str(generator.dump())


def _compiled(compiler: str, text: str) -> bytes:
    """Return the library.

    Raises:
        CalledProcessError: where the compiler fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        written, library = Path(folder) / "f.c", Path(folder) / "f.so"
        written.write_text(text)
        subprocess.run([compiler, *FLAGS, "-o", str(library), str(written), "-lm"], check=True, capture_output=True)
        return library.read_bytes()


def _loads(name: str, path: Path) -> bool:
    try:
        ca.external(name, str(path))
    except RuntimeError:
        return False
    return True
