"""How Sphinx builds this documentation: furo and MyST, offline, with a page for every plant made from its file."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import plants_pages  # noqa: E402

plants_pages.write(HERE / "plants" / "_generated")

project = "setpoint"
author = "setpoint contributors"
copyright = "2026, setpoint contributors"
release = version = "0.1.0"

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "examples"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "setpoint"
html_show_sphinx = False
