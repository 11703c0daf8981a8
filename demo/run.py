"""Export and load a week of ticket events with a real Airflow: `make demo`.

The DAGs of dags/ run for each of the last seven days, with their own SQLite database, against an emulated Zendesk with
invented events, or against the account in AIRFLOW_CONN_ZENDESK_DEFAULT, if that is set. Each day is compared with the
source. Tickets, users and organizations that changed in five weeks give the ids their names. Everything is loaded into
DuckDB and queried. All files are in one folder: .demo/, or the first argument.
"""

import contextlib
import functools
import json
import os
import re
import runpy
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import duckdb
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
HOME = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".demo").resolve()
DAYS = 7
RESOURCES = ("ticket_events", "ticket_metric_events")
#: The emulated desk was opened this number of days before the week. Objects are exported from its first day.
DAYS_BEFORE = 28
STATES = ("tickets", "users", "organizations")
CONNECTION = "AIRFLOW_CONN_ZENDESK_DEFAULT"

Ids = Callable[[str, datetime, datetime], Iterable[int]]


class FailedRunError(RuntimeError):
    """A run did not succeed; Airflow's log has the reason."""


def main() -> int:
    """Run the demo and return 0 if every day has the same ids as the source."""
    (HOME / "airflow").mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "AIRFLOW_HOME": str(HOME / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__ZENDESK_EXPORT__POOL": "zendesk",
    }
    last = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [last - timedelta(days=back) for back in range(DAYS, 0, -1)]
    data = HOME / ("account" if CONNECTION in os.environ else "emulator")
    warehouse = data.with_suffix(".duckdb")
    os.environ["AIRFLOW_VAR_ZENDESK_DESTINATION"] = data.as_uri()
    os.environ["AIRFLOW_VAR_ZENDESK_WAREHOUSE"] = f"duckdb://{warehouse}"
    with source(days[0] - timedelta(days=DAYS_BEFORE)) as ids_of, quiet(HOME / "airflow.log") as screen:
        try:
            complete = run(days, data, ids_of, screen)
            export_objects(days, screen)
            load(days, warehouse, screen)
            show(data, warehouse, screen)
        except FailedRunError as error:
            sys.stdout.flush()
            log = HOME / "airflow.log"
            print(f"\nThe demo failed: {error}. {last_error(log)}\nAirflow's own log is in {log}.", file=screen)
            return 1
        except Exception as error:
            print(f"\nThe demo failed: {error}\nAirflow's own log is in {HOME / 'airflow.log'}.", file=screen)
            raise
    return 0 if complete else 1


@contextlib.contextmanager
def source(opened: datetime) -> Iterator[Ids]:
    """Set the default connection, and yield a function that returns the ids of a window from the source."""
    if CONNECTION in os.environ:
        from airflow_zendesk.hooks.zendesk import ZendeskHook  # noqa: PLC0415  AIRFLOW_HOME must be set first

        print(f"Zendesk: the account of {CONNECTION}")
        hook = ZendeskHook()
        may_export, message = hook.test_connection()
        if not may_export:
            sys.exit(f"The demo failed: {message}")
        yield lambda resource, start, end: hook.get_df(resource, start, end)["id"]
        return
    from airflow_zendesk.emulator import Simulator, ZendeskEmulator  # noqa: PLC0415

    with ZendeskEmulator(Simulator(opened=opened)) as emulator:
        print(f"Zendesk: an emulator with invented events, at {emulator.url}")
        os.environ[CONNECTION] = json.dumps(emulator.connection())
        yield emulator.expected_ids


@contextlib.contextmanager
def quiet(log: Path) -> Iterator[IO[str]]:
    """Redirect the output of Airflow to a file; yields the screen."""
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "w", buffering=1) as screen, log.open("wb") as file:
        saved = os.dup(2)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield screen
        finally:
            sys.stdout.flush()
            os.dup2(screen.fileno(), 1)
            os.dup2(saved, 2)


def last_error(log: Path) -> str:
    """The text of the last exception in Airflow's log."""
    errors = re.findall(r"^[\w.]+(?:Error|Exception): (.+)$", log.read_text(errors="replace"), re.MULTILINE)
    return errors[-1] if errors else ""


def run(days: list[datetime], data: Path, ids_of: Ids, screen: IO[str]) -> bool:
    """Run the exports of each day and compare the files with the source; returns whether all days have the same ids."""
    print("Airflow: creating its database ...", end="", flush=True, file=screen)
    started = time.monotonic()
    from airflow.models import Pool  # noqa: PLC0415  AIRFLOW_HOME must be set first
    from airflow.sdk.execution_time import supervisor  # noqa: PLC0415
    from airflow.utils.db import initdb  # noqa: PLC0415

    # Airflow 3.1 builds its internal API for each task, which takes seconds. Newer versions keep it, as this does.
    supervisor.in_process_api_server = functools.cache(supervisor.in_process_api_server)
    initdb()
    Pool.create_or_update_pool("zendesk", 1, "One request stream to our Zendesk account", include_deferred=False)
    print(f" {time.monotonic() - started:.0f} s", file=screen)
    complete = True
    for resource in RESOURCES:
        dag = dag_of(f"zendesk_{resource}")
        print(f"\n{resource}\n{'day':<12}{'rows':>8}{'bytes':>10}{'seconds':>9}  compared with the source", file=screen)
        for day in days:
            started = time.monotonic()
            # `dag.test` runs a DAG with the data interval that ends at the logical date.
            state = dag.test(logical_date=day + timedelta(days=1)).state
            seconds = time.monotonic() - started
            if state != "success":
                raise FailedRunError(f"the export of {resource} of {day:%Y-%m-%d} is {state}")
            (path,) = (data / resource / f"event_date={day:%Y-%m-%d}").glob("*.parquet")
            ids = pd.read_parquet(path, columns=["id"])["id"]
            same = sorted(ids) == sorted(ids_of(resource, day, day + timedelta(days=1)))
            complete = complete and same
            result = "same ids as the source" if same else "NOT the ids of the source"
            print(f"{day:%Y-%m-%d}  {len(ids):>8,}{path.stat().st_size:>10,}{seconds:>9.1f}  {result}", file=screen)
    return complete


def export_objects(days: list[datetime], screen: IO[str]) -> None:
    """Export and load the objects that changed in five weeks, and the lists."""
    started = time.monotonic()
    window = {
        "start": f"{days[0] - timedelta(days=DAYS_BEFORE):%Y-%m-%d}",
        "end": f"{days[-1] + timedelta(days=1):%Y-%m-%d}",
    }
    runs = [("zendesk_history", {**window, "resource": resource}) for resource in STATES]
    for name, conf in [*runs, ("zendesk_objects", None)]:
        logical_date = None if conf else days[-1] + timedelta(days=1)
        state = dag_of(name).test(logical_date=logical_date, run_conf=conf).state
        if state != "success":
            raise FailedRunError(f"the run of {name} is {state}")
    print(f"\ntickets, users, organizations and lists: {time.monotonic() - started:.0f} s", file=screen)


def load(days: list[datetime], warehouse: Path, screen: IO[str]) -> None:
    """Run the load of the week, and query the warehouse."""
    window = {"start": f"{days[0]:%Y-%m-%d}", "end": f"{days[-1] + timedelta(days=1):%Y-%m-%d}"}
    for name in ("zendesk_load_ticket_events", "zendesk_load_ticket_metric_events"):
        state = dag_of(name).test(run_conf=window).state
        if state != "success":
            raise FailedRunError(f"the run of {name} is {state}")
    with duckdb.connect(warehouse, read_only=True) as connection:
        slices, rows = connection.sql(
            "SELECT count(*), sum(rows) FROM zendesk.loaded_slices WHERE resource LIKE 'ticket%events'"
        ).fetchall()[0]
        print(f"\nDuckDB: {slices} slices with {rows:,} events loaded, each once", file=screen)
        counts = [(name, connection.table(f"zendesk.{name}").count("*").fetchall()) for name in (*STATES, "groups")]
        names = ", ".join(f"{count:,} {name}" for name, ((count,),) in counts)
        print(f"Loaded beside the events: {names}", file=screen)
        for path in sorted((ROOT / "demo" / "queries").glob("*.sql")):
            title, _, query = path.read_text().partition("\n")
            print(f"\n{title.removeprefix('-- ')}\n", file=screen)
            print(connection.sql(query).df().to_string(index=False, na_rep=""), file=screen)


def dag_of(name: str) -> Any:
    """The DAG of a file in dags/."""
    return runpy.run_path(str(ROOT / "dags" / f"{name}.py"))["dag"]


def show(data: Path, warehouse: Path, screen: IO[str]) -> None:
    """Print where the results are and what to do next."""
    print(
        f"\nThe files:       {data}/ticket_events/event_date=.../*.parquet"
        f"\nThe tables:      {warehouse}, schema zendesk; the queries are in demo/queries/"
        f"\nAirflow's log:   {HOME / 'airflow.log'}"
        "\nRun it again:    nothing is written or loaded twice."
        "\nYour account:    set AIRFLOW_CONN_ZENDESK_DEFAULT as described in docs/connect.md, and run it again.",
        file=screen,
    )


if __name__ == "__main__":
    sys.exit(main())
