"""Long waits: the task leaves its worker for the right time, uses no retry, and gives up after its timeout."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_zendesk.compat import AirflowRescheduleException
from airflow_zendesk.exceptions import RateLimitedError, ServerError
from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator
from airflow_zendesk.operators.long_waits import zendesk_waits
from airflow_zendesk.window import Window
from tests.support.scripted_server import Reply, page, scripted_server

DAY: dict[str, Any] = {"start": "2026-01-01", "end": "2026-01-02"}


def limited(retry_after: int) -> Reply:
    """A refusal by the rate limit."""
    return Reply(status=429, headers={"Retry-After": str(retry_after)})


def context(waited: timedelta | None = None) -> Any:
    """The context of a task that started first this long ago, or starts now."""
    first = None if waited is None else datetime.now(UTC) - waited
    return {"ti": SimpleNamespace(get_first_reschedule_date=lambda _: first)}


@pytest.fixture
def wait_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function that runs an export against a reply, and returns for how long the task leaves its worker."""

    def wait_of(reply: Reply, waited: timedelta | None = None, **options: Any) -> timedelta:
        task = ZendeskIncrementalExportOperator(task_id="export", destination=tmp_path.as_uri(), **DAY | options)
        with scripted_server(reply) as server:
            monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
            started = datetime.now(UTC)
            with pytest.raises(AirflowRescheduleException) as caught:
                task.execute(context(waited))
        assert 1 >= len(server.paths)
        wait: timedelta = caught.value.reschedule_date - started
        return wait

    yield wait_of
    assert [] == list(tmp_path.rglob("*.parquet"))


def about(seconds: float, wait: timedelta) -> bool:
    """Whether a wait has this length; the run before it takes less than a minute."""
    return seconds <= wait.total_seconds() < seconds + 60


def test_a_long_limit_frees_the_worker_until_it_ends(wait_of: Any) -> None:
    """One request, no retry in the worker, and the time that Zendesk named."""
    assert about(3_600, wait_of(limited(3_600)))
    assert about(70, wait_of(limited(70), waited=timedelta(hours=23)))


def test_a_server_that_fails_is_tried_again_after_the_time_it_names(wait_of: Any) -> None:
    """A maintenance announces its end."""
    assert about(1_800, wait_of(Reply(status=503, headers={"Retry-After": "1800"})))


@pytest.mark.parametrize(
    ("waited", "minutes"), [(None, 1), (timedelta(minutes=2), 2), (timedelta(minutes=9), 9), (timedelta(hours=20), 15)]
)
def test_each_wait_for_a_server_that_names_no_time_is_longer(waited: timedelta | None, minutes: int) -> None:
    """As long as all waits before, at most 15 minutes."""
    now = datetime.now(UTC)
    waits = zendesk_waits(context(waited), timedelta(days=1), print, settled=None, has_pages=lambda: False)
    with pytest.raises(AirflowRescheduleException) as caught, waits:
        raise ServerError("/api/v2/incremental/ticket_events.json", 500)
    assert about(60 * minutes, caught.value.reschedule_date - now)


def test_a_task_does_not_leave_its_worker_for_seconds() -> None:
    """Another start takes seconds too, and this one has already tried for a minute."""
    now = datetime.now(UTC)
    waits = zendesk_waits(context(timedelta(hours=2)), timedelta(days=1), print, settled=None, has_pages=lambda: False)
    with pytest.raises(AirflowRescheduleException) as caught, waits:
        raise RateLimitedError("/api/v2/incremental/ticket_events.json", 1.0)
    assert about(60, caught.value.reschedule_date - now)


def test_an_unsettled_window_is_waited_for_without_a_request(wait_of: Any) -> None:
    """The task starts again when its last event is old enough."""
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    wait = wait_of(
        limited(5), grain="1m", settle="10m", start=(end - timedelta(minutes=1)).isoformat(), end=end.isoformat()
    )
    assert timedelta(minutes=8, seconds=59) < wait <= timedelta(minutes=10)


@pytest.mark.parametrize(
    ("options", "waited", "reason"),
    [
        (
            {"wait_timeout": "30m"},
            None,
            r"Retry-After is 3600 s.*has waited 0:00:00, and 1:00:00 more would exceed its wait_timeout of 0:30:00\.",
        ),
        ({}, timedelta(hours=23, minutes=30), r"has waited 23:30:0\d, and 1:00:00 more would .* of 1 day, 0:00:00"),
        ({"wait_timeout": timedelta(hours=2)}, timedelta(hours=1, seconds=30), "wait_timeout of 2:00:00"),
    ],
)
def test_a_wait_beyond_the_timeout_fails_and_is_not_retried(
    wait_of: Any, options: dict[str, Any], waited: timedelta | None, reason: str
) -> None:
    """With the refusal, and what to do."""
    with pytest.raises(AirflowFailException, match=reason):
        wait_of(limited(3_600), waited=waited, **options)


def test_the_wait_for_the_window_to_settle_is_not_part_of_the_timeout(wait_of: Any) -> None:
    """A task that started at the end of its window has waited for two days, and not for Zendesk."""
    end = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(days=2)
    window = {"start": (end - timedelta(minutes=1)).isoformat(), "end": end.isoformat(), "grain": "1m"}
    waited = datetime.now(UTC) - end
    assert about(70, wait_of(limited(70), waited=waited, settle="2d", **window))
    with pytest.raises(AirflowFailException, match=r"has waited 1 day, 23:5[56]:\d\d"):
        wait_of(limited(70), waited=waited, settle="5m", **window)


def test_the_waits_for_a_list_end_after_the_timeout(wait_of: Any) -> None:
    """It has no window."""
    everything: dict[str, Any] = {"resource": "groups", "start": None, "end": None}
    assert about(70, wait_of(limited(70), waited=timedelta(hours=23), **everything))
    with pytest.raises(AirflowFailException, match=r"has waited 1 day, 1:00:0\d"):
        wait_of(limited(70), waited=timedelta(hours=25), **everything)


def test_a_wait_beyond_the_timeout_is_left_to_retries_after_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task has waited once and exported for a day since: its time is no measure of waiting."""
    task = ZendeskIncrementalExportOperator(task_id="export", destination=tmp_path.as_uri(), **DAY)
    first = Window.of(DAY["start"], DAY["end"]).start_time
    with scripted_server(
        page((1, first), (2, first + 60), end_time=first + 60, end_of_stream=False), limited(3_600)
    ) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        with pytest.raises(RateLimitedError, match=r"Gave up on .* after 1 attempt"):
            task.execute(context(timedelta(hours=23, minutes=30)))
        with pytest.raises(AirflowFailException, match="would exceed its wait_timeout"):
            task.execute(context(timedelta(hours=23, minutes=30)))


def test_without_airflow_the_error_of_zendesk_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the tests of a user, which call the task with an empty context."""
    task = ZendeskIncrementalExportOperator(task_id="export", destination=tmp_path.as_uri(), **DAY)
    with scripted_server(limited(70)) as server, pytest.raises(RateLimitedError, match="Retry-After is 70 s"):
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        task.execute({})
