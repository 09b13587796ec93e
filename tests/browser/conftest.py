"""A headless Chromium for the session, and dashboards to read in it; every test fails on console errors and foreign requests.

Without a browser the tests are skipped, or fail where one is required.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from selenium import webdriver

from benchmarks.browser import chromium as opened
from tests.browser.reader import Dashboard, log, requests, served
from tests.browser.store import fill


def _need(name: str) -> None:
    """Skip the test without the program, or fail it when SETPOINT_REQUIRE_BROWSER is 1."""
    if shutil.which(name) is not None:
        return
    if os.environ.get("SETPOINT_REQUIRE_BROWSER") == "1":
        pytest.fail(f"{name} is not installed and SETPOINT_REQUIRE_BROWSER=1: on Debian, apt install chromium chromium-driver")
    pytest.skip(f"{name} is not installed: on Debian, apt install chromium chromium-driver")


@pytest.fixture(scope="session")
def chromium() -> Iterator[webdriver.Chrome]:
    """A browser that keeps its console ("browser") and network ("performance") logs for the tests to read."""
    for name in ("chromium", "chromedriver"):
        _need(name)
    with opened() as driver:
        yield driver


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory, chromium: webdriver.Chrome) -> Iterator[Dashboard]:
    folder = tmp_path_factory.mktemp("full")
    ids = fill(folder / "runs.db")
    with served(folder / "runs.db", folder / "log") as url:
        yield Dashboard(url, chromium, ids)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory, chromium: webdriver.Chrome) -> Iterator[Dashboard]:
    folder = tmp_path_factory.mktemp("empty")
    with served(folder / "runs.db", folder / "log") as url:
        yield Dashboard(url, chromium, {})


@pytest.fixture(autouse=True)
def _in_silence(chromium: webdriver.Chrome) -> Iterator[None]:
    """After each test: nothing severe in the console, and no request left this machine."""
    chromium.get("about:blank")
    for kind in ("browser", "performance"):
        log(chromium, kind)
    yield
    assert [entry["message"] for entry in log(chromium, "browser") if entry["level"] == "SEVERE"] == []
    assert [url for url in requests(chromium) if not url.startswith(("http://127.0.0.1:", "data:", "blob:", "about:"))] == []
