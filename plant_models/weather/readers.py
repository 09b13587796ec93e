"""Typical years from files: EPW (EnergyPlus weather) and NREL's TMY3 csv.

Formats: "EnergyPlus Weather File (EPW) Data Dictionary", Auxiliary Programs, EnergyPlus documentation; S. Wilcox and W. Marion,
"Users Manual for TMY3 Data Sets", NREL/TP-581-43156 (2008). A leap year's file of 8784 hours loses its 29 February: every
year of this package has 365 days.
"""

from __future__ import annotations

import csv
from pathlib import Path

from plant_models.core.errors import BadInput, InvalidFile
from plant_models.core.quantity import ZERO_C
from plant_models.weather.rows import Field, Row, Stamp, hourly, number, read_lines
from plant_models.weather.year import WeatherYear, check_place

EPW_HEADER = (
    "LOCATION",
    "DESIGN CONDITIONS",
    "TYPICAL/EXTREME PERIODS",
    "GROUND TEMPERATURES",
    "HOLIDAYS/DAYLIGHT SAVINGS",
    "COMMENTS 1",
    "COMMENTS 2",
    "DATA PERIODS",
)

EPW_FIELDS = (
    Field("dry_bulb", "dry bulb temperature [degC]", 6, -70.0, 60.0, 99.9, ZERO_C),
    Field("relative_humidity", "relative humidity [%]", 8, 0.0, 110.0, 999.0),
    Field("ghi", "global horizontal radiation [Wh/m2]", 13, 0.0, 1500.0, 9999.0),
    Field("dni", "direct normal radiation [Wh/m2]", 14, 0.0, 1500.0, 9999.0),
    Field("dhi", "diffuse horizontal radiation [Wh/m2]", 15, 0.0, 1500.0, 9999.0),
    Field("wind_speed", "wind speed [m/s]", 21, 0.0, 40.0, 999.0),
)

TMY3_FIELDS = (
    Field("dry_bulb", "Dry-bulb (C)", -1, -70.0, 60.0, -9900.0, ZERO_C),
    Field("relative_humidity", "RHum (%)", -1, 0.0, 110.0, -9900.0),
    Field("ghi", "GHI (W/m^2)", -1, 0.0, 1500.0, -9900.0),
    Field("dni", "DNI (W/m^2)", -1, 0.0, 1500.0, -9900.0),
    Field("dhi", "DHI (W/m^2)", -1, 0.0, 1500.0, -9900.0),
    Field("wind_speed", "Wspd (m/s)", -1, 0.0, 40.0, -9900.0),
)
TMY3_DATE, TMY3_TIME = "Date (MM/DD/YYYY)", "Time (HH:MM)"


def read(path: str | Path) -> WeatherYear:
    """Return the year in an EPW or TMY3 file, told apart by content, else by suffix.

    Raises:
        InvalidFile: where it is neither, or cannot be used.
    """
    file = Path(path)
    lines = read_lines(file)
    if lines[0].startswith("LOCATION,") or file.suffix.lower() == ".epw":
        return _epw(file, lines)
    if file.suffix.lower() == ".csv" or any(line.startswith(TMY3_DATE) for line in lines[1:2]):
        return _tmy3(file, lines)
    raise InvalidFile(file, "format", f"suffix {file.suffix!r} given, .epw (EnergyPlus weather) or .csv (NREL TMY3) allowed")


def read_epw(path: str | Path) -> WeatherYear:
    """Return the year in an EPW file of hourly records; a 29 February is dropped.

    Raises:
        InvalidFile: where the header is incomplete or out of order, or an hour is missing, out of order or not usable.
    """
    return _epw(Path(path), read_lines(Path(path)))


def read_tmy3(path: str | Path) -> WeatherYear:
    """Return the year in an NREL TMY3 csv file; a 29 February is dropped.

    Raises:
        InvalidFile: where a column is missing, or an hour is missing, out of order or not usable.
    """
    return _tmy3(Path(path), read_lines(Path(path)))


def _epw(path: Path, lines: list[str]) -> WeatherYear:
    for line, key in enumerate(EPW_HEADER, start=1):
        given = lines[line - 1].split(",", 1)[0].strip() if line <= len(lines) else "end of file"
        if given.upper() != key:
            raise InvalidFile(path, f"line {line}", f"{given[:30]!r} given, {key!r} expected: the header of an EPW has 8 lines")
    place = lines[0].split(",")
    if len(place) < 9:
        raise InvalidFile(path, "LOCATION", f"{len(place)} fields given, at least 9 allowed")
    _hourly_records(path, lines[len(EPW_HEADER) - 1].split(","))
    first = len(EPW_HEADER) + 1
    cells = [(line, text.split(",")) for line, text in enumerate(lines[first - 1 :], start=first) if text.strip()]
    rows = [Row(line, _epw_stamp(path, line, row), row) for line, row in cells]
    name = ", ".join(filter(None, (" ".join(part.split()) for part in place[1:4])))
    return _year(path, name, place[5], place[6:9], f"EPW, {place[4]}", rows, EPW_FIELDS)


def _hourly_records(path: Path, periods: list[str]) -> None:
    given = [field.strip() for field in periods[1:3]]
    if given != ["1", "1"]:
        problem = f"{', '.join(given) or 'nothing'} given, '1, 1' allowed: one period, one record an hour"
        raise InvalidFile(path, "DATA PERIODS", problem)


def _epw_stamp(path: Path, line: int, cells: list[str]) -> Stamp:
    if len(cells) < 4:
        raise InvalidFile(path, f"line {line}", f"{len(cells)} columns given, 35 allowed")
    month, day, hour = (_whole(path, line, cell) for cell in cells[1:4])
    return month, day, hour


def _tmy3(path: Path, lines: list[str]) -> WeatherYear:
    table = [_cells(path, line, text) for line, text in enumerate(lines, start=1)]
    if len(table) < 2 or len(table[0]) < 7:
        problem = f"{len(table[0])} fields given, 7 allowed: station, name, state, timezone, latitude, longitude, elevation"
        raise InvalidFile(path, "line 1", problem)
    place, header = table[0], [key.strip() for key in table[1]]
    fields = [_found(path, header, field) for field in TMY3_FIELDS]
    date, time = _index(path, header, TMY3_DATE), _index(path, header, TMY3_TIME)
    cells = [(line, row) for line, row in enumerate(table[2:], start=3) if row]
    rows = [Row(line, _tmy3_stamp(path, line, row, date, time), row) for line, row in cells]
    name = f"{place[1].strip().title()}, {place[2].strip()}, USA"
    return _year(path, name, place[0], [place[4], place[5], place[3]], "TMY3, NREL", rows, fields)


def _cells(path: Path, line: int, text: str) -> list[str]:
    """Return the cells of one line, read alone so that an open quote cannot swallow the lines after it."""
    try:
        return next(csv.reader([text]), [])
    except csv.Error as error:
        raise InvalidFile(path, f"line {line}", f"no comma-separated values given ({error}), a TMY3 row is allowed") from error


def _index(path: Path, header: list[str], key: str) -> int:
    if key not in header:
        raise InvalidFile(path, "line 2", f"no column {key!r} given, the column names of a TMY3 file are expected there")
    return header.index(key)


def _found(path: Path, header: list[str], field: Field) -> Field:
    index = _index(path, header, field.key)
    return Field(field.name, field.key, index, field.low, field.high, field.missing, field.offset)


def _tmy3_stamp(path: Path, line: int, cells: list[str], date: int, time: int) -> Stamp:
    if len(cells) <= max(date, time):
        raise InvalidFile(path, f"line {line}", f"{len(cells)} columns given, as many as in line 2 allowed")
    day, clock = cells[date].split("/"), cells[time].split(":")
    if len(day) != 3 or len(clock) != 2 or clock[1].strip() != "00":
        problem = f"'{cells[date]} {cells[time]}' given, MM/DD/YYYY HH:00 allowed: one row an hour"
        raise InvalidFile(path, f"line {line}, time stamp", problem)
    return _whole(path, line, day[0]), _whole(path, line, day[1]), _whole(path, line, clock[0])


def _whole(path: Path, line: int, text: str) -> int:
    if not text.strip().isdecimal():
        raise InvalidFile(path, f"line {line}, time stamp", f"{text[:20]!r} given, a whole number is allowed")
    return int(text)


def _year(
    path: Path, name: str, station: str, place: list[str], source: str, rows: list[Row], fields: tuple[Field, ...] | list[Field]
) -> WeatherYear:
    """Return the checked year; ``place`` holds latitude, longitude and timezone as text."""
    keys = ("latitude", "longitude", "timezone")
    latitude, longitude, timezone = (number(path, key, text) for key, text in zip(keys, place, strict=True))
    try:
        check_place(latitude, longitude, timezone)
    except BadInput as error:
        raise InvalidFile(path, "location", str(error)) from error
    return WeatherYear(name, station.strip(), latitude, longitude, timezone, source, **hourly(path, rows, fields))
