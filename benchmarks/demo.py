"""The demonstration over several training seeds, each judged on its own held-out episodes; written for the README's table.

``python -m benchmarks.demo --seeds 0,1,2,3,4``. Each seed writes ``benchmarks/results/demo_seed<N>.json``, seed 0 ``demo.json``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from controller.demo import demo
from controller.historian import Historian
from controller.provenance import provenance
from controller.records import plain

RESULTS = Path(__file__).parent / "results"


def measure(seed: int) -> Path:
    """Run the demonstration with one seed and write its result with where it comes from."""
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, Historian(f"{folder}/runs.db") as historian:
        result = demo(historian, seed=seed)
    whole = {**result, "seed": seed, "seconds": time.perf_counter() - begun, **provenance()}
    path = RESULTS / ("demo.json" if seed == 0 else f"demo_seed{seed}.json")
    RESULTS.mkdir(exist_ok=True)
    path.write_text(json.dumps(plain(whole), indent=1) + "\n")
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0", help="training seeds, separated by commas")
    for given in parser.parse_args().seeds.split(","):
        print(measure(int(given)))
