"""A whole benchmark on the command line: its table, its reports, and what it refuses before anything is written."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from controller.historian import Historian
from dashboard.cli import run as command
from dashboard.report import pipes, worded
from dashboard.standings import rounded_percent, signed_percent
from tests.unit.test_cell import saved

WORDS = ["--controllers", "floor,pid,ppo", "--protocol", "tracking", "--variant", "none,noise,weather", "--episodes", "4"]


@pytest.fixture
def asked(tmp_path: Path) -> list[str]:
    store, policy = str(tmp_path / "s.db"), str(saved(tmp_path / "p"))
    return ["--store", store, "benchmark", "exothermic_cstr", *WORDS, "--policy", policy]


def test_reports_are_whole_and_ask_nobody(asked: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("html", "md", "csv"):
        assert command([*asked, "--report", str(tmp_path / f"r.{kind}")]) == 0
    said = capsys.readouterr().out
    assert "PPO is" in said
    assert "variant 'weather' left out" in said
    page = (tmp_path / "r.html").read_text()
    assert page.count("plotly.js v") == 1
    ours = re.sub(r"<script>/\*\*.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"""(src|href)=["']|@import|url\(|https?://""", ours)
    figures = json.loads(re.search(r'id="figures">(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    assert len(figures) == 5  # intervals, profile, heat map, worst and median episode
    assert all(f'id="{name}"' in ours for name in figures)
    assert "| constant | 4 |" in (tmp_path / "r.md").read_text()
    rows = list(csv.DictReader((tmp_path / "r.csv").read_text().splitlines()))
    assert [(row["variant"], row["controller"]) for row in rows] == [
        (variant, name) for variant in ("none", "noise") for name in ("constant", "pid", "ppo")
    ]
    assert float(rows[2]["saved"]) == pytest.approx(float(rows[1]["cost"]) - float(rows[2]["cost"]))


def test_json_says_where_it_comes_from(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    origin = found["provenance"]
    assert set(origin["plants"]) == {"exothermic_cstr"}
    assert origin["split"] == "judging"
    assert origin["commit"]
    assert len(found["standings"]) == 6
    assert all(each["commands"] for each in found["standings"])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--protocol", "trackin"], "unknown protocol 'trackin'; did you mean 'tracking'?"),
        (["--variant", "fog"], "unknown variant 'fog'"),
        (["--protocol", "all", "--controllers", "pid,pdi"], "unknown controller 'pdi'; did you mean 'pid'?"),
        (["--protocol", "all", "--episodes", "0"], "'--episodes': Input should be greater than or equal to 1"),
        (["--report", "r.pdf"], "a name that ends with .html, .md, .csv allowed"),
        (["--report", "nowhere/r.md"], "a file in a folder that exists allowed"),
        (["--variant", "weather"], "means nothing on exothermic_cstr"),
        (["quadruple_tank", "--protocol", "all", "--policy", "POLICY"], "plant: trained on 'exothermic_cstr', asked to run"),
        (["--protocol", "all", "--scenario", "tracking"], "give one of them"),
        (["--protocol", "all", "--controllers", "pid,pid"], "a name is given twice"),
        (["--cluster", "elsewhere"], "expected tcp://HOST:PORT of a Dask scheduler, or local:N"),
        pytest.param(["--cluster", "tcp://127.0.0.1:9"], "does not answer", marks=pytest.mark.slow),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    words: list[str], line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "s.db"
    policy = str(saved(tmp_path / "p"))
    plants = [word for word in words if word == "quadruple_tank"] or ["exothermic_cstr"]
    rest = [policy if word == "POLICY" else word for word in words if word not in plants]
    assert command(["--store", str(store), "benchmark", *plants, *rest]) == 2
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1
    if store.exists():
        with Historian(str(store)) as historian:
            assert not historian.runs()
    assert not (tmp_path / "r.md").exists()


def test_of_several_plants_what_one_lacks_is_left_out_and_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["benchmark", "exothermic_cstr", "quadruple_tank", "--controllers", "pid,ppo", "--policy", str(saved(tmp_path / "p")),
             "--episodes", "2", "--json"]  # fmt: skip
    assert command(["--store", str(tmp_path / "s.db"), *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [note for note in found["notes"] if note.startswith("quadruple_tank: ppo left out, controller 'ppo' needs a trained")]
    assert {row["controller"] for row in found["standings"] if row["plant"] == "quadruple_tank"} == {"pid"}


def test_numbers_stand_flush_right_and_words_flush_left_and_a_bar_in_a_cell_ends_none() -> None:
    heads, rows = ("name", "size"), [("|a|", "1")]
    assert pipes(heads, rows).splitlines() == ["| name | size |", "| --- | --: |", "| \\|a\\| | 1 |"]
    assert worded(heads, iter(rows)).splitlines() == ["| name | size |", "| --- | --- |", "| \\|a\\| | 1 |"]


@pytest.mark.parametrize(
    ("share", "told"), [(1.0, "100 %"), (0.995, "100 %"), (0.9949, "99 %"), (9.98e-4, "0.1 %"), (0.0, "0 %")]
)
def test_a_share_is_told_to_two_figures_and_never_as_a_power_of_ten(share: float, told: str) -> None:
    assert (rounded_percent(share), signed_percent(share)) == (told, f"+{told}")
