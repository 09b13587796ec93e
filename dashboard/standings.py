"""How controllers stand, as the rows of a table and in sentences: the same words in a terminal, in Markdown and in a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dashboard.figures import shown_name, unit_text

if TYPE_CHECKING:
    from controller.findings import Findings
    from controller.overall import Overall, Trade
    from controller.standing import Standing
    from controller.statistics import Interval

HEADS = ("controller", "runs", "cost", "saves against PID", "relative", "wins", "worst tenth", "worst part", "score",
         "limits crossed", "trips", "verdict")  # fmt: skip
OVERALL_HEADS = ("controller", "cases", "IQM of gains", "95 % interval", "P(improvement)", "ahead", "unclear", "behind",
                 "limits crossed")  # fmt: skip
ABOUT = {
    "runs": "held-out episodes, times trained policies",
    "cost": "mean objective of an episode, lower is better",
    "saves against PID": "mean saving over the same episodes and its 95 % interval; above zero is better than PID",
    "relative": "the saving as a share of PID's cost on tracking plants, else of what PID gains over a floor that ran",
    "wins": "share of episodes in which it costs less than PID",
    "worst tenth": "mean cost of the worst tenth of the episodes (CVaR 90 %)",
    "worst part": "the sixth of the episode in which it loses most against PID, and its cost there against PID's",
    "score": "0 = PID, 1 = NMPC that knows what a policy knows; 'no gap' where NMPC is not ahead of PID",
    "P(improvement)": "how likely an episode of it is better than any one of PID, unpaired; 'wins' are the same episodes",
    "limits crossed": "episodes in which a hard limit was crossed, and the rate that is ruled out with 95 % confidence",
}


def number(value: float) -> str:
    """Return a number with four significant digits, without an exponent where it reads well without."""
    text = f"{value:.4g}"
    return f"{value:.0f}".replace("-", "−") if "e+0" in text and abs(value) < 1e7 else text.replace("-", "−")


def row(standing: Standing) -> tuple[str, ...]:
    """Return a controller's row under ``HEADS``."""
    crossed = f"{standing.violations} (< {percent(standing.rate)})"
    trips = str(standing.trips) + (f" + {standing.failed} failed" if standing.failed else "")
    return (
        shown_name(standing.label), _runs(standing), number(standing.cost), _interval(standing.saved),
        "" if standing.saved is None else signed_percent(standing.saved.mean / standing.share),
        "" if standing.wins is None else percent(standing.wins), number(standing.cvar), _segment(standing), _score(standing),
        crossed, trips, standing.verdict,
    )  # fmt: skip


def title(standing: Standing) -> str:
    """Return what heads a case's table, with what it asks where its name does not say so, and the unit of its costs."""
    case, unit = standing.case, "" if standing.unit in ("", "1") else f", cost in {unit_text(standing.unit)}"
    return case.title + ("" if case.protocol == case.scenario else f" ({case.protocol})") + unit


def overall_row(each: Overall) -> tuple[str, ...]:
    """Return a controller's row under ``OVERALL_HEADS``."""
    low, high = signed_percent(each.iqm.low), signed_percent(each.iqm.high)
    return (
        shown_name(each.label), str(each.cases), signed_percent(each.iqm.mean), f"{low} to {high}", percent(each.improvement),
        str(each.ahead), str(each.cases - each.ahead - each.behind), str(each.behind), f"{each.violations} of {each.episodes}",
    )  # fmt: skip


def sentences(findings: Findings) -> list[str]:
    """Return in plain words who wins, by how much, how sure that is, and what was violated."""
    said = [_said(each) for each in findings.overall]
    trades = findings.trades
    return said + [text for trade in trades for text in _equal_comfort(trade)]


def _said(each: Overall) -> str:
    where = f"in {each.ahead} of {each.cases} cases" if each.cases > 1 else "here" if each.ahead else "nowhere"
    behind = f", behind in {each.behind}" if each.behind else ""
    gain = f"typical gain {signed_percent(each.iqm.mean)} ({signed_percent(each.iqm.low)} to "
    crossed = f"hard limits crossed in {each.violations} of {each.episodes} episodes, by PID in {each.pid} of {each.compared}"
    own, pid = (percent(rate) for rate in each.rates)
    crossed += f" ({own} and {pid} where every case weighs the same)" if each.cases > 1 and any(each.rates) else ""
    return f"{shown_name(each.label)} is ahead of PID {where}{behind}; {gain}{signed_percent(each.iqm.high)}); {crossed}"


def _equal_comfort(trade: Trade) -> list[str]:
    return [
        f"{trade.title}: at equal comfort {shown_name(label)} saves {number(saved.mean)} {trade.unit} "
        f"({number(saved.low)} to {number(saved.high)}) an episode against PID"
        for label, saved in trade.saved.items()
        if label not in BELOW
    ]


def by_case(standings: Sequence[Standing]) -> list[list[Standing]]:
    """Return the rows of each case."""
    found: dict[str, list[Standing]] = {}
    for each in standings:
        found.setdefault(each.case.title, []).append(each)
    return list(found.values())


BELOW = ("constant", "rule")
"""Those of which nobody asks what they save at equal comfort."""
SHORT = ("case", "controller", "runs", "cost", "saves against PID", "relative", "wins", "limits crossed", "verdict")
PLANTS = ("plant", *OVERALL_HEADS)
MANY = 12
"""Cases beyond which a terminal shows one row for each plant and controller."""


def terminal_rows(findings: Findings) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return heads and rows of the one table that a terminal shows."""
    if len(findings.cases) <= MANY:
        return SHORT, _short(findings.standings)
    return PLANTS, [
        (name if i == 0 else "", *overall_row(each))
        for name, part in findings.by_plant().items() for i, each in enumerate(part.overall)
    ]  # fmt: skip


def _short(standings: Sequence[Standing]) -> list[tuple[str, ...]]:
    """Return the rows under ``SHORT``, each case named once."""
    at = [HEADS.index(head) for head in SHORT[1:]]
    return [
        (title(rows[0]) if i == 0 else "", *(row(each)[k] for k in at))
        for rows in by_case(standings) for i, each in enumerate(rows)
    ]  # fmt: skip


def percent(share: float) -> str:
    """Return a share in per cent."""
    return f"{100 * share:.3g} %"


def rounded_percent(share: float) -> str:
    """Return a share in per cent, to two figures."""
    return _two_figures(100 * share)


def signed_percent(share: float) -> str:
    """Return a share in per cent with its sign."""
    return _two_figures(100 * share, "+").replace("-", "−")


def _two_figures(value: float, sign: str = "") -> str:
    return f"{value:{sign}.0f} %" if abs(value) >= 99.5 else f"{value:{sign}.2g} %"


def _runs(standing: Standing) -> str:
    return f"{standing.episodes}" + (f" × {standing.policies}" if standing.policies > 1 else "")


def _interval(saved: Interval | None) -> str:
    return "" if saved is None else f"{number(saved.mean)} ({number(saved.low)} to {number(saved.high)})"


def _segment(standing: Standing) -> str:
    part, own, pid = standing.segment
    if not np.isfinite(own):
        return ""
    return f"{part}: {number(own)}" + ("" if pid is None else f" / {number(pid)}")


def _score(standing: Standing) -> str:
    if standing.score is None:
        return standing.gap
    return f"{standing.score.mean:.2f} ({standing.score.low:.2f} to {standing.score.high:.2f})".replace("-", "−")
