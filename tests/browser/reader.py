"""A served dashboard and somebody who reads it in a browser."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    NoSuchElementException,
    StaleElementReferenceException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).parents[2]
WAIT = 30.0  # s; a busy machine is slow, and waiting ends as soon as there is something to see
DRAWN_ANEW = (StaleElementReferenceException, NoSuchElementException)
"""What is met where the page was drawn anew between looking and reading."""
NOT_PRESSED = (*DRAWN_ANEW, ElementClickInterceptedException, ElementNotInteractableException)
"""Likewise between looking and pressing, or while something still moves over it: nothing was pressed."""


@dataclass(frozen=True)
class Dashboard:
    """A served dashboard in the browser, with the ids of the runs that its store was filled with."""

    url: str
    chromium: webdriver.Chrome
    ids: dict[str, str]

    def open(self, path: str, heading: str) -> None:
        """Go to a page and wait until it shows."""
        self.chromium.get(self.url.rstrip("/") + path)
        self.until(lambda: self.texts("h1") == [heading])

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something to be seen."""
        WebDriverWait(self.chromium, WAIT, 0.1, ignored_exceptions=DRAWN_ANEW).until(lambda _: condition())

    def press(self, css: str, words: Callable[[str], bool] = lambda _: True, place: int = 0) -> None:
        """Wait for an element that is shown, ``place`` among those whose text has the ``words``, and press it once."""

        def pressed() -> bool:
            found = [element for element in self.all(css) if element.is_displayed() and words(element.text)][place : place + 1]
            for element in found:
                element.click()
            return bool(found)

        WebDriverWait(self.chromium, WAIT, 0.1, ignored_exceptions=NOT_PRESSED).until(lambda _: pressed())

    def all(self, css: str) -> list[WebElement]:
        return self.chromium.find_elements(By.CSS_SELECTOR, css)

    def texts(self, css: str) -> list[str]:
        return [element.text for element in self.all(css)]

    def run(self, script: str) -> object:
        return self.chromium.execute_script(f"return ({script})")


@contextmanager
def served(store: Path, complaints: Path) -> Iterator[str]:
    """The dashboard in a process of its own; what it complains of is an error."""
    command = [sys.executable, "-m", "tests.browser.serve", str(store)]
    with (
        complaints.open("w") as errors,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), complaints.read_text()
        try:
            yield url
        finally:
            process.terminate()
            process.wait()
    assert complaints.read_text() == ""


def log(chromium: webdriver.Chrome, kind: str) -> list[dict[str, str]]:
    """What came into one of the browser's logs since it was last read."""
    entries: list[dict[str, str]] = chromium.get_log(kind)  # type: ignore[no-untyped-call]
    return entries


def requests(chromium: webdriver.Chrome) -> list[str]:
    """The addresses that were asked for since the log was last read."""
    events = [json.loads(entry["message"])["message"] for entry in log(chromium, "performance")]
    return [str(event["params"]["request"]["url"]) for event in events if event["method"] == "Network.requestWillBeSent"]
