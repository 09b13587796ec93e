"""What a reader does on the pages, in Chromium."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from controller.events import say
from controller.historian import Historian
from tests.browser.reader import WAIT, Dashboard, requests, served
from tests.browser.store import TOTAL, VERSIONS, metrics, reactor_episode, training_config

slow = pytest.mark.slow


@slow
@pytest.mark.parametrize(
    ("path", "heading", "command"),
    [
        ("/", "Overview", "python3 run.py demo"),
        ("/runs", "Runs", "setpoint train exothermic_cstr"),
        ("/compare", "Compare", "setpoint benchmark exothermic_cstr"),
    ],
)
def test_an_empty_page_shows_the_command_that_fills_it(empty: Dashboard, path: str, heading: str, command: str) -> None:
    empty.open(path, heading)
    empty.until(lambda: command in empty.texts(".command"))


@slow
@pytest.mark.parametrize("name", ["trained", "failed", "stopped", "reactor", "house"])
def test_every_kind_of_run_shows(full: Dashboard, name: str) -> None:
    full.open(f"/runs/{full.ids[name]}", full.ids[name])
    full.until(lambda: len(full.all(".js-plotly-plot .main-svg")) > 0)
    words = {"trained": "completed", "failed": "failed", "stopped": "stopped", "reactor": "completed", "house": "completed"}
    full.until(lambda: any(words[name] in text for text in full.texts(".head .status")))


@slow
def test_a_training_shows_its_curve_against_the_pid_line_and_all_vital_signs(full: Dashboard) -> None:
    full.open(f"/runs/{full.ids['trained']}", full.ids["trained"])
    full.until(lambda: len(full.all(".vitals .js-plotly-plot .main-svg")) >= 7)
    full.until(lambda: {"PPO", "PID", "best so far"} <= set(full.texts(".legendtext")))


def test_ppo_against_pid_is_two_clicks_from_the_front_page(full: Dashboard) -> None:
    full.open("/", "Overview")
    full.until(lambda: full.texts("td a.button") == ["PPO against PID"] * 2)  # each of the demo's plants
    full.press("td a.button")
    full.until(lambda: full.texts("h1") == ["Compare"])
    full.until(lambda: {"PPO", "PID"} <= set(full.texts(".legendtext")))
    full.until(lambda: "PPO − PID" in full.texts("th"))


@slow
def test_zooming_one_row_zooms_all(full: Dashboard) -> None:
    full.open(f"/compare?run={full.ids['reactor']}&scenario=tracking&seed=1", "Compare")
    full.until(lambda: len(full.all("#compare-figure .main-svg")) > 0)
    zoom = "Plotly.relayout(document.querySelector('#compare-figure .js-plotly-plot'), {'xaxis2.range': [5, 10]}) && 1"
    ranges = (
        "['xaxis', 'xaxis3', 'xaxis6'].map(a => document.querySelector('#compare-figure .js-plotly-plot')._fullLayout[a].range)"
    )
    full.until(lambda: bool(full.run(zoom)) and full.run(ranges) == [[5, 10]] * 3)  # not heard at once when drawn


@slow
def test_picking_another_case_changes_page_and_address(full: Dashboard) -> None:
    full.open(f"/compare?run={full.ids['reactor']}&scenario=tracking&seed=1", "Compare")
    full.press(".aside a", lambda words: "next" in words)
    full.until(lambda: "exothermic_cstr · tracking · seed 2" in full.texts("h2"))
    assert "seed=2" in full.chromium.current_url
    full.chromium.back()
    full.until(lambda: "exothermic_cstr · tracking · seed 1" in full.texts("h2"))


def _column(dashboard: Dashboard, name: str) -> list[str]:
    """The shown cells of a column, from the top down."""
    rows = sorted(dashboard.all(".ag-center-cols-container .ag-row"), key=lambda row: int(row.get_attribute("row-index") or 0))
    return [row.find_element(By.CSS_SELECTOR, f"[col-id='{name}']").text for row in rows]


@slow
def test_runs_are_filtered_and_sorted_by_the_address(full: Dashboard) -> None:
    full.open("/runs?plant=exothermic_cstr&sort=seed", "Runs")
    full.until(lambda: "4 runs" in full.texts("h2") and _column(full, "seed") == ["0", "0", "1", "2"])
    full.press(".ag-header-cell[col-id=best] .ag-header-cell-label")
    full.until(lambda: "sort=-best" in full.chromium.current_url)
    assert "plant=exothermic_cstr" in full.chromium.current_url
    full.chromium.refresh()
    full.until(lambda: "4 runs" in full.texts("h2") and _column(full, "saved") == ["", "", "", "+17.9 ± 3.3"])
    full.until(lambda: _column(full, "best")[-1:] == [""])


@slow
def test_a_picked_filter_goes_into_the_address_and_leaves_the_rest_of_it(full: Dashboard) -> None:
    full.open("/runs", "Runs")
    full.until(lambda: len(full.all("input[aria-label='search in all columns']")) == 1)
    full.all("input[aria-label='search in all columns']")[0].send_keys("house")
    full.until(lambda: "search=house" in full.chromium.current_url and len(full.all(".ag-center-cols-container .ag-row")) == 2)
    full.press("input[aria-label='any kind']")
    full.press("[role=option]", "benchmark".__eq__)
    full.until(lambda: "2 runs" in full.texts("h2") and len(full.all(".ag-center-cols-container .ag-row")) == 1)
    assert "kind=benchmark" in full.chromium.current_url
    assert "search=house" in full.chromium.current_url


@slow
def test_ticked_runs_are_compared(full: Dashboard) -> None:
    full.open("/runs?kind=benchmark", "Runs")
    full.until(lambda: len(full.all(".ag-row .ag-selection-checkbox input")) == 2)
    for place in range(2):
        full.press(".ag-row .ag-selection-checkbox .ag-checkbox-input-wrapper", place=place)
    full.until(lambda: full.texts("#runs-compare") == ["Compare 2 runs"])
    full.press("#runs-compare")
    full.until(lambda: full.texts("h1") == ["Compare"])
    assert {full.ids[name] for name in ("house", "reactor")} == set(full.chromium.current_url.split("runs=")[1].split(","))


@slow
def test_seeds_of_a_configuration_stand_together_with_their_interval(full: Dashboard) -> None:
    full.open("/runs?seeds=together&plant=exothermic_cstr&kind=train", "Runs")
    full.until(lambda: "1 configurations" in full.texts("h2") and any(" ± " in cell for cell in _column(full, "best")))
    full.press(".ag-row a.link", lambda words: words.startswith("3 runs"))
    full.until(lambda: "3 runs" in full.texts("h2") and "group=" in full.chromium.current_url)


@slow
def test_an_episode_is_picked_without_drawing_the_page_anew(full: Dashboard) -> None:
    full.open(f"/runs/{full.ids['reactor']}?tab=episodes", full.ids["reactor"])
    full.run("document.querySelector('.head').dataset.same = 'yes'")
    full.press("input[aria-label='episode']")
    full.press("[role=option]", "tracking · seed 2 · PPO".__eq__)
    full.until(lambda: any("tracking, seed 2, PPO" in text for text in full.texts("#run-trend .note")))
    full.until(lambda: "episode=" in full.chromium.current_url)
    assert full.run("document.querySelector('.head').dataset.same") == "yes"
    full.chromium.refresh()
    full.until(lambda: any("tracking, seed 2, PPO" in text for text in full.texts("#run-trend .note")))


@slow
def test_an_episode_is_opened_from_its_figures(full: Dashboard) -> None:
    full.open(f"/runs/{full.ids['reactor']}?tab=kpis", full.ids["reactor"])
    full.until(lambda: len(full.all("#run-kpis tbody a.link")) == 12)
    full.press("#run-kpis tbody a.link", place=5)
    full.until(lambda: any("tracking, seed 2, PPO" in text for text in full.texts("#run-trend .note")))


@slow
def test_the_theme_is_switched_remembered_and_followed_by_figures(full: Dashboard) -> None:
    full.open("/", "Overview")
    full.run("localStorage.setItem('setpoint-theme', 'light')")
    full.open(f"/runs/{full.ids['reactor']}", full.ids["reactor"])
    colour = "getComputedStyle(document.querySelector('#run-trend .xaxislayer-above text')).fill"
    full.until(lambda: len(full.all("#run-trend .xaxislayer-above text")) > 0)
    seen = {full.run(colour)}
    for theme in ("dark", "grey"):
        full.press(f"button.theme.{theme}")
        full.until(lambda: full.run(colour) not in seen)
        seen.add(full.run(colour))
        scheme = "dark" if theme == "dark" else "light"
        full.until(lambda wanted=scheme: full.run("document.documentElement.dataset.mantineColorScheme") == wanted)
    full.until(lambda: len(full.all("button.theme.grey[aria-pressed=true]")) == 1)
    full.chromium.refresh()
    full.until(lambda: full.run("document.documentElement.dataset.theme") == "grey")


@slow
def test_a_run_grows_while_it_is_watched_and_keeps_the_zoom(tmp_path: Path, chromium: webdriver.Chrome) -> None:
    path = tmp_path / "runs.db"
    with (
        Historian(str(path)) as store,
        store.run("train", "exothermic_cstr", "ppo", 0, training_config("exothermic_cstr"), VERSIONS) as run,
    ):
        store.metrics(run, 4096, metrics(4096, np.random.default_rng(0)))
        with served(path, tmp_path / "log") as url:
            dashboard = Dashboard(url, chromium, {})
            dashboard.open(f"/runs/{run}", run)
            points = "document.querySelectorAll('.js-plotly-plot')[0].data[0].x.length"
            dashboard.until(lambda: dashboard.run("document.querySelectorAll('.js-plotly-plot .main-svg').length > 0") is True)
            dashboard.until(lambda: dashboard.run(points) == 1)
            zoom = "Plotly.relayout(document.querySelectorAll('.js-plotly-plot')[0], {'xaxis.range': [0, 50000]}) && 1"
            shown = "document.querySelectorAll('.js-plotly-plot')[0]._fullLayout.xaxis.range"
            dashboard.until(lambda: bool(dashboard.run(zoom)) and dashboard.run(shown) == [0, 50000])
            writer = threading.Thread(target=_train, args=(store, run))
            writer.start()
            dashboard.until(lambda: dashboard.run(points) == 21)
            dashboard.until(lambda: dashboard.run("document.querySelectorAll('.js-plotly-plot')[1].data[0].x.length") == 21)
            dashboard.until(lambda: any("80,000 of 300,000 steps" in text for text in dashboard.texts(".progress-text")))
            assert dashboard.run(shown) == [0, 50000]
            writer.join()
            store.episode(run, reactor_episode("ppo", 0))
            store.finish(run, "completed", {})
            dashboard.until(lambda: any("completed" in text for text in dashboard.texts(".head .status")))
            dashboard.until(lambda: "episodes\n1" in dashboard.texts(".head .facts div"))


@slow
def test_a_runs_log_grows_while_it_is_looked_at(tmp_path: Path, chromium: webdriver.Chrome) -> None:
    path = tmp_path / "runs.db"
    with Historian(str(path)) as store, served(path, tmp_path / "log") as url:
        dashboard = Dashboard(url, chromium, {})
        with store.run("train", "exothermic_cstr", "ppo", 0, {"total_steps": TOTAL}, VERSIONS) as run:
            dashboard.open(f"/runs/{run}?tab=log", run)
            dashboard.until(lambda: len(dashboard.all(".said tbody tr")) == 1)
            say(store.store, run, "training", "step 2048: KL 0.2, the update is taken back", "warning")
            dashboard.until(lambda: any("KL 0.2" in text and "◆" in text for text in dashboard.texts(".said tbody tr")))
            store.finish(run, "completed", {})
            dashboard.until(lambda: any("completed after" in text for text in dashboard.texts(".said tbody tr")[-1:]))


def _train(store: Historian, run: str) -> None:
    """Log twenty updates, as training does."""
    for step in range(4000, 80_001, 4000):
        store.metrics(run, step, metrics(step, np.random.default_rng(step)))


@slow
def test_a_new_run_appears_on_an_open_overview(tmp_path: Path, chromium: webdriver.Chrome) -> None:
    path = tmp_path / "runs.db"
    with Historian(str(path)) as store, served(path, tmp_path / "log") as url:
        dashboard = Dashboard(url, chromium, {})
        dashboard.open("/", "Overview")
        dashboard.until(lambda: "python3 run.py demo" in dashboard.texts(".command"))
        with store.run("train", "exothermic_cstr", "ppo", 0, {"total_steps": TOTAL}, VERSIONS) as run:
            store.metrics(run, TOTAL // 2, {"score/ppo": -2.0, "score/best": -2.0})
            dashboard.until(
                lambda: run in dashboard.texts("td a") and any("50%" in text for text in dashboard.texts(".progress-text"))
            )


@slow
def test_by_keys_the_first_stop_skips_the_navigation(full: Dashboard) -> None:
    full.open("/", "Overview")
    full.until(lambda: len(full.all("main a.button")) > 0)
    link, heading = full.all("a.skip")[0], full.all("h1")[0]
    assert link.location["x"] < 0
    full.chromium.execute_script("document.body.focus()")
    ActionChains(full.chromium).send_keys(Keys.TAB).perform()
    full.until(lambda: full.chromium.switch_to.active_element == link and link.location["x"] > 0)
    ActionChains(full.chromium).send_keys(Keys.ENTER).perform()
    inside = "document.querySelector('main').contains(document.activeElement)"
    full.until(lambda: bool(full.run(inside)))
    ActionChains(full.chromium).send_keys(Keys.TAB).perform()
    full.until(lambda: bool(full.run(f"{inside} && document.activeElement.matches('a, button, input')")))
    assert heading.text == "Overview"  # it was not drawn anew


@slow
def test_a_hidden_page_asks_for_nothing(full: Dashboard) -> None:
    full.open("/", "Overview")
    full.until(lambda: any("_dash-update-component" in url for url in requests(full.chromium)))
    full.run("window.dash_clientside.set_props('page-hidden', {data: true}) || 1")
    full.until(lambda: requests(full.chromium) == [] and _quiet_for_two_beats(full))


def _quiet_for_two_beats(dashboard: Dashboard) -> bool:
    """Whether the page lets five seconds pass without a question; seen, it asks every two."""
    dashboard.chromium.set_script_timeout(30)
    dashboard.chromium.execute_async_script("setTimeout(arguments[0], 5000)")
    return requests(dashboard.chromium) == []


@slow
def test_a_step_test_shows_the_model_and_every_rule_beside_the_present_tuning(empty: Dashboard) -> None:
    empty.open("/plants/exothermic_cstr?tab=step", "Exothermic stirred tank")
    rules = {"present tuning", "SIMC", "lambda", "Ziegler-Nichols", "AMIGO"}
    empty.until(lambda: rules <= set(empty.texts("#plant-step .legendtext")) | set(empty.texts("#plant-step .controller")))
    empty.until(lambda: "fitted model" in empty.texts("#plant-step .legendtext"))
    empty.all("input[aria-label='size of the step']")[0].send_keys("-0.5\n")
    empty.until(lambda: "size=-0.5" in empty.chromium.current_url)
    empty.until(lambda: any("stepped by −0.5 K" in text for text in empty.texts("#plant-step .aside")))
    empty.open("/plants/exothermic_cstr?tab=steady", "Exothermic stirred tank")
    empty.until(lambda: len(empty.all("#plant-map .js-plotly-plot .main-svg")) > 0)


@slow
def test_equations_are_set(empty: Dashboard) -> None:
    empty.open("/plants/exothermic_cstr", "Exothermic stirred tank")
    empty.until(lambda: len(empty.all(".typeset mjx-container")) >= 2)


@slow
@pytest.mark.parametrize("view", ["trends", "difference", "cumulative", "fronts", "seeds"])
def test_every_view_of_a_comparison_shows(full: Dashboard, view: str) -> None:
    full.open(f"/compare?run={full.ids['reactor']}&view={view}", "Compare")
    full.until(lambda: len(full.all(".panel .js-plotly-plot .main-svg")) > 0)


@slow
@pytest.mark.parametrize("tab", ["training", "episodes", "kpis", "policy", "configuration", "artifacts"])
def test_every_tab_of_a_training_shows(full: Dashboard, tab: str) -> None:
    full.open(f"/runs/{full.ids['trained']}?tab={tab}", full.ids["trained"])
    full.until(lambda: len(full.all(f".tab.here[href$='tab={tab}']")) == 1)


@slow
def test_a_long_episode_is_refined_where_it_is_zoomed_into_and_whole_again_after(
    tmp_path: Path, chromium: webdriver.Chrome
) -> None:
    path = tmp_path / "runs.db"
    with Historian(str(path)) as store, store.run("simulate", "exothermic_cstr", "ppo", 0, {}, VERSIONS) as run:
        store.episode(run, reactor_episode("ppo", 0, 100_000))
    with served(path, tmp_path / "log") as url:
        dashboard = Dashboard(url, chromium, {})
        dashboard.open(f"/runs/{run}", run)
        graph = "document.querySelector('#run-trend .js-plotly-plot')"
        dashboard.until(lambda: dashboard.run(f"{graph}?.querySelectorAll('.trace').length > 0") is True)
        points = f"Array.from({graph}.data[0].x)"
        into = f"Plotly.relayout({graph}, {{'xaxis.range[0]': 10, 'xaxis.range[1]': 10.3}}) && 1"
        fine = f"{points}.filter(t => t >= 10 && t <= 10.3).length >= 999"
        patient = WebDriverWait(chromium, WAIT, 2.0)  # a figure is not heard at once when it is drawn
        patient.until(lambda _: dashboard.run(fine) is True or not dashboard.run(into))
        assert dashboard.run(f"{graph}._fullLayout.xaxis.range") == [10, 10.3]
        dashboard.run(f"Plotly.relayout({graph}, {{'xaxis.autorange': true}}) && 1")
        dashboard.until(lambda: dashboard.run(f"{points}[0] === 0 && {points}.at(-1) >= 29.9") is True)
