"""The window of a task: given by its parameters, or the data interval of its run."""

from datetime import datetime

from airflow.sdk import Context

from airflow_zendesk.exceptions import InvalidWindowError
from airflow_zendesk.window import Window


def window_of(context: Context, start: datetime | str | None, end: datetime | str | None) -> Window:
    """The window from ``start`` to ``end``. Defaults to the run's data interval if both are None or empty.

    Raises:
        InvalidWindowError: there is no such window, the run is one of a backfill whose form has days for all runs, or
            Airflow derived an interval that does not match the run's date.
    """
    if start or end:
        _refuse_backfill_of_days(context)
        return Window.of(start, end)
    # The context of a run without a data interval does not have these keys.
    window = Window.of(context.get("data_interval_start"), context.get("data_interval_end"))
    logical_date = context.get("logical_date")
    if logical_date is not None and logical_date < window.start:
        raise InvalidWindowError(
            f"The run's logical date is {logical_date.isoformat()}, but its data interval is {window}: `airflow dags "
            "trigger --logical-date` uses the interval before the current time, whatever the date. Use `airflow "
            "backfill create` for that date, or give start and end as params of the run, if the DAG has them."
        )
    return window


def _refuse_backfill_of_days(context: Context) -> None:
    """Refuse a run whose days come from the form of a backfill: each run of it would export the same days."""
    dag_run = context.get("dag_run")
    conf = (dag_run and dag_run.run_type == "backfill" and dag_run.conf) or {}
    if conf.get("start") or conf.get("end"):
        raise InvalidWindowError(
            "The backfill has the params start and end, so that every run of it would export the same days. Leave them "
            "empty in a backfill, whose runs have their own days; or trigger one run with them."
        )
