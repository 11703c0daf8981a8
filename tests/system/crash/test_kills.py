"""Processes that are killed with SIGKILL, and a reader that looks on all the time."""

import pytest

from airflow_zendesk.emulator import ZendeskEmulator
from tests.system.crash.conftest import ALL, NewPlace
from tests.system.crash.desk import LateSimulator
from tests.system.crash.kills import Found, Matrix

#: How many datasets, each with a dozen killed exports, for each thing that an export may find; None for every step.
DATASETS: dict[Found, int | None] = {"nothing": 3, "less": 3, "all": 1}
if ALL:
    DATASETS = dict.fromkeys(DATASETS)


def test_kill_at_any_step_or_instant(
    store: str, new_place: NewPlace, emulator: ZendeskEmulator, world: LateSimulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """No object is torn, no event lost, none doubled; and the next run, alone, ends with the truth."""
    matrix = Matrix(store, new_place, emulator, world)
    for found, datasets in DATASETS.items():
        matrix.run(found, datasets)
    with capsys.disabled():
        print(f"\n{matrix.tally}")
    assert [] == matrix.tally.warnings
    assert 0 == matrix.tally.wrong
    assert matrix.tally.kills >= 70
