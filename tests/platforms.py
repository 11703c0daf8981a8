"""Runs the tests on each platform and prints a table of the results: ``python3 -m tests.platforms ci``.

A cell of the table is one target of the Makefile, with one version of Python and one file of ``constraints/``. This
module needs only Python's standard library, because `make` creates the virtual environments.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

#: The Python for each file of ``constraints/``. CI and the README name them in this order.
PLATFORMS = {"3.3": "3.11", "3.1": "3.11", "3.4": "3.12", "3.3-newest": "3.13", "3.1-lowest": "3.11"}
#: The versions of Airflow on which the tests of a running Airflow run: one of them in CI, another one each day.
RELEASES = ("3.1", "3.3", "3.4")
#: These start a real Airflow: they depend on its version.
RUNNING_AIRFLOW = ("test-long", "test-warehouse", "test-distributed")
#: These do not.
OTHERS = ("test-mutants", "test-readers", "test-wheel", "test-browser", "test-crash")

PASSED = "passed"


@dataclass(frozen=True)
class Cell:
    """A target of the Makefile on a platform."""

    target: str
    airflow: str = "3.3"
    python: str = "3.11"


@dataclass(frozen=True)
class Result:
    """How a cell ended, with the versions that were installed."""

    cell: Cell
    python: str
    airflow: str
    outcome: str
    seconds: float

    def __str__(self) -> str:
        """A row of the table."""
        cell = self.cell
        return (
            f"{cell.target:17} {cell.airflow:11} {self.python:8} {self.airflow:8} {self.seconds:8.0f}  {self.outcome}"
        )


HEADER = f"{'target':17} {'constraints':11} {'Python':8} {'Airflow':8} {'seconds':>8}  result"


def cells_of_ci(day: int) -> list[Cell]:
    """The unit tests on the platforms, and the others on one: for a running Airflow, the day selects the version.

    The unit tests run on Airflow 3.1 with the lowest versions only, so that CI takes less than 80 minutes.
    """
    selected = [RELEASES[(day + number) % len(RELEASES)] for number in range(len(RUNNING_AIRFLOW))]
    return [
        *(Cell("test", airflow, python) for airflow, python in PLATFORMS.items() if airflow != "3.1"),
        *map(Cell, OTHERS),
        *(Cell(target, airflow, PLATFORMS[airflow]) for target, airflow in zip(RUNNING_AIRFLOW, selected, strict=True)),
    ]


def cells_of_running_airflow() -> list[Cell]:
    """The tests of a running Airflow on every version."""
    return [Cell(target, airflow, PLATFORMS[airflow]) for airflow in RELEASES for target in RUNNING_AIRFLOW]


def find_python(version: str) -> str | None:
    """A Python of this version: on the path, or installed by pyenv, which hides those that are not selected."""
    for candidate in (f"python{version}", "python3", f"{output('pyenv', 'prefix', version)}/bin/python3"):
        if output(candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])") == version:
            return candidate
    return None


def output(*command: str) -> str:
    """What a command prints, or nothing if it fails or does not exist."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def run(cell: Cell) -> Result:
    """Run a cell. Without its Python it is not run, and the table says so."""
    python = find_python(cell.python)
    if python is None:
        return Result(cell, cell.python, "-", f"not run: no Python {cell.python} here", 0)
    variables = (f"AIRFLOW={cell.airflow}", f"PYTHON={python}")
    print(f"== {cell.target} {' '.join(variables)}", flush=True)
    begun = time.monotonic()
    done = subprocess.run(["make", cell.target, *variables], check=False)
    seconds = time.monotonic() - begun
    python, airflow = output("make", "--silent", "versions", *variables).split()[-2:] or ["-", "-"]
    return Result(cell, python, airflow, PASSED if done.returncode == 0 else "failed", seconds)


def main(arguments: Sequence[str]) -> int:
    """Run the cells, each to its end, and print the table; the exit code is 1 if any has failed or was not run."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.platforms", description=__doc__.splitlines()[0])
    parser.add_argument("cells", choices=["ci", "running-airflow"])
    day = datetime.now(UTC).timetuple().tm_yday
    cells = cells_of_ci(day) if parser.parse_args(arguments).cells == "ci" else cells_of_running_airflow()
    results = []
    for cell in cells:
        results.append(run(cell))
        print(results[-1], flush=True)
    print("", HEADER, *results, sep="\n")
    print(f"{'in all':50} {sum(result.seconds for result in results):8.0f}")
    return int(any(result.outcome != PASSED for result in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
