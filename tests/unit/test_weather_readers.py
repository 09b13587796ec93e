"""Weather files: what is read from a good one, and the one line said of each bad one."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from plant_models.core.errors import InvalidFile
from plant_models.weather import compact, convert
from plant_models.weather.readers import read, read_epw, read_tmy3

EPW_HEADER = [
    "LOCATION,Some  City,VA,USA,TMY3,724030,38.98,-77.47,-5.0,82.0",
    "DESIGN CONDITIONS,0",
    "TYPICAL/EXTREME PERIODS,0",
    "GROUND TEMPERATURES,0",
    "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0",
    "COMMENTS 1,made for a test",
    "COMMENTS 2,none",
    "DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31",
]
TMY3_PLACE = '723170,"SOME CITY",NC,-5.0,36.100,-79.950,273'
TMY3_COLUMNS = ["Date (MM/DD/YYYY)", "Time (HH:MM)", "GHI (W/m^2)", "GHI source", "DNI (W/m^2)", "DHI (W/m^2)"]
TMY3_COLUMNS += ["Dry-bulb (C)", "RHum (%)", "Wspd (m/s)"]

Edit = Callable[[list[str]], None]


def times(year: int) -> list[datetime]:
    """Return the beginnings of the hours of a year."""
    begin = datetime(year, 1, 1)
    return [begin + timedelta(hours=h) for h in range(int((datetime(year + 1, 1, 1) - begin).total_seconds() // 3600))]


def epw(year: int = 1999) -> list[str]:
    """Return the lines of an EPW file whose temperature is the month and whose irradiance is the hour."""
    rows = []
    for t in times(year):
        hour = t.hour + 1
        cells = [str(year), str(t.month), str(t.day), str(hour), "0", "?9", f"{t.month}.5", "1.0", "60", "99000", "0", "0", "300"]
        cells += [str(10 * hour), str(20 * hour), str(5 * hour), "0", "0", "0", "0", "180", "3.1"] + ["0"] * 13
        rows.append(",".join(cells))
    return EPW_HEADER + rows


def tmy3(year: int = 1999) -> list[str]:
    """Return the lines of a TMY3 file with the same content as :func:`epw`."""
    rows = []
    for t in times(year):
        hour = t.hour + 1
        row = [f"{t:%m/%d/%Y}", f"{hour:02d}:00", 10 * hour, 1, 20 * hour, 5 * hour, f"{t.month}.5", 60, "3.1"]
        rows.append(",".join(map(str, row)))
    return [TMY3_PLACE, ",".join(TMY3_COLUMNS), *rows]


def saved(tmp_path: Path, lines: Sequence[str], name: str = "city.epw") -> Path:
    """Write lines to a file and return its path."""
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n")
    return path


def cell(line: int, column: int, text: str) -> Edit:
    """Return an edit that puts ``text`` into one cell; ``line`` counts from 1."""

    def edit(lines: list[str]) -> None:
        cells = next(csv.reader(io.StringIO(lines[line - 1])))
        cells[column] = text
        lines[line - 1] = ",".join(cells)

    return edit


def without(line: int) -> Edit:
    """Return an edit that removes a line."""
    return lambda lines: lines.__delitem__(line - 1)


def swapped(line: int) -> Edit:
    """Return an edit that swaps a line with the next."""

    def edit(lines: list[str]) -> None:
        lines[line - 1], lines[line] = lines[line], lines[line - 1]

    return edit


def cut(line: int) -> Edit:
    """Return an edit that keeps only the first lines."""
    return lambda lines: lines.__delitem__(slice(line, None))


@pytest.mark.parametrize(("lines", "name"), [(epw(), "city.epw"), (tmy3(), "city.csv")], ids=["epw", "tmy3"])
def test_a_good_file_gives_its_place_and_its_series_in_si_units(tmp_path: Path, lines: list[str], name: str) -> None:
    year = read(saved(tmp_path, lines, name))
    assert year.name in ("Some City, VA, USA", "Some City, NC, USA")
    assert year.timezone == -5.0
    assert year.dry_bulb[0] == pytest.approx(273.15 + 1.5)
    assert year.dry_bulb[-1] == pytest.approx(273.15 + 12.5)
    np.testing.assert_array_equal(year.ghi[:24], 10.0 * np.arange(1, 25))
    np.testing.assert_array_equal(year.dni, 2.0 * year.ghi)
    np.testing.assert_array_equal(year.dhi, 0.5 * year.ghi)
    assert (year.relative_humidity == 60.0).all()
    assert (year.wind_speed == 3.1).all()


@pytest.mark.parametrize("reader", [read_epw, read], ids=["read_epw", "read"])
def test_a_leap_year_loses_its_29_february(tmp_path: Path, reader: Callable[[Path], object]) -> None:
    leap, usual = read_epw(saved(tmp_path, epw(2000))), read_epw(saved(tmp_path, epw(1999), "usual.epw"))
    np.testing.assert_array_equal(leap.dry_bulb, usual.dry_bulb)
    assert reader(saved(tmp_path, epw(2000))) is not None


def test_the_format_is_told_by_the_content_where_the_suffix_does_not(tmp_path: Path) -> None:
    assert read(saved(tmp_path, epw(), "weather.txt")).station == "724030"
    assert read(saved(tmp_path, tmy3(), "weather.txt")).station == "723170"
    assert read_tmy3(saved(tmp_path, tmy3(), "WEATHER.CSV")).station == "723170"


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "dos.epw"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(epw()).encode())
    assert read(path).wind_speed[0] == 3.1


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_place_with_letters_of_its_own_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "city.epw"
    path.write_bytes("\n".join(epw()).replace("Some  City,VA,USA", "Åre,-,SWE").encode(encoding))
    assert read(path).name == "Åre, -, SWE"


BAD_EPW: list[tuple[str, Edit, str]] = [
    (
        "missing temperature",
        cell(20, 6, "99.9"),
        "line 20, dry bulb temperature [degC]: 99.9, the code for missing, given, -70 to 60 allowed",
    ),
    (
        "missing radiation",
        cell(21, 14, "9999"),
        "line 21, direct normal radiation [Wh/m2]: 9999, the code for missing, given, 0 to 1500 allowed",
    ),
    ("nan", cell(22, 13, "nan"), "line 22, global horizontal radiation [Wh/m2]: nan given, 0 to 1500 allowed"),
    ("infinite", cell(22, 21, "inf"), "line 22, wind speed [m/s]: inf given, 0 to 40 allowed"),
    ("negative", cell(23, 15, "-1"), "line 23, diffuse horizontal radiation [Wh/m2]: -1 given, 0 to 1500 allowed"),
    ("text", cell(24, 8, "wet"), "line 24, relative humidity [%]: 'wet' given, a number is allowed"),
    ("empty", cell(24, 8, ""), "line 24, relative humidity [%]: '' given, a number is allowed"),
    (
        "hour lost",
        without(30),
        (
            "line 30, time stamp: month 1 day 1 hour 23 given, month 1 day 1 hour 22 expected: "
            "hours must follow one another from 1 January"
        ),
    ),
    (
        "hours swapped",
        swapped(30),
        (
            "line 30, time stamp: month 1 day 1 hour 23 given, month 1 day 1 hour 22 expected: "
            "hours must follow one another from 1 January"
        ),
    ),
    ("cut short", cut(8000), "rows: 7992 hourly rows given, 8760 allowed, or 8784 in a leap year"),
    ("no rows", cut(8), "rows: 0 hourly rows given, 8760 allowed, or 8784 in a leap year"),
    (
        "short row",
        lambda lines: lines.__setitem__(39, ",".join(lines[39].split(",")[:10])),
        "line 40, global horizontal radiation [Wh/m2]: 10 columns given, at least 14 allowed",
    ),
    ("bad stamp", cell(40, 3, "1.5"), "line 40, time stamp: '1.5' given, a whole number is allowed"),
    (
        "header swapped",
        swapped(1),
        "line 1: 'DESIGN CONDITIONS' given, 'LOCATION' expected: the header of an EPW has 8 lines",
    ),
    (
        "header line lost",
        without(5),
        "line 5: 'COMMENTS 1' given, 'HOLIDAYS/DAYLIGHT SAVINGS' expected: the header of an EPW has 8 lines",
    ),
    (
        "header cut",
        cut(3),
        "line 4: 'end of file' given, 'GROUND TEMPERATURES' expected: the header of an EPW has 8 lines",
    ),
    (
        "four records an hour",
        cell(8, 2, "4"),
        "DATA PERIODS: 1, 4 given, '1, 1' allowed: one period, one record an hour",
    ),
    ("latitude text", cell(1, 6, "north"), "latitude: 'north' given, a number is allowed"),
    (
        "place swapped",
        lambda lines: lines.__setitem__(0, "LOCATION,A,B,C,D,1,-77.47,38.98,-5.0,82.0"),
        (
            "location: longitude: 38.98 given with timezone -5 h, at most 4 h from solar time allowed; "
            "are latitude, longitude or signs swapped?"
        ),
    ),
    ("place short", lambda lines: lines.__setitem__(0, "LOCATION,A,B"), "LOCATION: 3 fields given, at least 9 allowed"),
]


@pytest.mark.parametrize(("edit", "problem"), [bad[1:] for bad in BAD_EPW], ids=[bad[0] for bad in BAD_EPW])
def test_a_bad_epw_is_refused_in_one_line(tmp_path: Path, edit: Edit, problem: str) -> None:
    lines = epw()
    edit(lines)
    path = saved(tmp_path, lines)
    with pytest.raises(InvalidFile) as refused:
        read(path)
    assert str(refused.value) == f"{path}: {problem}"


BAD_TMY3: list[tuple[str, Edit, str]] = [
    (
        "column lost",
        cell(2, 4, "DNI"),
        "line 2: no column 'DNI (W/m^2)' given, the column names of a TMY3 file are expected there",
    ),
    (
        "header swapped",
        swapped(1),
        "line 2: no column 'Dry-bulb (C)' given, the column names of a TMY3 file are expected there",
    ),
    (
        "missing",
        cell(50, 6, "-9900"),
        "line 50, Dry-bulb (C): -9900, the code for missing, given, -70 to 60 allowed",
    ),
    (
        "half hour",
        cell(50, 1, "24:30"),
        "line 50, time stamp: '01/02/1999 24:30' given, MM/DD/YYYY HH:00 allowed: one row an hour",
    ),
    ("hour lost", without(8762), "rows: 8759 hourly rows given, 8760 allowed, or 8784 in a leap year"),
    (
        "open quote",
        cell(60, 2, '"10'),
        "line 60, Dry-bulb (C): 3 columns given, at least 7 allowed",
    ),
    (
        "endless line",
        cell(60, 2, "1" * 140_000),
        "line 60: no comma-separated values given (field larger than field limit (131072)), a TMY3 row is allowed",
    ),
    (
        "no place",
        lambda lines: lines.__setitem__(0, "723170"),
        "line 1: 1 fields given, 7 allowed: station, name, state, timezone, latitude, longitude, elevation",
    ),
    (
        "short row",
        lambda lines: lines.__setitem__(2, "01/01/1999"),
        "line 3: 1 columns given, as many as in line 2 allowed",
    ),
]


@pytest.mark.parametrize(("edit", "problem"), [bad[1:] for bad in BAD_TMY3], ids=[bad[0] for bad in BAD_TMY3])
def test_a_bad_tmy3_is_refused_in_one_line(tmp_path: Path, edit: Edit, problem: str) -> None:
    lines = tmy3()
    edit(lines)
    path = saved(tmp_path, lines, "city.csv")
    with pytest.raises(InvalidFile) as refused:
        read(path)
    assert str(refused.value) == f"{path}: {problem}"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "file: no such file given, the path of a weather file is allowed"),
        (b"", "size: 0 bytes given, 1 to 20000000 allowed"),
        (b"x" * 20_000_001, "size: 20000001 bytes given, 1 to 20000000 allowed"),
        (b"LOCATION,\0", "file: binary content given, text is allowed"),
        (b"hello\n", "format: suffix '.txt' given, .epw (EnergyPlus weather) or .csv (NREL TMY3) allowed"),
    ],
    ids=["absent", "empty", "large", "binary", "other"],
)
def test_what_is_no_weather_file_is_refused_in_one_line(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "weather.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidFile) as refused:
        read(path)
    assert str(refused.value) == f"{path}: {problem}"


def test_a_folder_is_no_weather_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="no such file given"):
        read(tmp_path)


def test_conversion_keeps_every_value_and_leaves_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = saved(tmp_path, epw()), tmp_path / "out.npz"
    assert convert.main([str(source), str(out)]) == 0
    assert "Some City, VA, USA" in capsys.readouterr().out
    with out.open("rb") as file:
        stored = compact.read(file)
    original = read(source)
    for (column, kept), (_, given) in zip(stored.columns(), original.columns(), strict=True):
        np.testing.assert_allclose(kept, given, atol=1e-9, err_msg=column.name)
    assert (stored.name, stored.station, stored.latitude) == (original.name, original.station, original.latitude)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["city.epw", "out.npz"]


def test_a_conversion_that_fails_half_way_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise MemoryError

    source, out = saved(tmp_path, epw()), tmp_path / "out.npz"
    out.write_bytes(b"old")
    monkeypatch.setattr(np, "savez_compressed", fails)
    with pytest.raises(MemoryError):
        convert.main([str(source), str(out)])
    assert out.read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["city.epw", "out.npz"]


def test_conversion_of_a_bad_file_says_so_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.npz"
    assert convert.main([str(tmp_path / "absent.epw"), str(out)]) == 2
    said = capsys.readouterr().err
    assert said == f"{tmp_path / 'absent.epw'}: file: no such file given, the path of a weather file is allowed\n"
    assert not out.exists()


def test_conversion_into_an_absent_folder_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert.main([str(saved(tmp_path, epw())), str(tmp_path / "absent" / "out.npz")]) == 2
    assert "not writable" in capsys.readouterr().err
