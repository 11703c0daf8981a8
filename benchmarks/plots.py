"""Draw docs/images/performance.svg from the stored results; runs in the environment of requirements/plots.txt."""

from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter
from report import BARE, OURS, PAGE, comparisons, load, median

# Equal results give equal bytes, and text stays text.
mpl.rcParams.update({"svg.hashsalt": "airflow-zendesk", "svg.fonttype": "none", "font.size": 9})
TEAL, GREY, ORANGE = "#00796b", "#9e9e9e", "#e65100"


def main() -> None:
    """Draw CPU and memory of all tools in the largest comparison, and the growth of the export."""
    figure, axes = plt.subplots(2, 2, figsize=(9, 6.5), layout="constrained")
    results, growth = comparisons()[-1], load("growth")
    names = list(results["runs"])[::-1]
    colours = [TEAL if name == OURS else ORANGE if name == BARE else GREY for name in names]
    events = results["events"]
    for axis, key, scale, label in (
        (axes[0][0], "cpu", 1e6 / events, "CPU seconds per million events"),
        (axes[0][1], "memory", 1e-6, "peak memory in MB"),
    ):
        bars = axis.barh(names, [median(results["runs"][name], key) * scale for name in names], color=colours)
        axis.bar_label(bars, fmt="{:,.0f}", padding=3)
        axis.set_title(f"{label} ({events:,} events)", fontsize=9)
        axis.margins(x=0.2)
    axes[0][1].set_yticklabels([])
    grow(axes[1][0], growth["windows"], "events", "events of the window, in slices of one day")
    grow(axes[1][1], growth["slices"], "slices", f"slices of {growth['slices'][0]['events']:,} events")
    figure.savefig(PAGE.parent / "images" / "performance.svg", metadata={"Date": None})


def grow(axis: Axes, measured: list[dict[str, Any]], key: str, label: str) -> None:
    """Draw time, CPU time and memory of the export against events or slices."""
    x = [each[key] for each in measured]
    for figure, name, style in (("seconds", "seconds", "o-"), ("cpu", "CPU seconds", "s--")):
        axis.plot(x, [median(each["runs"], figure) for each in measured], style, color=TEAL, label=name)
    memory = axis.twinx()
    memory.plot(x, [median(each["runs"], "memory") / 1e6 for each in measured], "^:", color=ORANGE, label="peak MB")
    if key == "events":
        axis.xaxis.set_major_formatter(EngFormatter())
    else:
        axis.set_xscale("log")
        axis.set_xticks(x, [str(each) for each in x])
        axis.set_xticks([], minor=True)
    axis.set_xlabel(label)
    for side, unit in ((axis, "seconds"), (memory, "MB")):
        side.set_ylabel(unit)
        side.set_ylim(0, 1.1 * side.get_ylim()[1])
    lines = [*axis.get_lines(), *memory.get_lines()]
    axis.legend(lines, [str(line.get_label()) for line in lines], loc="lower right", fontsize=8)


if __name__ == "__main__":
    main()
