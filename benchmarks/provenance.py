"""The options that every benchmark takes, and how it tells what it found and where that comes from."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from controller.provenance import provenance


def parser(description: str) -> argparse.ArgumentParser:
    """Return the options that every benchmark takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--plants", type=lambda text: tuple(text.split(",")), help="names, separated by commas")
    parser.add_argument("--out", type=Path, help="also write the JSON to this file")
    return parser


def arguments(description: str) -> argparse.Namespace:
    """Return what was given of the options that every benchmark takes."""
    return parser(description).parse_args()


def report(result: dict[str, Any], options: argparse.Namespace) -> None:
    """Print a result and write it where asked."""
    whole = result | provenance()
    text = json.dumps(whole, indent=1)
    if options.out:
        options.out.write_text(text + "\n")
    print(text if options.json else "\n".join(f"{key}: {value}" for key, value in result.items()))
