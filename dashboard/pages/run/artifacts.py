"""What a run left to take away: its policy's files, its episodes' signals and figures as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

import flask
from dash import Dash, html
from dash.development.base_component import Component

from controller.records import EpisodeRecord, EpisodeRow, RunRecord
from dashboard import components as ui
from dashboard import policies
from dashboard.data import Data
from dashboard.figures import shown_name
from dashboard.pages.run import judged
from plant_models.core.errors import SetpointError

LISTED = 100  # episodes
WHAT = {
    "weights.safetensors": "weights and biases of each layer, float32",
    "manifest.json": "plant and its hash, what is observed, units and ranges, shapes, checksum, versions",
}
KPIS = "kpis.csv"


def body(data: Data, run: RunRecord, query: Mapping[str, str]) -> Sequence[Component]:
    """The files by name with their sizes, and the episodes."""
    rows = data.episodes(run.id)
    return [_files(run), _episodes(data, run, rows)]


def register(app: Dash, data: Data) -> None:
    """Hand out files; each is looked up among those that there are, and no name that is asked for becomes part of a path."""
    server: flask.Flask = app.server

    @server.get("/artifacts/<run>/<path:name>")
    def artifact(run: str, name: str) -> flask.Response:
        found = _known(data, run)
        if name == KPIS:
            return _csv(kpi_csv(data.episodes(found.id)), f"{found.id}-{KPIS}")
        path = policies.files(found).get(name)
        if path is None:
            flask.abort(404)
        return flask.send_file(path, as_attachment=True, download_name=f"{found.id}-{path.name}")

    @server.get("/episodes/<int:number>.csv")
    def episode(number: int) -> flask.Response:
        try:
            record = data.episode(number)
        except SetpointError:
            flask.abort(404)
        return _csv(signal_csv(record), f"{record.plant}-{record.controller}-{number}.csv".replace(" ", "-"))


def _known(data: Data, run: str) -> RunRecord:
    try:
        return data.run(run)
    except SetpointError:
        flask.abort(404)


def _csv(text: str, name: str) -> flask.Response:
    kept = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)
    return flask.Response(text, mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="{kept}"'})


def signal_csv(record: EpisodeRecord) -> str:
    """An episode as a table: time and every signal in the unit that its head names."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([f"time [{record.time_unit}]", *(f"{s.name} {s.role} [{s.unit}]" for s in record.signals)])
    columns = [record.time, *record.values]
    writer.writerows([f"{value:.9g}" for value in row] for row in zip(*columns, strict=True))
    return out.getvalue()


def kpi_csv(rows: Sequence[EpisodeRow]) -> str:
    """Every episode's figures as a table, with units in the head."""
    units = {name: unit for row in rows for name, unit in row.kpi_units.items()}
    names = list(dict.fromkeys(name for row in rows for name in row.kpis))
    out = io.StringIO()
    writer = csv.writer(out)
    heads = [f"{name} [{units[name]}]" if units.get(name) else name for name in names]
    writer.writerow(["plant", "scenario", "seed", "controller", "outcome", *heads])
    for row in rows:
        values = [row.kpis.get(name, "") for name in names]
        writer.writerow([row.plant, row.scenario, row.seed, row.controller, row.outcome, *values])
    return out.getvalue()


def _files(run: RunRecord) -> Component:
    found = policies.files(run)
    if not found:
        hint = (
            "No policy is kept for this run here: only trainings leave one, in the folder that --out names or beside the store."
        )
        return ui.panel("Policy", ui.empty(hint, f"setpoint train {run.plant}"))
    rows: list[list[ui.Cell]] = [
        [
            html.A(name, href=ui.href(f"/artifacts/{run.id}/{name}"), className="link", download=f"{run.id}-{path.name}"),
            "the policy that did best on validation" if name.count("/") == 1 else "the policy as training left it",
            WHAT.get(path.name, ""),
            f"{path.stat().st_size / 1024:,.1f}",
        ]
        for name, path in found.items()
    ]
    folder = html.Code(str(policies.policy_folder(run)), title="give it to --policy")
    return ui.panel("Policy", ui.table(["file", "of", "holds", "size (KiB)"], rows, (3,), "files of the policy"), aside=folder)


def _episodes(data: Data, run: RunRecord, rows: Sequence[EpisodeRow]) -> Component:
    if not rows:
        return ui.panel("Episodes as CSV", judged.nothing(data, run))
    lines: list[list[ui.Cell]] = [
        [
            html.A(f"episode-{row.id}.csv", href=f"/episodes/{row.id}.csv", className="link", download=f"episode-{row.id}.csv"),
            row.scenario, str(row.seed), shown_name(row.controller), ui.outcome(row.outcome),
        ]
        for row in rows[:LISTED]
    ]  # fmt: skip
    table = ui.table(["signals", "scenario", "seed", "controller", "outcome"], lines, (2,), "episodes as CSV")
    every = html.A("figures of all episodes", href=f"/artifacts/{run.id}/{KPIS}", className="link", download=f"{run.id}-{KPIS}")
    more = f", the first {LISTED} listed" if len(rows) > LISTED else ""
    return ui.panel("Episodes as CSV", table, aside=[f"{len(rows)} episodes{more} · ", every])
