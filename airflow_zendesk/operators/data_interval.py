"""The window that a task is for."""

from datetime import datetime

from airflow.sdk import Context

from airflow_zendesk.exceptions import InvalidWindowError
from airflow_zendesk.window import Window


def window_of(context: Context, start: datetime | str | None, end: datetime | str | None) -> Window:
    """From ``start`` to ``end``, or the data interval of the run where both are None or empty.

    Raises:
        InvalidWindowError: there is no such time, or Airflow made up an interval that the run's date is not of.
    """
    if start or end:
        return Window.of(start, end)
    # The keys are absent from the context of a run that has no data interval.
    window = Window.of(context.get("data_interval_start"), context.get("data_interval_end"))
    dated = context.get("logical_date")
    if dated is not None and dated < window.start:
        raise InvalidWindowError(
            f"The run is dated {dated.isoformat()}, but its interval is {window}: `airflow dags trigger "
            "--logical-date` gives the interval before now, whatever the date. Use `airflow backfill create` for "
            "that date, or give start and end as params of the run, where the DAG has them."
        )
    return window
