"""The live page: from a key to the trend, decisions lost at a hundred times real time, and what five readers cost a training.

`python -m benchmarks.live` prints JSON; :func:`measured` is what `benchmarks/dashboard.py` takes over. Of several presses the
median is taken, and all are reported.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from selenium import webdriver

from benchmarks.browser import chromium
from controller.historian import Historian
from controller.policy import Policy
from plant_models.catalogue import get
from plant_models.core.plant import SECONDS
from plant_models.derive.kernel import kernel

ROOT = Path(__file__).resolve().parents[1]
PLANT, SPEED, BEAT = "exothermic_cstr", 100, 0.25
CLIENTS, ORDERED = 5, 5.0
"""Readers at a time, and the seconds between two orders of each."""
LIMITS = {"live: key to trend": (0.5, "s"), "live: decisions lost at 100x": (0.0, "decisions"),
          "live: training slowed by five readers": (10.0, "%")}  # fmt: skip


class Measured(NamedTuple):
    """What has a limit, ``{NAME: {value, limit, unit}}``, and what is reported beside it."""

    within: dict[str, dict[str, float | str]]
    beside: dict[str, Any]


PRESSED = """
const done = arguments[arguments.length - 1], plot = document.querySelector('#live-trend .js-plotly-plot');
const face = document.querySelector(".lv-face[data-twin='A'][data-loop='0']");
const begun = performance.now(), old = setpointLive.asked(0, 'A'), up = old < 0.88;
face.focus();
face.dispatchEvent(new KeyboardEvent('keydown', {key: up ? 'ArrowUp' : 'ArrowDown', bubbles: true}));
const wanted = setpointLive.pending[0].value;
(function look() {
  const line = plot.data.find(d => d.meta.kind === 'sp' && d.meta.twin === 'A').y;
  const path = plot.querySelectorAll('.scatterlayer path.js-line').length;
  const there = path && Math.abs(line[line.length - 1] - wanted) < 1e-5;
  requestAnimationFrame(there ? () => done((performance.now() - begun) / 1000) : look);
})();
"""
"""Presses an arrow key on a faceplate, and measures until the frame after the trend's last setpoint is the new one."""


def measured(presses: int = 20, seconds: float = 20.0, trainings: int = 3, steps: int = 300_000) -> Measured:
    """Measure everything: what has a limit, by name, and what is reported beside it."""
    with tempfile.TemporaryDirectory() as home, served(Path(home)) as address:
        with chromium() as driver:
            page = started(driver, address)
            keys = key_to_trend(driver, page, presses)
        lost = decisions_lost(page, seconds)
        slower = slowed(page, Path(home), trainings, steps)
    values = dict(zip(LIMITS, (statistics.median(keys), lost, slower["readers"]), strict=True))
    within: dict[str, dict[str, float | str]] = {
        name: {"value": round(value, 3), "limit": LIMITS[name][0], "unit": LIMITS[name][1]} for name, value in values.items()
    }
    beside = {
        "key to trend, s": [round(key, 3) for key in keys],
        "training slowed by one Chromium, %": round(slower["browser"], 1),
    }
    return Measured(within, beside)


@contextmanager
def served(home: Path) -> Iterator[str]:
    """Serve a dashboard over a store with a policy of random weights, which decides as fast as any; gives its address."""
    plant, rng = get(PLANT), np.random.default_rng(0)
    sizes = (len(kernel(plant, slow=True).observation.features), 32, 32, len(plant.acted))
    layers = tuple(
        ((0.1 * rng.standard_normal((after, before))).astype(np.float32), np.zeros(after, dtype=np.float32))
        for before, after in pairwise(sizes)
    )
    with Historian(str(home / "runs.db")) as store, store.run("train", PLANT, "ppo", 0, {}, {}) as run:
        store.finish(run, "completed", {})
    Policy(plant, "setpoint", layers).save(home / "setpoint" / "runs" / run / "policy")
    command = [sys.executable, "-m", "setpoint", "--store", str(home / "runs.db"), "dashboard", "--port", "0", "--json"]
    environment = os.environ | {"XDG_DATA_HOME": str(home), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            yield str(json.loads(_object(process.stdout))["address"])
        finally:
            process.terminate()


def _object(lines: Iterable[str]) -> str:
    """Read one JSON object that ends with its line."""
    text = ""
    for line in lines:
        text += line
        with suppress(ValueError):
            json.loads(text)
            break
    return text


def started(driver: webdriver.Chrome, address: str) -> str:
    """Start a session of PID and the policy by the form, and return the address of its page."""
    driver.get(f"{address}live?plant={PLANT}")
    until(lambda: driver.execute_script("return document.querySelectorAll('#live-start').length == 1"))
    time.sleep(2.0)
    driver.execute_script("document.getElementById('live-start').click()")
    until(lambda: driver.execute_script("return Boolean(window.setpointLive && setpointLive.last && setpointLive.trend.drawn)"))
    return driver.current_url.partition("?")[0]


def decisions_lost(page: str, seconds: float) -> float:
    """Return the decisions missing after so many seconds at a hundred times real time, and those that the clock waited for."""
    order(page, do="speed", value=SPEED)
    period = get(PLANT).decision * SECONDS[get(PLANT).time_unit] / SPEED
    order(page, do="run")
    begun, first = time.monotonic(), feed(page)
    time.sleep(seconds)
    last = feed(page)
    due = int((time.monotonic() - begun) / period) - 1
    order(page, do="pause")
    return max(0.0, float(due - (last["k"] - first["k"]))) + float(last["slowed"] - first["slowed"])


def key_to_trend(driver: webdriver.Chrome, page: str, presses: int) -> list[float]:
    """Return the seconds from each press of an arrow key to the new setpoint on the trend, while the twins run."""
    order(page, do="speed", value=SPEED)
    order(page, do="run")
    driver.set_script_timeout(30)
    found = []
    for _ in range(presses):
        time.sleep(0.9)  # longer than a press counts as the last one's successor
        found.append(float(driver.execute_async_script(PRESSED)))
    order(page, do="pause")
    return found


def slowed(page: str, folder: Path, trainings: int, steps: int) -> dict[str, float]:
    """Return by how many per cent five readers, and one Chromium, slow a training; each beside the same one alone, in turns."""
    speeds: dict[str, list[float]] = {"alone": [], "readers": [], "browser": []}
    training(folder, steps // 4)
    for _ in range(trainings):
        speeds["alone"].append(training(folder, steps))
        with readers(page):
            speeds["readers"].append(training(folder, steps))
        with chromium() as driver:
            driver.get(page)
            order(page, do="run")
            speeds["browser"].append(training(folder, steps))
            order(page, do="pause")
    alone = statistics.median(speeds["alone"])
    return {name: 100.0 * (1.0 - statistics.median(found) / alone) for name, found in speeds.items() if name != "alone"}


def training(folder: Path, steps: int) -> float:
    """Train PPO in a process of its own, and return its decisions a second."""
    command = [sys.executable, "-m", "setpoint", "--store", str(folder / "training.db"), "train", PLANT, "--steps", str(steps),
               "--out", str(folder / "policy"), "--json"]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1", "XDG_DATA_HOME": str(folder)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=environment)
    result = json.loads(done.stdout)
    return float(result["steps"] / result["seconds"])


@contextmanager
def readers(page: str) -> Iterator[None]:
    """Replay what so many open pages ask and order, the twins running at a hundred times real time."""
    code = "import sys; from benchmarks.live import read; read(sys.argv[1])"
    order(page, do="speed", value=SPEED)
    order(page, do="run")
    with subprocess.Popen([sys.executable, "-c", code, page], cwd=ROOT) as clients:
        try:
            yield
        finally:
            clients.terminate()
    order(page, do="pause")


def read(page: str, count: int = CLIENTS) -> None:
    """Ask as that many open pages do, in this process, until it is ended."""
    threads = [threading.Thread(target=_client, args=(page, k), daemon=True) for k in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _client(page: str, number: int) -> None:
    told, after, event, ordered = -1, -1, -1, time.monotonic() + number
    while True:
        with suppress(OSError):
            found = feed(page, told, after, event)
            if found:
                told, sample = found["n"], found["samples"]["A"]
                after = sample["first"] + len(sample["share"]) - 1
                event = max([event, *(line["e"] for line in found["events"])])
            if time.monotonic() - ordered > ORDERED:
                ordered = time.monotonic()
                order(page, do="setpoint", twins="AB", tag="AIC-101", value=0.87 + 0.002 * number)
        time.sleep(BEAT)


def feed(page: str, n: int = -1, after: int = -1, e: int = -1) -> Any:
    """Ask what is new; None where nothing is."""
    with urllib.request.urlopen(f"{_address(page)}/feed?n={n}&after={after}&e={e}", timeout=30) as answer:  # noqa: S310
        return None if answer.status == 204 else json.load(answer)


def order(page: str, **given: Any) -> None:
    """Have something done."""
    asked = urllib.request.Request(  # noqa: S310
        f"{_address(page)}/order", json.dumps(given).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(asked, timeout=30).close()  # noqa: S310


def _address(page: str) -> str:
    base, _, session = page.rpartition("/live/")
    return f"{base}/_live/{session}"


def until(condition: Callable[[], bool], seconds: float = 180.0) -> None:
    """Wait; raises TimeoutError."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"nothing came within {seconds:g} s")
        time.sleep(0.1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trainings", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300_000)
    given = parser.parse_args(arguments)
    found = measured(trainings=given.trainings, steps=given.steps)
    print(json.dumps({"within": found.within, **found.beside, "load average": os.getloadavg()[0]}, indent=1))


if __name__ == "__main__":
    main()
