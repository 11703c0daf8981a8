"""Write the stored results of `make bench` into docs/performance.md; with --check, fail if the page differs."""

import json
import re
import statistics
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
#: The names of this package's export and of the least work, in the results.
OURS, BARE = "airflow-zendesk export", "bare pipeline, without checks"
_BLOCK = re.compile(r"(<!-- (\w+): written by make bench -->\n).*?(<!-- end -->)", re.DOTALL)


def load(name: str) -> dict[str, Any]:
    """Return the results of one part."""
    content: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return content


def comparisons() -> list[dict[str, Any]]:
    """Return the comparisons, the smallest first."""
    return sorted((load(path.stem) for path in RESULTS.glob("comparison-*.json")), key=lambda each: int(each["events"]))


def median(runs: list[dict[str, Any]], key: str) -> float:
    """Return the median of a figure over all rounds."""
    return float(statistics.median(run[key] for run in runs))


def ratio(runs: list[dict[str, Any]], others: list[dict[str, Any]], key: str) -> str:
    """Return the median of the ratios of each round, with the smallest and the largest."""
    ratios = [run[key] / other[key] for run, other in zip(runs, others, strict=True)]
    low, middle, high = (f"{each:.2f}" for each in (min(ratios), statistics.median(ratios), max(ratios)))
    return f"{middle} ({low} to {high})"


def comparison_table(results: dict[str, Any]) -> list[str]:
    """Return the table of one size."""
    events, days, runs = results["events"], results["days"], results["runs"]
    lines = [
        f"{events:,} events in {days} day{'s' * (days > 1)}, medians of {len(runs[OURS])} rounds ({results['date']}):",
        "",
        "| tool | events/s | time, ratio | CPU s per million | CPU, ratio | peak MB | requests | lost | repeated |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, rounds in runs.items():
        assert name == BARE or not any(run["outside"] for run in rounds), (
            f"{name} exported events outside of the window"
        )
        lost, repeated, requests = (max(run[key] for run in rounds) for key in ("lost", "repeated", "requests"))
        ratios = [ratio(rounds, runs[OURS], key) if name != OURS else "1" for key in ("seconds", "cpu")]
        lines.append(
            f"| {name} | {events / median(rounds, 'seconds'):,.0f} | {ratios[0]} "
            f"| {median(rounds, 'cpu') / events * 1e6:,.0f} | {ratios[1]} | {median(rounds, 'memory') / 1e6:,.0f} "
            f"| {requests:,} | {lost:,} | {repeated:,} |"
        )
    return lines


def limit_table(sizes: list[dict[str, Any]]) -> list[str]:
    """Return what the export needs compared with the least work, also without the fixed cost of a start."""
    lines = [
        "| CPU s per million events | export | bare pipeline | bare / export |",
        "|---|--:|--:|--:|",
    ]
    for size in sizes:
        ours, bare = (median(size["runs"][name], "cpu") / size["events"] * 1e6 for name in (OURS, BARE))
        share = ratio(size["runs"][BARE], size["runs"][OURS], "cpu")
        lines.append(f"| {size['events']:,} events | {ours:,.0f} | {bare:,.0f} | {share} |")
    for first, last in pairwise(sizes):
        more = (last["events"] - first["events"]) / 1e6
        ours, bare = (
            (median(last["runs"][name], "cpu") - median(first["runs"][name], "cpu")) / more for name in (OURS, BARE)
        )
        lines.append(
            f"| from {first['events']:,} to {last['events']:,} | {ours:,.0f} | {bare:,.0f} | {bare / ours:.2f} |"
        )
    return lines


def growth_table(measured: list[dict[str, Any]]) -> list[str]:
    """Return a table of growth."""
    lines = [
        "| events | slices | seconds | CPU s | CPU s per million | peak MB | lost | repeated |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for each in measured:
        events, runs = each["events"], each["runs"]
        lines.append(
            f"| {events:,} | {each['slices']} | {median(runs, 'seconds'):.1f} | {median(runs, 'cpu'):.1f} "
            f"| {median(runs, 'cpu') / events * 1e6:,.0f} | {median(runs, 'memory') / 1e6:,.0f} "
            f"| {max(run['lost'] for run in runs)} | {max(run['repeated'] for run in runs)} |"
        )
    return lines


def blocks() -> dict[str, str]:
    """Return the texts of the page that follow from the results."""
    sizes, growth = comparisons(), load("growth")
    versions = ", ".join(f"{name} {version}" for name, version in sizes[-1]["versions"].items())
    rounds = len(growth["windows"][0]["runs"])
    return {
        "comparison": "\n\n".join("\n".join(comparison_table(each)) for each in sizes),
        "limit": "\n".join(limit_table(sizes)),
        "versions": f"{sizes[-1]['machine']}, Python {sizes[-1]['python']}; {versions}.",
        "windows": "\n".join(
            [f"Runs of each size: {rounds}; medians ({growth['date']}):", "", *growth_table(growth["windows"])]
        ),
        "slices": "\n".join(growth_table(growth["slices"])),
    }


def render(page: str) -> str:
    """Return the page with its blocks replaced."""
    texts = blocks()
    assert set(texts) == {match[2] for match in _BLOCK.finditer(page)}, "the markers of the page differ from its blocks"
    return _BLOCK.sub(lambda match: f"{match[1]}\n{texts[match[2]]}\n\n{match[3]}", page)


def update_page() -> None:
    """Write the stored results into the page."""
    PAGE.write_text(render(PAGE.read_text()))


if __name__ == "__main__":
    if "--check" not in sys.argv:
        update_page()
    elif render(PAGE.read_text()) != PAGE.read_text():
        sys.exit(f"The tables of {PAGE.name} are not those of the stored results. Run `python benchmarks/report.py`.")
