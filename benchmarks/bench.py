"""Compare the export with other tools, and measure how it grows: `make bench`, or `python benchmarks/bench.py --help`.

Every tool exports the same window of ticket events with comments from the same recorded responses, as a process in its
own virtual environment. The tools take turns, so a busy machine slows all of them. Environments and recordings are kept
in .bench, results in benchmarks/results; docs/performance.md explains them.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from recorder import URL, Recorder
from report import OURS, update_page

from airflow_zendesk import __version__

HERE = Path(__file__).parent
WORK = HERE.parent / ".bench"
#: Far from the present, so that the responses do not depend on the clock.
START = int(datetime(2025, 3, 3, tzinfo=UTC).timestamp())
DAY = 86_400
EVENTS_PER_DAY = 20_000
GROWTH = [20_000, 200_000, 1_000_000, 5_000_000]
#: The slices of one day with many events: their number, and the grain that gives it.
SLICE_EVENTS, GRAINS = 200_000, {1: "1d", 30: "48m", 720: "2m"}
EXPORT = (str(Path(sys.executable).with_name("airflow-zendesk")), "export", "--include", "comment_events")


@dataclass(frozen=True)
class Tool:
    """A script of this folder that takes URL, start, end and a folder; with the name of its environment, if any."""

    name: str
    script: str
    environment: str = ""
    arguments: tuple[str, ...] = ()

    def command(self, start: int, end: int, folder: Path) -> list[str]:
        """Return the command that exports [start, end) to a folder."""
        if self.name == OURS:
            return export_command(start, end, folder)
        python = environment_python(self.environment) if self.environment else sys.executable
        return [python, str(HERE / self.script), URL, str(start), str(end), str(folder), *self.arguments]


TOOLS = (
    Tool(OURS, ""),
    Tool("dlt", "rivals/dlt_parquet.py", "dlt"),
    Tool("dlt, max_table_nesting=0", "rivals/dlt_parquet.py", "dlt", ("0",)),
    Tool("zenpy + pandas", "rivals/zenpy_pandas.py", "zenpy"),
    Tool("requests + pandas", "rivals/requests_pandas.py", "pandas"),
    Tool("Airflow's HttpOperator + pandas", "rivals/airflow_http.py", "airflow"),
    Tool("bare pipeline, without checks", "bare_pipeline.py"),
)


@dataclass(frozen=True)
class Run:
    """What one export took, and how its rows compare with the source."""

    seconds: float
    cpu: float
    memory: int
    requests: int
    lost: int
    repeated: int
    outside: int


def export_command(start: int, end: int, folder: Path, *options: str) -> list[str]:
    """Return the command of this package that exports [start, end) to a folder."""
    bounds = [datetime.fromtimestamp(time, UTC).isoformat() for time in (start, end)]
    return [*EXPORT, "--start", bounds[0], "--end", bounds[1], "--destination", folder.as_uri(), *options]


def environment_python(name: str) -> str:
    """Return the interpreter of a virtual environment, which is created if its requirements are new."""
    requirements, folder = HERE / "requirements" / f"{name}.txt", WORK / "environments" / name
    stamp, python, text = folder / "requirements.txt", folder / "bin" / "python", requirements.read_text()
    if not stamp.exists() or stamp.read_text() != text:
        uv = str(Path(sys.executable).with_name("uv"))
        print(f"Installing the environment {name} ...", flush=True)
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True)  # noqa: S603
        install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python)]
        subprocess.run([*install, "--requirement", str(requirements)], check=True)  # noqa: S603
        stamp.write_text(text)
    return str(python)


def run(
    command: list[str], folder: Path, recorder: Recorder, expected: npt.NDArray[np.int64], *, is_repeat: bool = False
) -> Run:
    """Run one export in a new folder. It is repeated once if responses had to be computed meanwhile."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    recorder.reset()
    result, log = folder / "measured.json", folder / "output.log"
    connection = {"AIRFLOW_CONN_ZENDESK_DEFAULT": json.dumps(recorder.connection())}
    environment = {**os.environ, **connection, "AIRFLOW_HOME": str(folder / "airflow")}
    measure = [sys.executable, "-I", "-S", str(HERE / "measure.py"), str(result)]
    with log.open("w") as out:
        done = subprocess.run([*measure, *command], stdout=out, stderr=out, env=environment, cwd=folder, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed with exit code {done.returncode}. Its output is in {log}.")
    if recorder.recorded and is_repeat:
        sys.exit(
            f"{' '.join(command)} sent other requests when it was run again. Its requests must not depend on the time."
        )
    if recorder.recorded:
        print(f"    recorded {recorder.recorded:,} responses; running it again", flush=True)
        return run(command, folder, recorder, expected, is_repeat=True)
    files = [pq.ParquetFile(path) for path in folder.glob("**/ticket_events/**/*.parquet")]
    rows = np.concatenate([file.read(columns=["id"])["id"].to_numpy() for file in files])
    distinct = np.unique(rows)
    common = np.intersect1d(distinct, expected, assume_unique=True).size
    return Run(
        **json.loads(result.read_text()),
        requests=recorder.requests,
        lost=expected.size - common,
        repeated=rows.size - distinct.size,
        outside=distinct.size - common,
    )


def compare(events: int, rounds: int, *, warm_up: bool) -> None:
    """Run all tools in turn, each round in another order, and store the results after every round.

    A first round that is not timed compiles modules and fills the caches of the disk.
    """
    end = START + max(1, round(events / EVENTS_PER_DAY)) * DAY
    with Recorder(WORK / "recordings", EVENTS_PER_DAY) as recorder:
        expected = recorder.expected_ids(START, end)
        results: dict[str, Any] = {"events": expected.size, "days": (end - START) // DAY, **machine()}
        runs: dict[str, list[Run]] = {tool.name: [] for tool in TOOLS}
        for number in range(0 if warm_up else 1, rounds + 1):
            print(f"{expected.size:,} events, round {number} of {rounds}{'' if number else ', not timed'}", flush=True)
            for tool in TOOLS[number % len(TOOLS) :] + TOOLS[: number % len(TOOLS)]:
                folder = WORK / "output" / str(TOOLS.index(tool))
                result = run(tool.command(START, end, folder), folder, recorder, expected)
                runs[tool.name] += [result] if number else []
                print(f"  {describe(tool.name, result)}", flush=True)
            if number:
                results["runs"] = {name: [asdict(each) for each in done] for name, done in runs.items()}
                store(f"comparison-{events}", results)


def grow(sizes: list[int], rounds: int) -> None:
    """Export windows of growing size, and one day in more and more slices."""
    results: dict[str, Any] = machine()
    with Recorder(WORK / "recordings", EVENTS_PER_DAY) as recorder:
        windows = [(max(1, round(size / EVENTS_PER_DAY)), "1d") for size in sizes]
        results["windows"] = [growth(recorder, days, days, grain, rounds) for days, grain in windows]
    with Recorder(WORK / "recordings", SLICE_EVENTS) as recorder:
        results["slices"] = [growth(recorder, 1, slices, grain, rounds) for slices, grain in GRAINS.items()]
    store("growth", results)


def growth(recorder: Recorder, days: int, slices: int, grain: str, rounds: int) -> dict[str, Any]:
    """Export some days with a grain, and return the result."""
    end, folder = START + days * DAY, WORK / "output" / "growth"
    expected = recorder.expected_ids(START, end)
    command = export_command(START, end, folder, "--grain", grain)
    runs = []
    for _ in range(rounds):
        runs.append(run(command, folder, recorder, expected))
        print(f"  {describe(f'{expected.size:,} events, {slices} slices', runs[-1])}", flush=True)
    return {"events": expected.size, "slices": slices, "runs": [asdict(each) for each in runs]}


def describe(name: str, result: Run) -> str:
    """Return one line of progress."""
    return (
        f"{name:<34}{result.seconds:>8.1f} s{result.cpu:>8.1f} CPU s{result.memory / 1e6:>8,.0f} MB  "
        f"{result.requests} requests, lost {result.lost}, repeated {result.repeated}, outside {result.outside}"
    )


def machine() -> dict[str, Any]:
    """Return where and when it is measured, and the versions."""
    cpu = [line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    versions = {"airflow-zendesk": __version__}
    for name in {tool.environment: tool for tool in TOOLS if tool.environment}:
        versions |= versions_of(name)
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{os.cpu_count()} cores ({cpu[0] if cpu else platform.machine()})",
        "python": platform.python_version(),
        "versions": versions,
    }


def versions_of(name: str) -> dict[str, str]:
    """Return the versions of the packages that the requirements name before their dependencies."""
    uv = str(Path(sys.executable).with_name("uv"))
    command = [uv, "pip", "list", "--quiet", "--format", "json", "--python", environment_python(name)]
    listed = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)  # noqa: S603
    direct = (HERE / "requirements" / f"{name}.txt").read_text().partition("#")[0].split()
    names = {each.partition("==")[0].partition("[")[0] for each in direct}
    return {each["name"]: each["version"] for each in listed if each["name"] in names}


def store(name: str, results: dict[str, Any]) -> None:
    """Write the results of one part."""
    path = HERE / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")


def main() -> None:
    """Measure what the arguments select, draw the plots, and write the tables into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, nargs="*", default=[20_000, 200_000], help="sizes of the comparison")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of the comparison")
    parser.add_argument("--growth", type=int, nargs="*", default=GROWTH, help="sizes of growth")
    parser.add_argument("--growth-rounds", type=int, default=3, help="rounds of each size of growth")
    options = parser.parse_args()
    started = time.monotonic()
    for number, events in enumerate(options.events):
        compare(events, options.rounds, warm_up=number == 0)
    if options.growth:
        grow(options.growth, options.growth_rounds)
    subprocess.run([environment_python("plots"), HERE / "plots.py"], check=True)  # noqa: S603
    update_page()
    print(f"Done in {(time.monotonic() - started) / 60:.0f} minutes; see docs/performance.md.")


if __name__ == "__main__":
    main()
