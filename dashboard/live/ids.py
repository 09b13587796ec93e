"""Names by which callbacks and the page's script find the parts of the live page."""

from __future__ import annotations

PAGE = "live"
START = "live-start"
FORM = "live-form"
SEED = "live-seed"
PROBLEM = "live-problem"
SCREEN = "live-screen"
PLAN = "live-plan"
TREND = "live-trend"
BEAT = "live-beat"
