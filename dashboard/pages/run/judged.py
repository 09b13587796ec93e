"""What stands where a run has no episodes: why, where its policy was judged, and the command that judges it."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from controller.records import RunRecord
from dashboard import components as ui
from dashboard import policies
from dashboard.data import Data
from dashboard.jobs.form import line
from dashboard.subject import subject

SHOWN = 5
"""Comparisons of one policy that are named."""


def nothing(data: Data, run: RunRecord) -> Component:
    """The way to the episodes that a run does not have itself."""
    if run.kind != "train":
        hint = "Episodes appear here as they end." if run.status == "running" else "This run recorded no episodes."
        return ui.empty(hint, line(("benchmark", run.plant)))
    if run.status == "running":
        return ui.empty("A training records no episodes: a comparison judges its policy once it is kept.")
    found = policies.judged_in(run, data.runs())[:SHOWN]
    if not found:
        return ui.empty("A training records no episodes; a comparison judges its policy on held-out ones.", _command(run))
    told = "A training records no episodes; these comparisons judged its policy on held-out ones." if found[1:] else (
        "A training records no episodes; this comparison judged its policy on held-out ones."
    )  # fmt: skip
    links = [html.Li([ui.link(each.id, f"/runs/{each.id}"), f" · {ui.moment(each.started)}"]) for each in found]
    return html.Div([ui.empty(told), html.Ul(links, className="plain")])


def _command(run: RunRecord) -> str:
    """The command that judges the policy that a training kept, or that some other training will."""
    folder = policies.policy_folder(run)
    named = ("--policy", str(folder)) if policies.fingerprint(run) else ()
    return line(("benchmark", run.plant, "--controllers", f"pid,{subject(run)}", *named))
