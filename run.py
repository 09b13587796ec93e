#!/usr/bin/env python3
"""Set the project up in .venv and run it: `python3 run.py demo`, `python3 run.py test`, `python3 run.py setpoint ARGS...`.

Needs Python 3.11 and nothing else: the standard library only, and a syntax that an older Python can read far enough to
be told so. What is done is not done again; a set-up that was cut short is mended by the same command.
"""

import argparse
import errno
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.lock"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "setpoint-install.txt"  # written last: the fingerprint of what the environment was made from
LOG = VENV / "setpoint-install.log"  # what pip said in the stage that ran last
PLAN = VENV / "setpoint-plan.json"  # pip's report of what it would install
CUDA_TAKEN = VENV / "setpoint-cuda-taken"  # a user wanted CUDA's packages: not asked again

OLDEST_PIP = (22, 3)  # the first with --python, which installs into an environment that has no pip of its own
NOT_PASSED_ON = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PYTHONPATH", "PYTHONHOME")
NO_SPACE = ("No space left on device", "Disk quota exceeded")
NO_NETWORK = re.compile(
    r"Connection refused|Connection reset|Connection aborted|Name or service not known|Temporary failure in name resolution"
    r"|No address associated|Network is unreachable|No route to host|timed out|Cannot connect to proxy|Tunnel connection failed"
    r"|CERTIFICATE_VERIFY_FAILED|Failed to resolve|Failed to establish a new connection"
)


def platform_problem(system: str, major: int, minor: int) -> str:
    """Says in one line what this Python lacks; empty when nothing."""
    if (major, minor) < (3, 11):
        return f"this is Python {major}.{minor}, and 3.11 or newer is needed: start it with a newer one, e.g. python3.11 run.py"
    return "" if system == "posix" else "this needs Linux or macOS: on Windows, run it in WSL"


if platform_problem(os.name, *sys.version_info[:2]):  # before an older Python trips over the annotations below
    sys.stderr.write(f"run.py: {platform_problem(os.name, *sys.version_info[:2])}\n")
    sys.exit(2)


class SetupError(Exception):
    """What stops the set-up, as one line for the user."""


class Stage:
    """One line on standard error per stage: rewritten in place on a terminal, else said at the start and at the end."""

    def __init__(self, title: str) -> None:
        self.title, self.start, self.live = title, time.monotonic(), sys.stderr.isatty()
        self._say("...", "" if self.live else "\n")

    def tick(self, detail: str) -> None:
        """Shows on a terminal how far the stage is."""
        if self.live:
            self._say(detail or "...", "")

    def end(self, detail: str = "done") -> None:
        """Leaves the stage's last line standing."""
        self._say(detail, "\n")

    def _say(self, detail: str, end: str) -> None:
        line = f"[{time.monotonic() - self.start:3.0f} s] {self.title}: {detail}"
        sys.stderr.write((f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}" if self.live else line) + end)
        sys.stderr.flush()


def clean_environment(environment: dict[str, str]) -> dict[str, str]:
    """The environment without what sends packages elsewhere or puts other code before ours; pip's index settings stay."""
    return {name: value for name, value in environment.items() if name not in NOT_PASSED_ON}


def fingerprint() -> str:
    """What the environment depends on, as one hash: versions, metadata and where the checkout lies."""
    parts = [LOCK.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def succeeds(code: str) -> bool:
    """Whether the environment's Python is there and runs these lines."""
    try:
        return subprocess.run([PYTHON, "-I", "-c", code], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def is_ready() -> bool:
    """Whether nothing has to be done."""
    return STAMP.is_file() and STAMP.read_text(encoding="utf-8") == fingerprint() and succeeds("import setpoint")


def make_venv() -> None:
    """Makes the environment, again when it is broken, and drops what a cut-short pip left half unpacked."""
    if not succeeds("import sys; sys.exit(sys.prefix == sys.base_prefix or sys.version_info < (3, 11))"):
        stage = Stage("making .venv")
        venv.EnvBuilder(clear=True, symlinks=True, with_pip=False).create(VENV)
        stage.end()
    for metadata in VENV.glob("lib/python*/site-packages/*.dist-info"):
        if not (metadata / "INSTALLER").exists():  # pip writes it after the package's files
            shutil.rmtree(metadata)


def diagnosis(said: str) -> str:
    """Why pip failed, in one line, from what it said."""
    check = "check the network, the proxy (HTTPS_PROXY) and pip's settings (PIP_INDEX_URL, PIP_CERT), then run the same command"
    broken = NO_NETWORK.findall(said)
    absent = re.findall(r"requirement (\S+) \(from versions: none\)", said)
    if any(text in said for text in NO_SPACE):
        return (
            f"the disk is full: free about 3 GB in {ROOT} and in the temporary folder {tempfile.gettempdir()}"
            " (TMPDIR names another), then run the same command"
        )
    if broken:
        return f"the package index cannot be reached ({broken[-1]}): {check}"
    if absent:
        return f"the package index cannot be reached, or has no {absent[-1]} for this Python: {check}"
    errors = re.findall(r"^ *(?:ERROR|error): (.+)$", said, re.MULTILINE)
    return f"pip says: {errors[-1] if errors else 'nothing'} (all of it is in {LOG})"


def progress(said: str, unpacked: int) -> str:
    """How far pip is, in a few words, from what it said so far."""
    if "Installing collected packages" in said:
        return f"{unpacked} packages unpacked"
    steps = re.findall(r"^ *(Collecting|Downloading|Processing|Using cached) (\S+)", said, re.MULTILINE)
    return f"{steps[-1][0].lower()} {steps[-1][1].split('/')[-1]}" if steps else ""


def pip(title: str, command: list[str]) -> None:
    """Runs pip with its words in the log and its progress on the screen; a failure becomes one line."""
    stage = Stage(title)
    command = [*command, "--no-input", "--no-user", "--disable-pip-version-check", "--progress-bar", "off"]
    environment = clean_environment(dict(os.environ))
    with LOG.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT, env=environment)
    try:
        while process.poll() is None:
            time.sleep(0.2)
            unpacked = len(list(VENV.glob("lib/python*/site-packages/*.dist-info")))
            stage.tick(progress(LOG.read_text(errors="replace"), unpacked))
    finally:
        process.terminate()
        process.wait()
    if process.returncode:
        stage.end("failed")
        raise SetupError(diagnosis(LOG.read_text(errors="replace")))
    stage.end()


def pip_version(python: str) -> tuple[int, ...]:
    """The version of an interpreter's pip; (0,) when it has none."""
    answer = subprocess.run([python, "-I", "-m", "pip", "--version"], capture_output=True, text=True, check=False).stdout
    numbers = re.match(r"pip (\d+)\.(\d+)", answer)
    return tuple(int(number) for number in numbers.groups()) if numbers else (0,)


def bring_pip() -> None:
    """Puts the lock's pip into the environment: older ones download every wheel only to say what they would install."""
    pin = re.findall(r"^pip==\S+", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    runner = [str(PYTHON), "-m", "pip"]
    if pip_version(str(PYTHON)) == (0,):
        if pip_version(sys.executable) >= OLDEST_PIP:
            runner = [sys.executable, "-m", "pip", "--python", str(PYTHON)]
        elif importlib.util.find_spec("ensurepip"):
            subprocess.run([PYTHON, "-I", "-m", "ensurepip"], capture_output=True, check=True)
        else:
            raise SetupError("this Python has no pip and cannot make one: on Debian or Ubuntu, sudo apt install python3-venv")
    pip("fetching pip", [*runner, "install", *pin])


def planned(report: str) -> tuple[list[str], list[str]]:
    """What pip's report would install: all names, and those that only a CUDA build of torch needs."""
    names = [str(package["metadata"]["name"]).lower() for package in json.loads(report)["install"]]
    return names, [name for name in names if re.match(r"(nvidia|cuda)-|(pytorch-)?triton$", name)]


def confirm_gpu(gpu: list[str], command: str) -> None:
    """Raises SetupError with the CPU-only remedy, unless a user at a terminal wants CUDA's packages."""
    remedy = (
        f"pip would fetch {len(gpu)} CUDA packages, several GB ({gpu[0]}, ...), and nothing here needs them: install torch from"
        " PyTorch's CPU wheel index first (see README: .venv/bin/python -m pip install torch==2.13.0 --index-url ...),"
        f" or take them with: python3 run.py {command} --gpu"
    )
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise SetupError(remedy)
    sys.stderr.write(f"run.py: {remedy}\nTake the CUDA packages? [y/N] ")
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise SetupError("stopped before the CUDA packages were fetched")


def wait_for_others() -> int:
    """Returns, once no other run.py sets this checkout up, a file descriptor that keeps the next one waiting until closed."""
    import fcntl

    descriptor = os.open(ROOT / "run.py", os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        stage = Stage("waiting for another run.py in this folder")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        stage.end()
    return descriptor


def install(gpu: bool, command: str) -> None:
    """Brings .venv to what the lock says, skipping what is there; the stamp is written last and in one piece."""
    make_venv()
    STAMP.unlink(missing_ok=True)
    bring_pip()
    runner = [str(PYTHON), "-m", "pip", "install"]
    pip("asking pip what is missing", [*runner, "--dry-run", "--report", str(PLAN), "-r", str(LOCK)])
    missing, cuda = planned(PLAN.read_text(encoding="utf-8"))
    if cuda and not gpu and not CUDA_TAKEN.exists():
        confirm_gpu(cuda, command)
    if cuda:
        CUDA_TAKEN.touch()
    if missing:
        pip(f"installing {len(missing)} packages, which takes minutes", [*runner, "-r", str(LOCK)])
    pip("installing setpoint itself", [*runner, "--no-deps", "--no-build-isolation", "-e", str(ROOT)])
    STAMP.with_suffix(".part").write_text(fingerprint(), encoding="utf-8")
    STAMP.with_suffix(".part").replace(STAMP)


def set_up(gpu: bool, command: str) -> None:
    """Returns at once when everything is there, else installs what is missing."""
    if is_ready():
        return
    if not os.access(ROOT, os.W_OK):
        raise SetupError(f"cannot write to {ROOT}: copy the project to a folder of your own and run it there")
    turn = wait_for_others()
    if not is_ready():
        install(gpu, command)
    os.close(turn)


def launch(command: str, arguments: list[str]) -> None:
    """Becomes the command, so that signals, the terminal and the exit code are its own."""
    target = [str(VENV / "bin" / "setpoint"), *(["demo"] if command == "demo" else []), *arguments]
    if command == "test":
        os.chdir(ROOT)
        target = [str(PYTHON), "-m", "pytest", "-n", "2", "--dist", "loadgroup", *arguments]
    os.execve(target[0], target, clean_environment(dict(os.environ)))  # noqa: S606


def options(arguments: list[str]) -> argparse.Namespace:
    """Reads run.py's own options; all that follows the command, but --gpu, belongs to the command."""
    parser = argparse.ArgumentParser(prog="run.py", description="Sets setpoint up in .venv, once, and runs it.")
    parser.add_argument("--gpu", action="store_true", help="take torch's CUDA packages, several GB")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    parser.add_argument("command", choices=("demo", "test", "setpoint"), help="the demonstration, the tests or the CLI")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on to the command")
    chosen = parser.parse_args(arguments)
    chosen.gpu = chosen.gpu or "--gpu" in chosen.arguments
    chosen.arguments = [argument for argument in chosen.arguments if argument != "--gpu"]
    return chosen


def main(arguments: list[str]) -> int:
    """Sets up, then becomes the command; returns, with an exit code, only when something is in the way."""
    chosen = options(arguments)
    try:
        set_up(chosen.gpu, " ".join([chosen.command, *chosen.arguments]))
        launch(chosen.command, chosen.arguments)
    except KeyboardInterrupt:
        sys.stderr.write("\nrun.py: stopped; the same command goes on from here\n")
        return 130
    except (SetupError, OSError, ValueError, subprocess.CalledProcessError) as error:
        if chosen.debug:
            raise
        full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
        sys.stderr.write(f"run.py: {diagnosis(NO_SPACE[0]) if full else error}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
