"""The page of the documentation that tells the whole benchmark: who wins over all, on which plant, and where PPO loses."""

from __future__ import annotations

from collections.abc import Sequence

from controller.findings import Findings
from controller.overall import uncounted
from controller.standing import NMPC, PID, Standing
from controller.variants import VARIANTS
from dashboard.report import origins, pipes
from dashboard.standings import OVERALL_HEADS, overall_row, sentences, signed_percent

ABOUT = """Every plant, protocol and variant ([](benchmarks.md)) on {episodes} held-out episodes of each case. This page is
written by `python -m benchmarks.whole`; `benchmarks/results/whole.json` has every row."""
RELATIVE = """P(improvement) is unpaired. Gains are relative: to PID's cost on tracking plants, else to what PID gains over its
floor, where a hundredth of it may be little money; IQM is their interquartile mean, in which every case weighs the same. Where
one policy ran, its interval is over episodes alone, drawn alike for the variants of a scenario, which share them: what another
training would bring is not in it. A variant that changes no cost of PID's does not count."""
BESIDE = """Relative gain over PID of NMPC, which knows what the policy knows, on as many of the first episodes as its time
allowed, and of PPO on the same ones; in brackets where the 95 % interval of what is saved holds zero. No variants."""
LATE = "no time was left"
WORST = 40
"""Cases at most in which PPO's losses are listed."""


def page(findings: Findings) -> str:
    """Return the page in Markdown."""
    ppo = [each for each in findings.standings if each.label == "ppo" and each.saved is not None]
    episodes = max(each.episodes for each in findings.standings)
    parts = [
        "# Results of the whole benchmark",
        ABOUT.format(episodes=episodes),
        "\n".join(f"- {text}." for text in sentences(findings) if "equal comfort" not in text),
        "## Over all cases", pipes(OVERALL_HEADS, [overall_row(each) for each in findings.overall]),
        RELATIVE,
        "## PPO against PID by scenario and variant",
        "Relative gain in each variant, in brackets where the 95 % interval of what is saved holds zero.",
        _by_variant(ppo),
        "## NMPC by scenario", BESIDE, _beside_nmpc(findings),
        "## Where PPO loses", _losses(ppo), "## At equal comfort",
        "\n".join(f"- {text}." for text in sentences(findings) if "equal comfort" in text),
        "## The other learners", _learners(findings), "## Policies", _policies(findings), "## Left out", _left_out(findings),
        "## Where it comes from", pipes(("", ""), origins(findings)),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _share(rows: Sequence[Standing]) -> str:
    shares = [each.saved.mean / each.share for each in rows if each.saved is not None]
    return signed_percent(sum(shares) / len(shares)) if shares else "–"


def _by_variant(rows: Sequence[Standing]) -> str:
    """Return a row for each scenario of each plant; in brackets what the 95 % interval leaves open."""
    lines = []
    for plant, scenario in dict.fromkeys((each.case.plant.name, each.case.scenario) for each in rows):
        own = {each.case.variant: each for each in rows if (each.case.plant.name, each.case.scenario) == (plant, scenario)}
        protocol = next(iter(own.values())).case.protocol
        lines.append([plant, scenario, protocol, *(_marked(own.get(variant)) for variant in VARIANTS)])
    return pipes(("plant", "scenario", "protocol", *VARIANTS), lines)


def _marked(each: Standing | None) -> str:
    if each is None:
        return "–"
    return f"({_share([each])})" if each.verdict == "unclear" else _share([each])


def _beside_nmpc(findings: Findings) -> str:
    """Return NMPC's and PPO's gains in every scenario that NMPC ran, on the episodes that it ran."""
    lines = []
    for case in findings.cases:
        if {NMPC, PID} <= set(case.samples):
            n = case.samples[NMPC].cost.shape[1]
            ppo = _marked(case.first("ppo", n).standing("ppo")) if "ppo" in case.samples else "–"
            about = case.case.plant.name, case.case.scenario, case.case.protocol
            lines.append([*about, str(n), _marked(case.standing(NMPC)), ppo])
    return pipes(("plant", "scenario", "protocol", "episodes", "NMPC", "PPO"), lines) if lines else ""


def _losses(rows: Sequence[Standing]) -> str:
    lost = sorted((each for each in rows if each.verdict == "behind"), key=lambda each: each.saved.mean / each.share)  # type: ignore[union-attr]
    lines = [
        [each.case.title, _share([each]), f"{each.violations} of {each.episodes * each.policies}", str(each.trips)]
        for each in lost
    ]
    more = f"\n\nand {len(lines) - WORST} more, in the file." if len(lines) > WORST else ""
    return (
        f"{len(lost)} of {len(rows)} cases, with those that do not count over all.\n\n"
        + pipes(("case", "relative gain", "limits crossed", "trips"), lines[:WORST])
        + more
    )


def _learners(findings: Findings) -> str:
    """Return the learners on the plants that all of them were trained for, without a variant."""
    learners = ("ppo", "a2c", "trpo", "sac", "reinforce")
    cases = [case for case in findings.cases if case.case.variant == "none" and len(set(learners) & set(case.samples)) > 1]
    lines = []
    for case in cases:
        rows = {label: case.standing(label) for label in case.shown() if label in learners and PID in case.samples}
        lines.append([case.case.title, *(_told(rows.get(label)) for label in learners)])
    return pipes(("case", *(name.upper() for name in learners)), lines) if lines else ""


def _told(each: Standing | None) -> str:
    if each is None or each.saved is None:
        return "–"
    return f"{_share([each])} ({signed_percent(each.saved.low / each.share)} to {signed_percent(each.saved.high / each.share)})"


def _left_out(findings: Findings) -> str:
    """Return what the benchmark lacks: plants without a policy of PPO, and what there was no time for."""
    names = dict.fromkeys(case.case.plant.name for case in findings.cases)
    trained = {case.case.plant.name for case in findings.cases if "ppo" in case.samples}
    without = [name for name in names if name not in trained]
    lines = [f"- No policy of PPO was kept for {', '.join(without)}."] if without else []
    lines += [f"- {note}." for note in findings.notes if LATE in note]
    lines += [f"- {text}." for text in uncounted(findings.cases)]
    return "\n".join([*lines, "- NMPC ran no variants, and where it takes long few episodes; its table has their number."])


def _policies(findings: Findings) -> str:
    """Return how many training seeds each learner has on each plant."""
    counts: dict[tuple[str, str], set[str]] = {}
    for case in findings.cases:
        for label, sample in case.samples.items():
            used = {cell.digest for cell in sample.cells if cell.digest}
            if used:
                counts.setdefault((label, case.case.plant.name), set()).update(used)
    words: dict[str, list[str]] = {}
    for (label, plant), used in counts.items():
        words.setdefault(label, []).append(plant + (f" ({len(used)} seeds)" if len(used) > 1 else ""))
    lines = [f"- {label.upper()}, one training seed unless stated: {', '.join(plants)}" for label, plants in words.items()]
    return "\n".join([*lines, *_idle(findings, list(words))])


def _idle(findings: Findings, learners: Sequence[str]) -> list[str]:
    """Return which learners' policies cost what PID costs in every episode of a plant."""
    found: dict[tuple[str, str], bool] = {}
    for case in findings.cases:
        for label in {*learners} & {*case.samples} if PID in case.samples else ():
            same, which = bool((case.samples[label].cost == case.samples[PID].cost).all()), (label, case.case.plant.name)
            found[which] = same and found.get(which, True)
    return [
        f"- {label.upper()} costs what PID costs, to the last digit, in every episode of {', '.join(names)}"
        for label in learners
        if (names := [plant for (other, plant), same in found.items() if same and other == label])
    ]
