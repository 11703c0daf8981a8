"""A week of ticket events, exported by a real Airflow: `make demo`.

The DAG of dags/ runs once for each of the last seven days, on a SQLite database of its own, against a local Zendesk
with invented events; or against the account of AIRFLOW_CONN_ZENDESK_DEFAULT, if that is set. Each day is then compared
with the source. Everything stays in one folder, .demo/ unless another is named.
"""

import contextlib
import json
import os
import runpy
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
HOME = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".demo").resolve()
DAYS = 7
CONNECTION = "AIRFLOW_CONN_ZENDESK_DEFAULT"

Ids = Callable[[datetime, datetime], Iterable[int]]


def main() -> int:
    """Run the demo; 0 means that every day has the ids of the source."""
    (HOME / "airflow").mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "AIRFLOW_HOME": str(HOME / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    last = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [last - timedelta(days=back) for back in range(DAYS, 0, -1)]
    data = HOME / ("account" if CONNECTION in os.environ else "standin")
    os.environ["AIRFLOW_VAR_ZENDESK_DESTINATION"] = data.as_uri()
    with source() as ids_of, quiet(HOME / "airflow.log") as screen:
        try:
            return run(days, data, ids_of, screen)
        except Exception as error:
            print(f"\nThe demo failed: {error}\nAirflow's own log is in {HOME / 'airflow.log'}.", file=screen)
            raise


@contextlib.contextmanager
def source() -> Iterator[Ids]:
    """The account to export, behind the default connection, and a way to ask it for the ids of a time."""
    if CONNECTION in os.environ:
        from airflow_zendesk.hooks.zendesk import ZendeskHook  # noqa: PLC0415  Airflow must find its home first

        print(f"Zendesk: the account of {CONNECTION}")
        hook = ZendeskHook()
        yield lambda start, end: hook.get_df("ticket_events", start, end)["id"]
        return
    from airflow_zendesk.standin import Standin  # noqa: PLC0415

    with Standin() as standin:
        print(f"Zendesk: a local one with invented events, at {standin.url}")
        os.environ[CONNECTION] = json.dumps(standin.connection())
        yield lambda start, end: standin.truth("ticket_events", start, end)


@contextlib.contextmanager
def quiet(log: Path) -> Iterator[IO[str]]:
    """Send what Airflow prints to a file; the screen is what is given."""
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


def run(days: list[datetime], data: Path, ids_of: Ids, screen: IO[str]) -> int:
    """Run the DAG for each day and compare what lies there with the source."""
    print("Airflow: making a database of its own ready ...", end="", flush=True, file=screen)
    started = time.monotonic()
    from airflow.utils.db import initdb  # noqa: PLC0415  the environment comes first

    initdb()
    dag = runpy.run_path(str(ROOT / "dags" / "zendesk_ticket_events.py"))["dag"]
    print(f" {time.monotonic() - started:.0f} s\n", file=screen)
    print(f"{'day':<12}{'rows':>8}{'bytes':>10}{'seconds':>9}  compared with the source", file=screen)
    frame, whole = pd.DataFrame(), True
    for day in days:
        started = time.monotonic()
        # `dag.test` gives a DAG of data intervals the one that ends at the logical date.
        state = dag.test(logical_date=day + timedelta(days=1)).state
        seconds = time.monotonic() - started
        (path,) = (data / "ticket_events" / f"event_date={day:%Y-%m-%d}").glob("*.parquet")
        frame = pd.read_parquet(path)
        same = state == "success" and sorted(frame["id"]) == sorted(ids_of(day, day + timedelta(days=1)))
        whole = whole and same
        told = "same ids as the source" if same else f"NOT the ids of the source; the run is {state}"
        print(f"{day:%Y-%m-%d}  {len(frame):>8,}{path.stat().st_size:>10,}{seconds:>9.1f}  {told}", file=screen)
    show(frame, data, screen)
    return 0 if whole else 1


def show(frame: pd.DataFrame, data: Path, screen: IO[str]) -> None:
    """The first rows of the last day, and where to go from here."""
    columns = ["timestamp", "id", "ticket_id", "via", "child_events"]
    print("\nThe first rows of the last day, read with pandas:\n", file=screen)
    print(frame[columns].head().to_string(index=False, max_colwidth=60), file=screen)
    print(
        f"\nThe files:       {data}/ticket_events/event_date=.../*.parquet"
        f"\nAirflow's log:   {HOME / 'airflow.log'}"
        "\nRun it again:    nothing is written twice."
        "\nYour account:    set AIRFLOW_CONN_ZENDESK_DEFAULT as the README says, and run it again.",
        file=screen,
    )


if __name__ == "__main__":
    sys.exit(main())
