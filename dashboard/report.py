"""Writes a benchmark's report: one HTML file that needs nothing else, Markdown, or CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from plotly import graph_objects as go
from plotly.offline import get_plotlyjs

from dashboard import report_figures as figures
from dashboard.figures import shown_name, unit_text
from dashboard.standings import ABOUT, HEADS, OVERALL_HEADS, by_case, number, overall_row, row, sentences, title
from dashboard.trends import overlay, trends
from plant_models.core.files import write_whole

if TYPE_CHECKING:
    from controller.findings import Findings
    from controller.records import EpisodeRecord
    from controller.standing import Standing

Trends = Sequence[tuple[str, Mapping[str, "EpisodeRecord"]]]
KINDS = (".html", ".md", ".csv")
PAGE = Path(__file__).parent / "report.html"
OPEN = 3
"""Cases whose tables are shown unfolded."""
CSV = ("plant", "duty", "protocol", "scenario", "variant", "controller", "policies", "episodes", "unit", "cost", "saved",
       "saved low", "saved high", "saved share", "win rate", "worst tenth", "gap", "score", "score low", "score high",
       "violations", "violation rate below", "trips", "failed", "verdict", "seconds")  # fmt: skip


def write(path: Path, findings: Findings, shown: Trends) -> None:
    """Write a report whole or not at all, in the format that the file's name ends with; raises OSError."""
    made = {".html": lambda: html(findings, shown), ".md": lambda: markdown(findings), ".csv": lambda: table(findings)}
    write_whole(path, made[path.suffix]())
    path.chmod(0o644)  # to be handed on


def table(findings: Findings) -> str:
    """Return one line for each controller in each case, as CSV."""
    return lines([each.as_json() for each in findings.standings])


def lines(standings: Sequence[Mapping[str, Any]]) -> str:
    """Return standings, as JSON holds them, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV)
    writer.writerows(_line(each) for each in standings)
    return text.getvalue()


def _line(each: Mapping[str, Any]) -> list[object]:
    """A comparison on one plant knows fewer of the columns; what it does not know stays empty."""
    saved, score = each.get("saved") or {}, each.get("score") or {}
    flat = {"saved": saved.get("mean"), "saved low": saved.get("low"), "saved high": saved.get("high"),
            "saved share": each.get("saved_share"), "score": score.get("mean"), "score low": score.get("low"),
            "score high": score.get("high")}  # fmt: skip
    return [flat[key] if key in flat else each.get(key.replace(" ", "_")) for key in CSV]


def markdown(findings: Findings) -> str:
    """Return the report as Markdown: what was found, over all cases, by case, and where it comes from."""
    parts = ["# Benchmark", "\n".join(f"- {text}." for text in sentences(findings))]
    over = [overall_row(each) for each in findings.overall]
    if over:
        parts += ["## Over all cases", pipes(OVERALL_HEADS, over)]
    parts.append("## By case")
    for rows in by_case(findings.standings):
        parts += [f"### {title(rows[0])}", pipes(HEADS, [row(each) for each in rows])]
    if findings.notes:
        parts += ["## Left out", "\n".join(f"- {note}" for note in findings.notes)]
    parts += ["## How to read it", "\n".join(f"- **{head}**: {text}." for head, text in ABOUT.items())]
    parts += ["## Where it comes from", pipes(("", ""), origins(findings))]
    return "\n\n".join(part for part in parts if part) + "\n"


def pipes(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, numbers flush right."""
    return _piped(heads, "--:", rows)


def worded(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown whose cells are words, all flush left."""
    return _piped(heads, "---", rows)


def _piped(heads: Sequence[str], mark: str, rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose columns stand as ``mark`` says, the first flush left."""
    lines = [heads, ["---"] + [mark] * (len(heads) - 1), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def origins(findings: Findings) -> list[tuple[str, str]]:
    """Return name and value of everything a reader needs to repeat the benchmark."""
    origin = findings.provenance()
    machine = origin["machine"]
    rows = [
        ("date", origin["date"]), ("commit", origin["commit"] or "not a checkout"),
        ("machine", f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}"),
        ("python", origin["python"]), ("versions", ", ".join(f"{name} {v}" for name, v in origin["versions"].items())),
        ("episodes", f"held out ({origin['split']}), seed {origin['seed']}"),
        ("cells", f"{origin['cells']}, {origin['computed_now']} computed now, the others kept from before"),
        ("wall time", f"{origin['wall_seconds']:.1f} s; all cells together {origin['cell_seconds']:.1f} s"),
    ]  # fmt: skip
    rows += [(f"plant {name}", digest[:16]) for name, digest in origin["plants"].items()]
    return rows + [(f"policy {name}", digest[:16]) for name, digest in origin["policies"].items()]


def html(findings: Findings, shown: Trends) -> str:
    """Return the report as one HTML file, with Plotly in it once; it asks nobody for anything."""
    cases = by_case(findings.standings)
    drawn = _drawn(findings)
    drawn += [(f"{text} of {shown_name(next(iter(records)))}", "", _trend(records)) for text, records in shown]
    data = {f"figure-{i}": json.loads(figure.to_json()) for i, (_, _, figure) in enumerate(drawn)}
    plants = list(dict.fromkeys(case.case.plant.name for case in findings.cases))
    whose = plants[0] if len(plants) == 1 else f"{len(plants)} plants"
    origin = findings.provenance()
    return Template(PAGE.read_text(encoding="utf-8")).substitute(
        title=escape(f"Benchmark of {whose}"), date=escape(origin["date"]), commit=escape(origin["commit"] or "–"),
        said="".join(f"<li>{escape(text)}</li>" for text in sentences(findings)), overall=_overall(findings),
        figures="".join(_figure(i, text, about) for i, (text, about, _) in enumerate(drawn)),
        cases="".join(_case(rows, i < OPEN, len(cases) <= figures.MANY) for i, rows in enumerate(cases)),
        about="".join(f"<dt>{escape(head)}</dt><dd>{escape(text)}</dd>" for head, text in ABOUT.items()),
        notes="".join(f"<li>{escape(note)}</li>" for note in findings.notes) or "<li>nothing</li>",
        origins=_table(("", ""), origins(findings)), commands=_commands(findings.standings),
        data=json.dumps(data).replace("</", "<\\/"), plotly=get_plotlyjs(),
    )  # fmt: skip


def _drawn(findings: Findings) -> list[tuple[str, str, go.Figure]]:
    """Return the figures of all cases with their titles and what they show."""
    found: list[tuple[str, str, go.Figure]] = []
    profile = "The higher a curve the better; runs are training seeds, or episodes where one policy ran. Bands are at 95 %."
    many = len(findings.cases) > figures.MANY
    whose = "Mean over held-out episodes with its 95 % interval; PID is the line at zero." + " Without a variant." * many
    if findings.overall:
        found += [
            ("Saved against PID", whose,
             figures.intervals(findings)),
            ("Performance profile", profile, figures.profile(findings)),
            ("Who saves where", "Blue is better than PID, red worse.", figures.heat(findings)),
        ]  # fmt: skip
    trades = findings.trades
    if trades:
        about = ("Left and low is better. On buildings cost is without what discomfort is charged, and the dotted line is what "
                 "PID reaches with its setpoints shifted: a point below it is better at equal comfort.")  # fmt: skip
        found.append(("What cost is paid with", about, figures.fronts(trades)))
    return found


def _trend(records: Mapping[str, EpisodeRecord]) -> go.Figure:
    return overlay(records) if len(records) > 1 else trends(next(iter(records.values())))


def _overall(findings: Findings) -> str:
    rows = [overall_row(each) for each in findings.overall]
    return _table(OVERALL_HEADS, rows) if rows else "<p>PID did not run, so there is nothing to compare with.</p>"


def _figure(i: int, text: str, about: str) -> str:
    return (f'<section class="panel"><h2>{escape(text)}</h2><p class="note">{escape(about)}</p>'
            f'<div class="figure" id="figure-{i}"></div></section>')  # fmt: skip


def _case(rows: Sequence[Standing], unfolded: bool, in_full: bool) -> str:
    """Return a case's table, and where there are not too many cases every figure of it, folded."""
    body = _table(HEADS, [row(each) for each in rows], [each.verdict for each in rows])
    if in_full:
        units = {name: unit for each in rows for name, unit in each.units.items()}
        told = [(f"{name} ({unit_text(unit)})", *(_told(each.kpis.get(name)) for each in rows)) for name, unit in units.items()]
        every = _table(("mean of an episode", *(shown_name(each.label) for each in rows)), told)
        body += f'<details class="every"><summary>Every figure</summary>{every}</details>'
    return f"<details{' open' * unfolded}><summary>{escape(title(rows[0]))}</summary>{body}</details>"


def _told(value: float | None) -> str:
    return "" if value is None else number(value)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], kinds: Sequence[str] = ()) -> str:
    """Return a table whose first column names things; ``kinds`` are classes of its rows."""
    head = "".join(f'<th title="{escape(ABOUT.get(name, ""))}">{escape(name)}</th>' for name in heads)
    lines = "".join(
        f'<tr class="{escape(kinds[i] if kinds else "")}">' + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>"
        for i, line in enumerate(rows)
    )
    above = f"<thead><tr>{head}</tr></thead>" if any(heads) else ""
    return f'<div class="scroll"><table>{above}<tbody>{lines}</tbody></table></div>'


def _commands(standings: Sequence[Standing]) -> str:
    """Return the commands that compute each cell again."""
    lines = [f"# {each.case.title}: {each.label}\n" + "\n".join(each.commands) for each in standings]
    return escape("\n".join(lines))
