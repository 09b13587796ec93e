"""A typical year as a small .npz of whole numbers, read without pickle and written all or nothing."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import IO

import numpy as np

from plant_models.core.quantity import ZERO_C
from plant_models.weather.sun import Array
from plant_models.weather.year import WeatherYear

SCALES = {"dry_bulb": 0.1, "dni": 1.0, "dhi": 1.0, "ghi": 1.0, "relative_humidity": 1.0, "wind_speed": 0.1}
"""Size of one count, which is the resolution of the TMY3 files; a finer source is rounded to it."""

OFFSETS = {"dry_bulb": ZERO_C}
"""Value of count zero, so that tenths of a degree Celsius stay exact."""


def write(path: Path, year: WeatherYear) -> None:
    """Write ``year`` to ``path`` as int16 counts, by a temporary file beside it."""
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".npz")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            counts = {column.name: _counts(column.name, values) for column, values in year.columns()}
            place = np.array([year.latitude, year.longitude, year.timezone])
            text = np.array([year.name, year.station, year.source])
            np.savez_compressed(file, allow_pickle=False, place=place, text=text, **counts)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise


def read(file: IO[bytes]) -> WeatherYear:
    """Return the year that :func:`write` wrote."""
    with np.load(file, allow_pickle=False) as stored:
        latitude, longitude, timezone = (float(number) for number in stored["place"])
        name, station, source = (str(text) for text in stored["text"])
        series = {key: OFFSETS.get(key, 0.0) + scale * stored[key] for key, scale in SCALES.items()}
    return WeatherYear(name, station, latitude, longitude, timezone, source, **series)


def _counts(name: str, values: Array) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    return np.rint((values - OFFSETS.get(name, 0.0)) / SCALES[name]).astype(np.int16)
