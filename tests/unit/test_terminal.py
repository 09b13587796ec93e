"""Tables on the terminal: framed where they are short, at once where they are long, and never short of a row."""

from __future__ import annotations

import pytest

from dashboard import terminal


@pytest.mark.parametrize("count", [3, terminal.FRAMED + 1])
def test_every_row_of_a_table_is_shown_whole(count: int, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_table("Runs", ("run", "seed"), [[f"run-{i}", str(10 * i)] for i in range(count)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == "Runs"
    found = [line.replace("│", " ").split() for line in lines]
    assert ["run", "seed"] in [[word.strip("┃") for word in words if word.strip("┃")] for words in found]
    assert [words for words in found if words and words[0].startswith("run-")] == [
        [f"run-{i}", str(10 * i)] for i in range(count)
    ]


def test_a_long_table_stands_in_columns(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_table("Runs", ("run", "seed"), [["x" * (i % 7), str(i)] for i in range(terminal.FRAMED + 1)])
    lines = capsys.readouterr().out.splitlines()[1:]
    assert len({len(line) for line in lines}) == 1
