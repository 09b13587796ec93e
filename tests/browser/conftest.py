"""A headless Chromium for the session; without one the browser tests are skipped, or fail where one is required."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from selenium import webdriver

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--window-size=1440,1000",
)


def _program(name: str) -> str:
    """Where the program lies; without it the test is skipped, or fails when SETPOINT_REQUIRE_BROWSER is 1."""
    found = shutil.which(name)
    if found is None and os.environ.get("SETPOINT_REQUIRE_BROWSER") == "1":
        pytest.fail(f"{name} is not installed and SETPOINT_REQUIRE_BROWSER=1: on Debian, apt install chromium chromium-driver")
    if found is None:
        pytest.skip(f"{name} is not installed: on Debian, apt install chromium chromium-driver")
    return found


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """A browser that keeps its console ("browser") and network ("performance") logs for the tests to read."""
    options = webdriver.ChromeOptions()
    options.binary_location = _program("chromium")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=_program("chromedriver")))
    yield driver
    driver.quit()
