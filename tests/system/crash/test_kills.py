"""Exports that are killed with SIGKILL, while a reader reads the dataset all the time."""

import pytest

from airflow_zendesk.emulator import ZendeskEmulator
from tests.system.crash.conftest import ALL, NewLocation
from tests.system.crash.kills import KillMatrix, Stored
from tests.system.crash.late_simulator import LateSimulator

#: How many datasets, each with a dozen killed exports, for each thing that an export may find; None for every step.
DATASETS: dict[Stored, int | None] = {"nothing": 3, "less": 3, "all": 1}
if ALL:
    DATASETS = dict.fromkeys(DATASETS)


def test_killed_export_leaves_whole_slices_and_the_next_run_completes_them(
    store: str,
    new_location: NewLocation,
    emulator: ZendeskEmulator,
    simulator: LateSimulator,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """At any step and instant: no object is damaged, no event is lost, and none is stored twice."""
    matrix = KillMatrix(store, new_location, emulator, simulator)
    for stored, datasets in DATASETS.items():
        matrix.run(stored, datasets)
    with capsys.disabled():
        print(f"\n{matrix.tally}")
    assert [] == matrix.tally.warnings
    assert 0 == matrix.tally.wrong
    assert matrix.tally.kills >= 70
