"""Names by which callbacks find the parts of a page."""

from __future__ import annotations

URL = "url"
CONTENT = "content"
HIDDEN = "page-hidden"
THEME = "theme"
TICK = "tick"
CHOICE = "choice"
CURVE = "curve"
NOW = "now"
TREND = "trend"

RUNS = "runs"
RUNS_STAMP = "runs-stamp"
RUNS_SEARCH = "runs-search"
RUNS_COMPARE = "runs-compare"
RUNS_CSV = "runs-csv"
RUNS_TAG = "runs-tag"
RUNS_WORDS = "runs-words"
RUNS_ACT = "runs-act"

RUN_HEAD = "run-head"
RUN_NAME = "run-name"
RUN_STAMP = "run-stamp"
RUN_EPISODE = "run-episode"
RUN_TREND = "run-trend"
RUN_KPIS = "run-kpis"
RUN_BODY = "run-body"
RUN_GO = "run-go"
RUN_STOP = "run-stop"
RUN_STOPPED = "run-stopped"

COMPARE_FIGURE = "compare-figure"

PLANT_MAP = "plant-map"
PLANT_MAPPED = "plant-mapped"
PLANT_STEP = "plant-step"
PLANT_STEPPED = "plant-stepped"


def tick(page: str) -> dict[str, str]:
    """The clock of a live page; one pattern for all, so that a hidden browser tab can stop it."""
    return {"type": TICK, "page": page}


def body(page: str) -> str:
    """The part of a page that is renewed."""
    return f"{page}-body"


def of(page: str) -> str:
    """What that part is of; nothing but the page itself writes it."""
    return f"{page}-of"


def seen(page: str) -> str:
    """What the browser has seen of that part."""
    return f"{page}-seen"


def choice(field: str, shown: str) -> dict[str, str]:
    """A picker that writes part of the page's address; ``shown`` is its value as the page was drawn, which is no change."""
    return {"type": CHOICE, "field": field, "shown": shown}


def curve(key: str) -> dict[str, str]:
    """The figure of a logged metric."""
    return {"type": CURVE, "key": key}


def now(key: str) -> dict[str, str]:
    """The last value of a logged metric."""
    return {"type": NOW, "key": key}
