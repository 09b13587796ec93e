"""How long the dashboard's pages take in headless Chromium, over a store of 1,000 runs and 50,000 episodes.

``python -m benchmarks.dashboard --json`` prints ``{"within": {NAME: {"value", "limit", "unit"}}, ...}``; ``--store FILE`` takes a
store that ``benchmarks.dashboard_store`` wrote before. A time runs from the click (or from the address, where a page is loaded)
to the frame after the one in which what was asked for stands on the page; of several repetitions the median is taken, and
``repetitions`` has them all. A browser shares the processor with whatever else runs: ``load average`` says with how much.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver

from benchmarks import live
from benchmarks.browser import chromium
from benchmarks.dashboard_store import EPISODES, LONG, RUNS, fill
from benchmarks.provenance import parser, report
from controller.historian import Historian

REPEATS = 5
SETTLED = 1.5  # s until a reader's hand is at the figure
LIMITS = {
    "overview, first useful paint": 2.0,
    "runs, sorted and filtered": 1.0,
    f"episode of {LONG} samples, opened": 1.0,
    f"episode of {LONG} samples, zoomed": 0.3,
    "comparison of 10 runs, opened": 1.5,
}
_UNTIL = """
const [action, seen, done] = [new Function(arguments[0]), new Function("return " + arguments[1]), arguments[2]];
const begun = performance.now();
action();
(function look() {
  let found = false;
  try { found = Boolean(seen()); } catch (early) { found = false; }
  const now = performance.now() - begun;
  if (found) { requestAnimationFrame(() => requestAnimationFrame(() => done((performance.now() - begun) / 1000))); }
  else if (now > 30000) { done(null); } else { setTimeout(look, 4); }
})();
"""
_GO = "window.history.pushState({}, '', %s); window.dispatchEvent(new CustomEvent('_dashprivate_pushstate'))"
_HEADING = "document.querySelector('h1') && document.querySelector('h1').textContent === %s"
_PLOT = "document.querySelector('.js-plotly-plot')"
_DRAWN = f"{_PLOT} && {_PLOT}.querySelectorAll('.scatterlayer .trace path.js-line').length > 3"
_ROWS = "document.querySelectorAll('.ag-center-cols-container .ag-row').length > 5"


class Reader:
    """Somebody at the browser, with a watch."""

    def __init__(self, driver: webdriver.Chrome, address: str) -> None:
        self._driver = driver
        self._address = address.rstrip("/")
        driver.set_script_timeout(60)
        driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})  # the watch is a script of ours

    def load(self, path: str, seen: str) -> float:
        """Load a page with nothing in the browser's cache; seconds until ``seen``."""
        self._driver.get("about:blank")
        self._driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        self._driver.get(self._address + path)
        self.act("", seen)
        return self._ms("performance.now()") / 1000

    def act(self, action: str, seen: str) -> float:
        """Seconds from an action until ``seen``; raises TimeoutError after 30 s."""
        taken = self._driver.execute_async_script(_UNTIL, action, seen)
        if taken is None:
            raise TimeoutError(f"nothing to see of {seen}")
        return float(taken)

    def go(self, path: str, seen: str) -> float:
        """Seconds from a click on a link inside the dashboard until ``seen``."""
        return self.act(_GO % json.dumps(path), seen)

    def home(self) -> None:
        """Back to the overview."""
        self.go("/", _HEADING % "'Overview'")

    def _ms(self, script: str) -> float:
        return float(self._driver.execute_script(f"return {script}"))


def measure(driver: webdriver.Chrome, address: str, ids: dict[str, Any], repeats: int = REPEATS) -> dict[str, list[float]]:
    """Every time of ``LIMITS`` as often as asked, in seconds, and beside them what has no limit of its own."""
    reader = Reader(driver, address)
    best = "document.querySelectorAll('[aria-label=\"best controller by plant\"] tbody tr').length > 1"
    names = list(LIMITS)
    times: dict[str, list[float]] = {names[0]: [reader.load("/", best) for _ in range(repeats)]}
    runs = "/runs?plant=exothermic_cstr&status=completed&sort=-best"
    times["runs, loaded from nothing"] = [reader.load(runs, _ROWS)]
    reader.home()
    for _ in range(repeats):
        times.setdefault(names[1], []).append(reader.go(runs, _ROWS))
        reader.home()
    episode = f"/runs/{ids['long_run']}?tab=episodes&episode={ids['long']}"
    for _ in range(repeats):
        times.setdefault(names[2], []).append(reader.go(episode, _DRAWN))
        time.sleep(SETTLED)
        times.setdefault(names[3], []).append(reader.act(*_zoom()))
        reader.home()
    for _ in range(repeats):
        times.setdefault(names[4], []).append(reader.go(f"/compare?runs={','.join(ids['ten'])}", _DRAWN))
        reader.home()
    return times


def _zoom() -> tuple[str, str]:
    """Zoom into a fiftieth of an episode; seen once that part has its own samples."""
    window = f"const g = {_PLOT}; const [a, b] = g._fullLayout.xaxis.range; const w = [a + 0.4 * (b - a), a + 0.42 * (b - a)];"
    inside = "window.__zoom = w; Plotly.relayout(g, {'xaxis.range[0]': w[0], 'xaxis.range[1]': w[1]})"
    count = f"Array.from({_PLOT}.data[0].x).filter(x => x >= window.__zoom[0] && x <= window.__zoom[1]).length > 500"
    return window + inside, count


@contextmanager
def served(store: Path) -> Iterator[str]:
    """The dashboard as its users start it, in a process of its own."""
    command = [sys.executable, "-m", "setpoint", "--store", str(store), "dashboard", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield str(json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")["address"])
        finally:
            process.terminate()


def counted(store: Path) -> dict[str, Any]:
    """What a benchmark opens in a store that was written before."""
    with Historian(str(store)) as historian:
        benchmarks = [run.id for run in historian.runs() if run.kind == "benchmark" and run.plant == "exothermic_cstr"]
        newest = historian.episodes(benchmarks[0])[-1].id
    return {"ten": benchmarks[:10], "long_run": benchmarks[0], "long": newest}


def within(times: dict[str, list[float]]) -> dict[str, dict[str, float | str]]:
    """The medians beside their limits."""
    return {
        name: {"value": round(statistics.median(times[name]), 3), "limit": limit, "unit": "s"} for name, limit in LIMITS.items()
    }


def main() -> None:
    """Measure and print."""
    options = parser(__doc__ or "")
    options.add_argument("--store", type=Path, help="a store written before; else one is written first")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ids = counted(given.store) if given.store else fill(Path(folder) / "runs.db")
        with served(given.store or Path(folder) / "runs.db") as address, chromium() as driver:
            times = measure(driver, address, ids, 1 if given.quick else REPEATS)
    operated = live.measured(trainings=1, steps=60_000) if given.quick else live.measured()
    rounded = {name: [round(value, 3) for value in values] for name, values in times.items()}
    beside = {"repetitions": rounded, "store": {"runs": RUNS, "episodes": EPISODES}, "load average": os.getloadavg()[0]}
    report({"within": within(times) | operated.within, **beside, "live": operated.beside}, given)


if __name__ == "__main__":
    main()
