"""Every page, with an empty and a full store: it fits in each theme and at each width, and axe-core finds nothing serious."""

from __future__ import annotations

import time
from pathlib import Path

import axe_core_python
import pytest
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.support.ui import WebDriverWait

from dashboard.router import ROUTES
from tests.browser.reader import Dashboard

AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text()
THEMES = ("light", "dark", "grey")
SIZES = {"tablet": (820, 1180), "desk": (1280, 800), "wall": (1920, 1080)}
FOLLOWS = 8.0  # s; a page that has not followed its window by then does not fit it
NAMED = {"runs": "trained", "plants": "exothermic_cstr", "jobs": "nobody", "live": "nobody"}
TABS = ("runs/trained?tab=artifacts", "runs/reactor?tab=kpis", "compare?view=seeds", "plants/exothermic_cstr?tab=step")
MORE = ("runs/nobody", "nowhere", "runs?seeds=together", "runs/reactor", *TABS)
PATHS = ["/".join(NAMED[route.parts[0]] if part.startswith("<") else part for part in route.parts) for route in ROUTES]
_FINDINGS = """
const done = arguments[0], moving = document.getAnimations().filter(one => one instanceof CSSTransition);
const shown = Promise.allSettled(moving.map(one => one.finished));
shown.then(() => axe.run(document, {resultTypes: ["violations"]})).then(found => done(found.violations
  .filter(one => ["serious", "critical"].includes(one.impact))
  .map(one => one.id + ": " + one.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(" | "))),
  error => done([String(error)]));
"""


def _shown(dashboard: Dashboard, path: str) -> None:
    """Open a page, run ids by their names, and wait until it stands still."""
    for name, run in dashboard.ids.items():
        path = path.replace(f"runs/{name}", f"runs/{run}")
    dashboard.chromium.get(f"{dashboard.url}{path}")
    dashboard.until(lambda: bool(dashboard.texts("h1")))
    _settled(dashboard)


def _settled(dashboard: Dashboard) -> None:
    """Wait until nothing is computed any more and three looks in a row find the same."""
    seen: list[str] = []
    size = "document.querySelectorAll('main *').length + ' ' + document.querySelectorAll('.waiting').length"

    def still() -> bool:
        time.sleep(0.15)  # between two looks
        seen.append(str(dashboard.run(size)))
        return len(seen) > 2 and len(set(seen[-3:])) == 1 and seen[-1].endswith(" 0")

    dashboard.until(still)


def _resize(dashboard: Dashboard, size: tuple[int, int]) -> None:
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
    dashboard.chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def _fits(dashboard: Dashboard, width: int) -> bool:
    """Whether the page fits a window of a width once it has followed it; figures do so a moment later."""
    fits = f"window.innerWidth === {width} && document.documentElement.scrollWidth <= {width}"
    try:
        WebDriverWait(dashboard.chromium, FOLLOWS, 0.1).until(lambda _: dashboard.run(fits) is True)
    except TimeoutException:
        return False
    return True


def _troubles(dashboard: Dashboard, theme: str) -> list[str]:
    """What does not fit at each width, and what axe-core holds for serious, in one theme."""
    dashboard.press(f"button.theme.{theme}")
    dashboard.until(lambda: dashboard.run("document.documentElement.dataset.theme") == theme)
    found = []
    for name, size in SIZES.items():
        _resize(dashboard, size)
        if not _fits(dashboard, size[0]):
            found.append(f"{theme}: wider than a {name}")
    _resize(dashboard, SIZES["desk"])
    _fits(dashboard, SIZES["desk"][0])
    serious: list[str] = dashboard.chromium.execute_async_script(_FINDINGS)
    return found + [f"{theme}: {one}" for one in serious]


@pytest.mark.slow
@pytest.mark.parametrize("path", [*PATHS, *MORE])
@pytest.mark.parametrize("store", ["empty", "full"])
def test_a_page_fits_and_is_accessible_in_every_theme(request: pytest.FixtureRequest, store: str, path: str) -> None:
    dashboard: Dashboard = request.getfixturevalue(store)
    dashboard.chromium.set_script_timeout(60)
    _resize(dashboard, SIZES["desk"])
    try:
        _shown(dashboard, path)
        dashboard.chromium.execute_script(AXE)
        assert [trouble for theme in THEMES for trouble in _troubles(dashboard, theme)] == []
    finally:
        dashboard.chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_every_page_shows(full: Dashboard) -> None:
    _shown(full, "")
    for path in PATHS[1:]:
        before = full.texts("h1, h2")
        place = f"/{path}".replace("runs/trained", f"runs/{full.ids['trained']}")
        full.chromium.execute_script("history.pushState({}, '', arguments[0])", place)
        full.run("window.dispatchEvent(new CustomEvent('_dashprivate_pushstate')) && 1")
        full.until(lambda before=before: bool(full.texts("h1")) and full.texts("h1, h2") != before)
        _settled(full)
        assert full.texts("h1") != ["This page cannot be shown"]
        assert full.texts("h1") != ["Not found"] or "nobody" in path
