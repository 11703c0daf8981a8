"""However a run starts, it exports the right window or fails with the reason, on a real Airflow with a database."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.commands import run

NO_INTERVAL = r"has no start\. .* Use `airflow backfill create`; or give start and end as params of the run"
EMPTY = r"is empty\. .*CronDataIntervalTimetable"
JUNE = ["2026-06-01", "2026-06-02"]

#: Which days a run exports, by how it was started.
DAYS = {
    "backfill": ["2026-03-01", "2026-03-02", "2026-03-03"],
    "backfill backwards": ["2026-04-03", "2026-04-02", "2026-04-01"],
    "reprocess none": [],
    "reprocess failed": ["2026-05-02"],
    "reprocess completed": ["2026-05-01", "2026-05-02", "2026-05-03"],
    "repair": ["2026-03-02", "2026-03-03"],
    "recheck of the past": ["2026-02-27", "2026-02-28", "2026-03-01"],
    "dags test": ["2026-03-01"],
    "trigger with a window": JUNE,
    "REST with a date": ["2026-06-30"],
    "REST with a date and an interval": ["2026-02-01"],
    "REST with a window": JUNE,
    "REST with a date and a window": JUNE,
}
#: Why a run fails, by how it was started.
REFUSALS = {
    "trigger": NO_INTERVAL,
    "trigger with a date": (
        r"logical date is 2026-10-01.* uses the interval before the current time.* Use `airflow backfill create`"
    ),
    "REST without a date": NO_INTERVAL,
    "REST with an interval but no date": NO_INTERVAL,
    "REST with half a window": "has no end",
    "cron_string": EMPTY,
    "no_schedule": EMPTY,
    "asset": NO_INTERVAL,
}


def key(day: str) -> str:
    """The slice of a day."""
    start = datetime.fromisoformat(day)
    return f"ticket_events/event_date={day}/{start:%Y%m%d}T000000Z--{start + timedelta(days=1):%Y%m%d}T000000Z.parquet"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The outcome of each way to start a run: the slices that it wrote, or the error message."""
    folder = tmp_path_factory.mktemp("airflow")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    done = run("python", "-m", "tests.system.run_starts.start", folder, environment=environment)
    assert 0 == done.returncode, done.stdout[-5_000:] + done.stderr
    found: dict[str, list[str]] = json.loads((folder / "outcomes.json").read_text())
    return found


@pytest.mark.parametrize(("row", "days"), DAYS.items())
def test_run_exports_its_days(outcomes: dict[str, list[str]], row: str, days: list[str]) -> None:
    """In the order of the runs."""
    assert [key(day) for day in days] == outcomes[row]


@pytest.mark.parametrize("row", ["scheduled", "dags test without a date"])
def test_run_of_now_exports_yesterday(outcomes: dict[str, list[str]], row: str) -> None:
    """Or the day before that, if midnight passes meanwhile."""
    today = datetime.now(UTC)
    assert outcomes[row] in [[key(f"{today - timedelta(days=back):%Y-%m-%d}")] for back in (1, 2)]


def test_recheck_goes_back_from_yesterday(outcomes: dict[str, list[str]]) -> None:
    """The configured number of days; one day earlier if midnight passes meanwhile."""
    today = datetime.now(UTC)
    days = [key(f"{today - timedelta(days=back):%Y-%m-%d}") for back in (3, 2, 1)]
    assert outcomes["recheck"] in (days[:2], days[1:])


@pytest.mark.parametrize(("row", "reason"), REFUSALS.items())
def test_run_without_a_window_is_refused(outcomes: dict[str, list[str]], row: str, reason: str) -> None:
    """Nothing is exported, and the message names the fix."""
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(*outcomes[row])


def test_partitioned_run_needs_a_window(outcomes: dict[str, list[str]]) -> None:
    """A partitioned run (since Airflow 3.3) fails, unless templates derive the window from the partition."""
    if "partitioned" not in outcomes:
        pytest.skip("no partitions before Airflow 3.3")
    (error_for,) = outcomes["partitioned"]
    assert "for a partition start='{{ partition_date }}'" in error_for
    assert [key("2026-03-01")] == outcomes["partitioned_with_window"]


def test_history_is_one_sweep_and_stored_slices_need_no_request(outcomes: dict[str, list[str]]) -> None:
    """By months, it is one sweep each. The second run sends no request."""
    days = [key(day) for day in ("2026-02-27", "2026-02-28", "2026-03-01")]
    assert [*days, "1 requests"] == outcomes["history"]
    assert [*days, "2 requests", "0 requests"] == outcomes["history by month"]


def test_each_of_many_accounts_has_its_own_dataset(outcomes: dict[str, list[str]]) -> None:
    """In a folder with the name of the connection."""
    assert [f"zendesk_{number}/{key('2026-03-01')}" for number in (1, 2)] == outcomes["many accounts"]


def test_task_of_an_unsettled_window_starts_again_when_it_has_settled(outcomes: dict[str, list[str]]) -> None:
    """Without a triggerer, and without a worker in the meantime."""
    assert outcomes["settles"] == outcomes["unsettled"]
