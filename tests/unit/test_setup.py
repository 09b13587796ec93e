"""run.py's judgement, one line for each thing that can be wrong, and the environment that it really made."""

from __future__ import annotations

import ast
import errno
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import setpoint

ROOT = Path(__file__).resolve().parents[2]
CUDA = re.compile(r"(nvidia|cuda)-|(pytorch-)?triton$")
REFUSED = (
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(\"HTTPSConnection(host='index', port=443):"
    " Failed to establish a new connection: [Errno 111] Connection refused\")': /simple/numpy/\n"
    "ERROR: No matching distribution found for numpy==2.4.6\n"
)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _pins() -> dict[str, Version]:
    """The lock's packages and versions."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): Version(version) for name, version in pairs}


def _report(*names: str) -> str:
    return json.dumps({"version": "1", "install": [{"metadata": {"name": name, "version": "1.0"}} for name in names]})


@pytest.fixture
def run(tmp_path: Path) -> ModuleType:
    """The module of a copy of run.py in a folder of its own, with the files it reads."""
    for name in ("run.py", "requirements.lock", "pyproject.toml", "setpoint.py"):
        shutil.copy(ROOT / name, tmp_path)
    spec = importlib.util.spec_from_file_location("run", tmp_path / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_old_python_can_read_far_enough_to_say_so(run: ModuleType) -> None:
    ast.parse((ROOT / "run.py").read_text(), feature_version=(3, 7))
    assert "3.10" in run.platform_problem("posix", 3, 10)
    assert "3.11 or newer" in run.platform_problem("posix", 3, 9)
    assert "WSL" in run.platform_problem("nt", 3, 12)
    assert run.platform_problem("posix", 3, 11) == ""


def test_the_users_index_passes_through_and_other_targets_do_not(run: ModuleType) -> None:
    kept = {"PIP_INDEX_URL": "a", "PIP_FIND_LINKS": "b", "PIP_CERT": "c", "HTTPS_PROXY": "d", "PATH": "e"}
    dropped = dict.fromkeys(("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PYTHONPATH", "PYTHONHOME"), "x")
    assert run.clean_environment(kept | dropped) == kept


@pytest.mark.parametrize("name", ["nvidia-cublas", "cuda-toolkit", "cuda-bindings", "triton", "NVIDIA-cudnn-cu13"])
def test_a_cuda_package_in_the_plan_is_seen(run: ModuleType, name: str) -> None:
    names, cuda = run.planned(_report("numpy", name, "torch"))
    assert len(names) == 3
    assert cuda == [name.lower()]


def test_a_plan_for_the_cpu_raises_no_alarm(run: ModuleType) -> None:
    assert run.planned(_report("numpy", "torch", "tritonclient", "barracuda")) == (
        ["numpy", "torch", "tritonclient", "barracuda"],
        [],
    )


def test_cuda_without_a_terminal_is_refused_in_one_line(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(run.SetupError, match=r"CPU wheel index .*torch==2\.13\.0.*python3 run\.py demo --gpu") as refusal:
        run.confirm_gpu(["nvidia-cublas", "triton"], "demo")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("answer", ["\n", "n\n", "", "what\n"])
def test_cuda_at_a_terminal_needs_a_yes(run: ModuleType, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr(sys, "stderr", _Terminal())
    monkeypatch.setattr(sys, "stdin", _Terminal("yes\n"))
    run.confirm_gpu(["triton"], "demo")
    monkeypatch.setattr(sys, "stdin", _Terminal(answer))
    with pytest.raises(run.SetupError, match="stopped before"):
        run.confirm_gpu(["triton"], "demo")


def test_gpu_is_read_on_either_side_of_the_command(run: ModuleType) -> None:
    assert run.options(["--gpu", "demo"]).gpu
    assert run.options(["demo", "--gpu", "--json"]).gpu
    assert run.options(["demo", "--gpu", "--json"]).arguments == ["--json"]
    assert run.options(["test", "-m", "slow"]).arguments == ["-m", "slow"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (REFUSED, r"package index cannot be reached \(Connection refused\).*PIP_INDEX_URL"),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n" + REFUSED,
            "disk is full.*TMPDIR",
        ),
        (
            "ERROR: Could not find a version that satisfies the requirement pip==26.3 (from versions: none)",
            "reached, or has no pip==26.3",
        ),
        ("ERROR: one\nERROR: No matching distribution found for torch==2.13.0\n", "pip says: No matching distribution.*log"),
    ],
)
def test_a_failed_pip_is_explained_in_one_line(run: ModuleType, said: str, told: str) -> None:
    line = run.diagnosis(said)
    assert re.search(told, line)
    assert "\n" not in line


def test_progress_says_what_pip_does(run: ModuleType) -> None:
    assert run.progress("", 0) == ""
    assert (
        run.progress("Collecting numpy==2.4.6\n  Downloading https://x/numpy-2.4.6.whl (16 MB)\n", 3)
        == "downloading numpy-2.4.6.whl"
    )
    assert run.progress("Collecting numpy\nInstalling collected packages: numpy\n", 40) == "40 packages unpacked"


def test_a_changed_lock_asks_for_a_new_installation(run: ModuleType) -> None:
    before = run.fingerprint()
    run.LOCK.write_text(run.LOCK.read_text() + "\nextra==1.0\n")
    assert run.fingerprint() != before


def test_a_package_left_half_unpacked_is_installed_again(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "succeeds", bool)
    packages = run.VENV / "lib" / "python3.11" / "site-packages"
    for name in ("whole-1.0.dist-info", "half-1.0.dist-info"):
        (packages / name).mkdir(parents=True)
    (packages / "whole-1.0.dist-info" / "INSTALLER").write_text("pip\n")
    run.make_venv()
    assert [path.name for path in packages.iterdir()] == ["whole-1.0.dist-info"]


def test_a_broken_environment_is_made_again(run: ModuleType) -> None:
    run.VENV.mkdir()
    (run.VENV / "bin").mkdir()
    run.PYTHON.symlink_to("gone")
    run.make_venv()
    assert run.succeeds("import sys; sys.exit(sys.prefix == sys.base_prefix)")


def test_without_any_pip_the_debian_package_is_named(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "pip_version", lambda python: (0,) if python else ())
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name else name)
    with pytest.raises(run.SetupError, match="apt install python3-venv"):
        run.bring_pip()


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [
        (KeyboardInterrupt(), 130, "stopped; the same command goes on"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", ".venv"), 2, "Permission denied: '.venv'"),
    ],
)
def test_every_end_is_one_line_and_a_code(
    run: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    raised: BaseException,
    code: int,
    told: str,
) -> None:
    def stop(gpu: bool, command: str) -> None:
        raise raised

    monkeypatch.setattr(run, "set_up", stop)
    assert run.main(["demo"]) == code
    said = capsys.readouterr().err.strip()
    assert told in said
    assert "\n" not in said


def test_without_a_network_the_index_is_named_not_the_distribution(run: ModuleType) -> None:
    offline = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "1"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    done = subprocess.run(
        [sys.executable, run.ROOT / "run.py", "demo", "--json"], env=kept | offline, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "run.py: the package index cannot be reached (Connection refused)" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_the_lock_holds_versions_and_no_addresses() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)
    assert _pins()["torch"] == Version("2.13.0")
    assert not [name for name in _pins() if CUDA.match(name)]


def test_the_lock_satisfies_the_metadata() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values(), ["hatchling", "editables", "pip"]]
    for requirement in (Requirement(text) for group in groups for text in group):
        assert _pins()[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_the_environment_is_the_lock() -> None:
    installed = {canonicalize_name(found.metadata["Name"]): Version(found.version) for found in metadata.distributions()}
    differing = {name: installed.get(name) for name, pin in _pins().items() if str(installed.get(name)).split("+")[0] != str(pin)}
    assert differing == {}
    assert installed["torch"] >= Version("2.8")


@pytest.mark.skipif((Path(sys.prefix) / "setpoint-cuda-taken").exists(), reason="CUDA's packages were asked for with --gpu")
def test_the_environment_holds_no_cuda_package() -> None:
    assert [name for found in metadata.distributions() if CUDA.match(name := canonicalize_name(found.metadata["Name"]))] == []


def test_nothing_hides_our_packages_here() -> None:
    assert setpoint.shadowed(ROOT) == ""


@pytest.mark.parametrize("theirs", ["dashboard.py", "controller.py", "plant_models/__init__.py"])
def test_a_users_own_module_of_the_same_name_is_named(tmp_path: Path, theirs: str) -> None:
    (tmp_path / theirs).parent.mkdir(exist_ok=True)
    (tmp_path / theirs).write_text("raise SystemExit('the module in the way was run')\n")
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-c", "import setpoint; setpoint.main()", "plants"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"setpoint: {tmp_path / theirs} is found in the place of setpoint's own package")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("asked", "taken"), [({}, "1"), ({"OMP_NUM_THREADS": "3"}, "3")])
def test_a_command_computes_in_one_thread_unless_more_are_asked_for(asked: dict[str, str], taken: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")} | asked
    script = "import atexit, os, setpoint; atexit.register(lambda: print(os.environ['OMP_NUM_THREADS'])); setpoint.main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "--version"], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == taken
