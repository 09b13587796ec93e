"""The live page in Chromium: every control does to the plants what it says, and nothing is asked of a hidden page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from controller.historian import Historian
from controller.policy import Policy
from plant_models.catalogue import get
from plant_models.derive.kernel import kernel
from tests.browser.reader import DRAWN_ANEW, NOT_PRESSED, log, requests

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
WAIT = 60.0
LINES = "document.querySelector('#live-trend .js-plotly-plot').data"
LAST_SETPOINT = f"{LINES}.find(d => d.meta.kind === 'sp' && d.meta.twin === 'A').y.slice(-1)[0]"
FORESEEN = f"{LINES}.find(d => d.meta.kind === 'ahead' && d.meta.twin === 'A').x.length"
ASKED = "performance.getEntriesByType('resource').filter(r => r.name.includes('/_live/')).length"
SLOW_FIRST_ORDER = """(() => {
  const sent = window.fetch;
  window.fetch = (address, how) => {
    if (!how || how.method !== 'POST') { return sent(address, how); }
    window.fetch = sent;
    return new Promise(go => setTimeout(go, 500)).then(() => sent(address, how));
  };
  return 1;
})()"""
SLIDE = """(() => {
  const slider = document.getElementById('live-sp-slider');
  slider.value = 0.86;
  ['input', 'change'].forEach(kind => slider.dispatchEvent(new Event(kind)));
  return 1;
})()"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's data folder with a run of the reactor and its policy, of weights drawn at random."""
    folder = tmp_path_factory.mktemp("home")
    plant, rng = get("exothermic_cstr"), np.random.default_rng(0)
    sizes = (len(kernel(plant, slow=True).observation.features), 8, len(plant.acted))
    layers = tuple(
        ((0.3 * rng.standard_normal((out, into))).astype(np.float32), np.zeros(out, dtype=np.float32))
        for into, out in pairwise(sizes)
    )
    with (
        Historian(str(folder / "runs.db")) as store,
        store.run("train", plant.name, "ppo", 0, {"level": "setpoint"}, {}) as run,
    ):
        store.metrics(run, 1000, {"score/ppo": -2.0, "score/best": -2.0})
        store.finish(run, "completed", {})
    Policy(plant, "setpoint", layers).save(folder / "setpoint" / "runs" / run / "policy")
    return folder


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.browser.serve", str(home / "runs.db")]
    environment = os.environ | {"XDG_DATA_HOME": str(home)}
    with (
        (home / "log").open("w") as log,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True, env=environment) as process,
    ):
        assert process.stdout is not None
        yield process.stdout.readline().strip().rstrip("/")
        process.terminate()
        process.wait()
    assert (home / "log").read_text() == ""


class Screen:
    """The live page of one session, started by its form."""

    def __init__(self, chromium: webdriver.Chrome, url: str) -> None:
        self.chromium, self.url = chromium, url
        chromium.set_window_size(1440, 1000)
        chromium.get(f"{url}/live?plant=exothermic_cstr&seed=1")
        policy = "input[aria-label='controller of twin B']"
        self.until(
            lambda: [field.get_property("value")[:3] for field in chromium.find_elements(By.CSS_SELECTOR, policy)] == ["PPO"]
        )
        self.press("#live-start")
        self.until(lambda: self.js("window.setpointLive && setpointLive.last ? 1 : 0") == 1)

    def until(self, condition: Any) -> None:
        WebDriverWait(self.chromium, WAIT, 0.1, ignored_exceptions=DRAWN_ANEW).until(lambda _: condition())

    def js(self, script: str) -> Any:
        return self.chromium.execute_script(f"return ({script})")

    def told(self) -> Any:
        """The session as the server tells it now, whatever the page shows."""
        with urllib.request.urlopen(f"{self.url}/_live/{self.js('setpointLive.session')}/feed?n=-1") as answer:
            return json.load(answer)

    def face(self, twin: str = "A", loop: int = 0) -> Any:
        pv, sp, asked, op, mode, heard, hand, _bounds = self.told()["twins"][twin]["faces"][loop]
        return {"pv": pv, "sp": sp, "asked": asked, "op": op, "mode": ["MAN", "AUTO", "CAS"][mode], "heard": heard, "hand": hand}

    def one(self, css: str) -> WebElement:
        return self.chromium.find_element(By.CSS_SELECTOR, css)

    def press(self, css: str) -> None:
        """Press once what may be pressed, as soon as it may: a click on what is disabled does nothing and says nothing."""
        waiting = WebDriverWait(self.chromium, WAIT, 0.1, ignored_exceptions=NOT_PRESSED)
        waiting.until(lambda _: self.one(css).is_enabled() and self.one(css).click() is None)

    def enter(self, css: str, text: str, *more: str) -> None:
        """Write a number into a field as soon as it takes one."""
        self.until(lambda: self.one(css).is_enabled())
        self.one(css).send_keys(Keys.CONTROL, "a", Keys.NULL, text, *more)

    def sent(self) -> None:
        """Wait until every order of the page has been answered."""
        self.chromium.execute_async_script("setpointLive.sending.then(arguments[0])")

    def steps(self, count: int) -> None:
        """Step so many decisions and wait until they are made."""
        goal = self.told()["k"] + count
        for _ in range(count):
            self.press("#live-step")
        self.until(lambda: self.told()["k"] == goal)

    def shown(self, css: str, text: str) -> None:
        self.until(lambda: text in self.one(css).text)


@pytest.fixture(scope="module")
def screen(chromium: webdriver.Chrome, served: str) -> Screen:
    chromium.get("about:blank")
    for kind in ("browser", "performance"):
        log(chromium, kind)
    return Screen(chromium, served)


@pytest.fixture(autouse=True)
def _in_silence(chromium: webdriver.Chrome) -> Iterator[None]:
    """As for all pages, but the session stays open from test to test, and a refused order is a message of the browser's own."""
    yield
    severe = [entry["message"] for entry in log(chromium, "browser") if entry["level"] == "SEVERE"]
    assert [message for message in severe if "400 (BAD REQUEST)" not in message] == []
    assert [url for url in requests(chromium) if not url.startswith(("http://127.0.0.1:", "data:", "blob:", "about:"))] == []


def test_the_form_starts_ppo_against_pid_and_the_address_says_so(screen: Screen) -> None:
    assert screen.one(".lv-title h1").text == "Exothermic stirred tank"
    assert "seed=1" in screen.chromium.current_url
    assert screen.told()["twins"]["A"]["name"] == "pid"
    assert screen.told()["twins"]["B"]["name"].startswith("ppo ")
    assert "PAUSED" in screen.one(".lv-clockstate").text


def test_step_pause_run_and_speed_move_the_clock(screen: Screen) -> None:
    screen.steps(3)
    screen.shown(".lv-time", "decision 3 of")
    screen.press("[data-speed='100×']")
    screen.press("#live-run")
    screen.until(lambda: screen.told()["k"] > 6)
    screen.shown(".lv-clockstate", "RUNNING")
    screen.press("#live-run")
    screen.until(lambda: not screen.told()["running"])
    screen.press("[data-speed='1,000×']")
    screen.until(lambda: screen.told()["speed"] == 1000)
    screen.press("[data-speed='max']")
    screen.until(lambda: screen.told()["speed"] is None)


def test_an_arrow_key_on_a_faceplate_moves_the_setpoint_by_one_per_cent_of_its_range(screen: Screen) -> None:
    before = screen.face()["asked"]
    on = screen.one(".lv-face[data-twin='A'][data-loop='0']")
    on.click()
    on.send_keys(Keys.ARROW_UP)
    screen.until(lambda: screen.face()["asked"] == pytest.approx(before + 0.01 * 0.15, abs=1e-6))
    screen.until(lambda: screen.face("B")["asked"] == pytest.approx(before + 0.01 * 0.15, abs=1e-6))
    on.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    screen.until(lambda: screen.face()["asked"] == pytest.approx(before - 0.01 * 0.15, abs=1e-6))
    on.send_keys(Keys.PAGE_UP)
    screen.until(lambda: screen.face()["asked"] == pytest.approx(before + 0.04 * 0.15, abs=1e-6))
    screen.until(lambda: screen.js(LAST_SETPOINT) == pytest.approx(before + 0.04 * 0.15, abs=1e-5))
    screen.until(lambda: on.get_attribute("aria-valuenow") == str(screen.face()["asked"]))
    assert screen.face()["hand"] == 1


def test_two_presses_count_twice_though_the_first_is_slow_on_its_way(screen: Screen) -> None:
    on, before = screen.one(".lv-face[data-twin='A'][data-loop='0']"), screen.face()["asked"]
    screen.js(SLOW_FIRST_ORDER)
    on.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    screen.sent()
    screen.until(lambda: screen.face()["asked"] == pytest.approx(before - 0.02 * 0.15, abs=1e-6))


def test_by_keys_alone_the_number_is_reached_and_the_slider_stays_in_hand(screen: Screen) -> None:
    screen.one(".lv-face[data-loop='0'][data-twin='A']").send_keys(Keys.ENTER)
    screen.until(lambda: screen.js("document.activeElement.id") == "live-sp-number")
    slider = screen.one("#live-sp-slider")
    for _ in range(2):
        slider.send_keys(Keys.ARROW_RIGHT)
        screen.sent()
        assert screen.js("document.activeElement.id") == "live-sp-slider"
    screen.press("#live-release")


def test_number_and_slider_set_the_setpoint_and_release_gives_it_back(screen: Screen) -> None:
    screen.enter("#live-sp-number", "0.875", Keys.ENTER)
    screen.until(lambda: screen.face()["asked"] == 0.875)
    screen.js(SLIDE)
    screen.until(lambda: screen.face()["asked"] == pytest.approx(0.86))
    screen.enter("#live-sp-number", "7", Keys.ENTER)
    screen.shown(".lv-said", "0.8 to 0.95 allowed")
    screen.press("#live-release")
    screen.until(lambda: screen.face()["hand"] == 0)


def test_modes_and_outputs_of_one_twin_alone(screen: Screen) -> None:
    screen.press(".lv-face[data-twin='B'][data-loop='1']")
    screen.press("[data-twins='B']")
    screen.press("[data-mode='MAN']")
    screen.until(lambda: screen.face("B", 1)["mode"] == "MAN")
    assert screen.face("A", 1)["mode"] == "CAS"
    screen.until(lambda: screen.face("B", 0)["heard"] == 0)
    screen.enter("#live-op-number", "301.5", Keys.ENTER)
    screen.steps(4)
    screen.until(lambda: screen.face("B", 1)["op"] == 301.5)
    screen.one(".lv-face[data-twin='B'][data-loop='1']").send_keys("c")
    screen.until(lambda: screen.face("B", 1)["mode"] == "CAS")
    screen.press("[data-twins='AB']")


def test_controllers_are_swapped_by_their_buttons(screen: Screen) -> None:
    screen.press(".lv-head:nth-child(1) button[title^='ppo']")
    screen.until(lambda: screen.told()["twins"]["A"]["name"].startswith("ppo"))
    screen.press(".lv-head:nth-child(1) [data-controller='nmpc']")
    screen.until(lambda: screen.told()["twins"]["A"]["name"] == "nmpc")
    screen.steps(2)
    screen.until(lambda: len(screen.told()["twins"]["A"]["ahead"][0]) > 5)
    screen.until(lambda: screen.js(FORESEEN) > 5)
    screen.press(".lv-head:nth-child(1) [data-controller='pid']")
    screen.until(lambda: screen.told()["twins"]["A"]["name"] == "pid")


def test_disturbances_and_faults_are_injected_listed_and_taken_back(screen: Screen) -> None:
    before = screen.told()["twins"]["A"]["d"][0]
    screen.press("[data-disturbance='T_f'] button:nth-of-type(2)")
    screen.until(lambda: screen.told()["twins"]["B"]["d"][0] == pytest.approx(before + 1.2, abs=0.01))
    Select(screen.one("#live-place")).select_by_visible_text("TV-101 jacket temperature")
    screen.press("#live-inject")
    screen.until(lambda: any(change["place"] == "T_c" for change in screen.told()["twins"]["B"]["changes"]))
    screen.shown("#live-changes", "jammed at TV-101")
    screen.js("document.querySelector('#live-changes .lv-change').dataset.same = 'yes'")
    mends = "document.querySelectorAll(\"#live-changes [data-mend='T_c']\").length"
    for left in (1, 0):
        screen.press("#live-changes [data-mend='T_c']")
        screen.until(lambda left=left: screen.js(mends) == left)
    same = "document.querySelectorAll('#live-changes .lv-change[data-same=yes]').length"
    assert screen.js(same) == 1  # a row that nothing happens to is not drawn anew: a press on it would be lost
    screen.js(SLOW_FIRST_ORDER)
    for _ in range(2):
        screen.press("[data-disturbance='T_f'] button:nth-of-type(1)")
    screen.until(lambda: screen.told()["twins"]["A"]["d"][0] == pytest.approx(before - 1.2, abs=0.01))
    screen.press("[data-disturbance='T_f'] button:nth-of-type(3)")
    screen.until(lambda: screen.told()["twins"]["A"]["d"][0] == pytest.approx(before, abs=0.01))


def test_an_alarm_is_raised_acknowledged_and_shelved(screen: Screen) -> None:
    Select(screen.one("#live-place")).select_by_visible_text("AI-101 concentration of A")
    screen.enter("#live-size", "0.2")
    screen.press("#live-inject")
    screen.until(lambda: screen.told()["twins"]["A"]["changes"])
    screen.steps(4)
    alarm = "#live-alarms [data-alarm='range:c_A'][data-twin='A']"
    screen.shown(alarm, "UNACK")
    screen.shown(".lv-face[data-twin='A'][data-loop='0']", "▲ RANGE")
    screen.press(f"{alarm} button:nth-of-type(1)")
    screen.until(lambda: "UNACK" not in screen.one(alarm).text and "ACK" in screen.one(alarm).text)
    screen.press(f"{alarm} button:nth-of-type(1)")
    screen.shown(alarm, "SHELVED")
    screen.press(f"{alarm} button:nth-of-type(1)")
    screen.one(".lv-face[data-twin='A'][data-loop='0']").send_keys("k")
    screen.until(lambda: all(a["stage"] != "unacknowledged" for a in screen.told()["alarms"]))


def test_the_shield_is_switched_on_and_off(screen: Screen) -> None:
    screen.press("[data-shield='B']")
    screen.until(lambda: screen.told()["twins"]["B"]["shield"]["on"])
    screen.steps(1)
    screen.until(lambda: screen.told()["twins"]["B"]["shield"]["words"] not in ("off", "suspended"))
    screen.shown(".lv-head:nth-child(2)", screen.told()["twins"]["B"]["shield"]["words"])
    screen.press("[data-shield='B']")
    screen.until(lambda: not screen.told()["twins"]["B"]["shield"]["on"])


def test_the_shell_says_by_word_and_shape_who_has_the_plant(screen: Screen) -> None:
    screen.press("[data-shell='B']")
    screen.until(lambda: screen.told()["twins"]["B"]["shell"]["mode"] == "BACKUP")
    screen.shown("[data-supervised='B']", "◆ BACKUP")
    screen.press("[data-shell='B']")
    screen.until(lambda: screen.one("[data-supervised='B']").text == "")


def test_the_view_is_in_the_address_and_survives_a_reload(screen: Screen) -> None:
    screen.press(".lv-spans .lv-chip[href*='span=300']")
    screen.shown(".lv-spans .lv-chip.on", "300")
    screen.until(lambda: "span=300" in screen.chromium.current_url)
    screen.press(".lv-chip")
    screen.until(lambda: "loops=TIC-101" in screen.chromium.current_url)
    k = screen.told()["k"]
    screen.chromium.refresh()
    screen.until(lambda: screen.js("window.setpointLive && setpointLive.last ? setpointLive.last.k : -1") == k)
    assert screen.js("setpointLive.trend.span") == 300
    screen.until(lambda: screen.js("document.querySelectorAll('#live-trend .infolayer .annotation').length") == 3)


def test_a_hidden_page_asks_for_nothing(screen: Screen) -> None:
    screen.js("window.dash_clientside.set_props('page-hidden', {data: true}) || 1")
    screen.until(lambda: _quiet(screen))
    screen.js("window.dash_clientside.set_props('page-hidden', {data: false}) || 1")
    screen.until(lambda: screen.js(ASKED) > 0)


def _quiet(screen: Screen) -> bool:
    """Whether the page lets 1.5 s pass without a question; seen, it asks four times a second."""
    screen.js("performance.clearResourceTimings() || 1")
    screen.chromium.execute_async_script("setTimeout(arguments[0], 1500)")
    return bool(screen.js(ASKED) == 0)


@pytest.mark.parametrize("theme", ["light", "dark", "grey"])
def test_the_page_has_no_serious_accessibility_finding(screen: Screen, theme: str) -> None:
    from axe_core_python.selenium import Axe

    screen.press(f".theme.{theme}")
    found = Axe().run(screen.chromium)["violations"]
    serious = [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found if v["impact"] in ("serious", "critical")]
    assert serious == []


def test_an_ended_session_says_so_and_offers_the_same_again(screen: Screen) -> None:
    screen.press("#live-end")
    screen.until(lambda: "This session has ended" in screen.one("main").text)
    screen.press("main a.button")
    screen.until(lambda: "seed=1" in screen.chromium.current_url and "/live?" in screen.chromium.current_url)
