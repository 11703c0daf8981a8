"""The platforms of CI: the README names them, and every target runs on one."""

import re
import sys

import pytest

from tests import platforms
from tests.platforms import OTHERS, PLATFORMS, RELEASES, RUNNING_AIRFLOW, Cell, cells_of_ci, find_python, run
from tests.support.commands import ROOT


def test_readme_names_the_platforms() -> None:
    """In the same order, each with its file of constraints, unless that file is no lock."""
    table = re.findall(
        r"^\| (3\.\d)\S*(?: \(beta\))? \| (3\.\d+) \| (.*) \|$", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    assert [(name.partition("-")[0], python) for name, python in PLATFORMS.items()] == [row[:2] for row in table]
    for name, (_, _, packages) in zip(PLATFORMS, table, strict=True):
        file = f"constraints/airflow-{name}.txt"
        assert (ROOT / file).exists()
        assert (file in packages) == (name != "3.3-newest")


def test_every_file_of_constraints_is_used() -> None:
    """By a platform."""
    assert set(PLATFORMS) == {path.stem.removeprefix("airflow-") for path in (ROOT / "constraints").iterdir()}


def test_locks_have_no_prerelease_that_a_release_could_replace() -> None:
    """Of Airflow 3.4 itself, and of OpenTelemetry's packages that have no releases."""
    for path in (ROOT / "constraints").iterdir():
        found = re.findall(r"^(\S+?)==[\d.]+(?:a|b|rc|\.dev)\d", path.read_text(), re.MULTILINE)
        allowed = r"opentelemetry-\S+" + (r"|apache-airflow(-core|-task-sdk)?" if path.stem == "airflow-3.4" else "")
        assert [] == [name for name in found if not re.fullmatch(allowed, name)]


def test_every_test_target_is_run_by_ci() -> None:
    """The targets that only name other cells are left out."""
    targets = set(re.findall(r"^(test[a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets - {"test-lowest", "test-newest", "test-platforms"} == {"test", *OTHERS, *RUNNING_AIRFLOW}


def test_three_days_run_all_tests_of_a_running_airflow() -> None:
    """Each day runs each of them, on three versions."""
    days = [
        {(cell.target, cell.airflow) for cell in cells_of_ci(day)[-len(RUNNING_AIRFLOW) :]} for day in (364, 365, 366)
    ]
    assert {(target, airflow) for target in RUNNING_AIRFLOW for airflow in RELEASES} == set.union(*days)
    assert all({target for target, _ in day} == set(RUNNING_AIRFLOW) for day in days)


def test_cell_without_its_python_is_reported_as_not_run() -> None:
    """It is never left out of the table."""
    assert find_python(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert str(run(Cell("test", "3.3", "9.9"))).endswith("not run: no Python 9.9 here")


def test_ci_fails_if_a_cell_was_not_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A machine without the Python of a cell has not tested that platform."""
    monkeypatch.setattr(platforms, "find_python", lambda _: None)
    assert 1 == platforms.main(["ci"])
    assert len(cells_of_ci(1)) <= capsys.readouterr().out.count("not run: no Python")
