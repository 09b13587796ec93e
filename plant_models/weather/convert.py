"""Turn an EPW or TMY3 file into a bundled year: ``python -m plant_models.weather.convert FILE OUT.npz``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from plant_models.core.errors import SetpointError
from plant_models.weather import compact, readers


def main(arguments: list[str] | None = None) -> int:
    """Convert one file and return the exit code: 0, or 2 with one line on what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m plant_models.weather.convert", description=__doc__)
    parser.add_argument("file", type=Path, help="an .epw, or an NREL TMY3 .csv")
    parser.add_argument("out", type=Path, help="the .npz to write")
    given = parser.parse_args(arguments)
    try:
        year = readers.read(given.file)
        compact.write(given.out, year)
    except SetpointError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"{given.out}: file: not writable ({error.strerror}), a file in an existing folder is allowed\n")
        return 2
    sys.stdout.write(f"{given.out}: {year.name}, station {year.station}, {given.out.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
