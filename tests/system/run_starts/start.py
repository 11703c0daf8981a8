"""Starts runs in every way that Airflow has, and writes to outcomes.json what each exported, or why it failed.

One process for all of them, because Airflow needs many seconds to start. Its argument is the folder for all files.
"""

import json
import os
import shlex
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.verify.repair import Target
from airflow_zendesk.window import Grain, Window
from tests.system.run_starts.home import HOME, Airflow, airflow_home, exported, load

EVENTS, HISTORY = "zendesk_ticket_events", "zendesk_history"
WINDOW = {"start": "2026-06-01", "end": "2026-06-03"}
INTERVAL = {"data_interval_start": "2026-02-01T00:00:00Z", "data_interval_end": "2026-02-02T00:00:00Z"}

#: The request bodies that start a run by the API.
BODIES: dict[str, dict[str, Any]] = {
    "without a date": {"logical_date": None},
    "with an interval but no date": {"logical_date": None, **INTERVAL},
    "with a date": {"logical_date": "2026-07-01T12:00:00Z"},
    "with a date and an interval": {"logical_date": "2026-07-02T00:00:00Z", **INTERVAL},
    "with a window": {"logical_date": None, "conf": WINDOW},
    "with a date and a window": {"logical_date": "2026-07-03T00:00:00Z", "conf": WINDOW},
    "with half a window": {"logical_date": "2026-07-04T00:00:00Z", "conf": {"start": WINDOW["start"]}},
}

Outcomes = Iterator[tuple[str, list[str]]]


def by_schedule(airflow: Airflow) -> Outcomes:
    """By the scheduler, and by backfills in both directions and with every reprocess behaviour."""
    airflow.cli("dags", "unpause", EVENTS)
    airflow.schedule()
    yield "scheduled", airflow.run(EVENTS)
    airflow.cli("dags", "pause", EVENTS)

    def run_all(runs: list[str]) -> list[str]:
        return [outcome for run_id in runs for outcome in airflow.run(EVENTS, run_id)]

    yield "backfill", run_all(airflow.backfill(EVENTS, "2026-03"))
    yield "backfill backwards", run_all(airflow.backfill(EVENTS, "2026-04", "--run-backwards"))
    first, second, third = airflow.backfill(EVENTS, "2026-05")
    run_all([first, third])
    airflow.run(EVENTS, second, destination="no URL")
    for behaviour in ("none", "failed", "completed"):
        again = airflow.backfill(EVENTS, "2026-05", "--reprocess-behavior", behaviour)
        yield f"reprocess {behaviour}", run_all(again)


def repair(airflow: Airflow) -> Outcomes:
    """By the command that a verification prints for a gap, over runs that have succeeded."""
    settings = DatasetSettings(
        resource="ticket_events", account="acme.zendesk.com", grain=Grain.of("1d"), include=(), support_type_scope="all"
    )
    gap = Window.of("2026-03-02T00:00:00Z", "2026-03-04T00:00:00Z")
    _, *arguments = shlex.split(Target("file:///data", settings).backfill(gap, EVENTS))
    yield "repair", [outcome for run_id in airflow.runs_of(*arguments) for outcome in airflow.run(EVENTS, run_id)]


def recheck(airflow: Airflow) -> Outcomes:
    """The DAG that exports past days again: by hand, without a date, and as a backfill of a day in the past."""
    airflow.rest("dags/zendesk_recheck/dagRuns", logical_date=None, conf={"days": 2})
    yield "recheck", airflow.run("zendesk_recheck")
    yield "recheck of the past", airflow.run("zendesk_recheck", airflow.backfill("zendesk_recheck", "2026-03")[0])


def by_hand(airflow: Airflow) -> Outcomes:
    """By the command and by the API."""
    for row, date in (("dags test", ["2026-03-02"]), ("dags test without a date", [])):
        with exported() as slices:
            airflow.cli("dags", "test", EVENTS, *date)
        yield row, slices
    airflow.cli("dags", "trigger", EVENTS)
    yield "trigger", airflow.run(EVENTS)
    airflow.cli("dags", "trigger", EVENTS, "--logical-date", "2026-10-01T00:00:00Z")
    yield "trigger with a date", airflow.run(EVENTS)
    airflow.cli("dags", "trigger", EVENTS, "--conf", json.dumps(WINDOW))
    yield "trigger with a window", airflow.run(EVENTS)
    for row, body in BODIES.items():
        airflow.rest(f"dags/{EVENTS}/dagRuns", **body)
        yield f"REST {row}", airflow.run(EVENTS)


def by_others(airflow: Airflow) -> Outcomes:
    """By schedules that no shipped DAG has."""
    for dag_id in ("cron_string", "no_schedule"):
        airflow.rest(f"dags/{dag_id}/dagRuns", logical_date="2026-07-01T00:00:00Z")
        yield dag_id, airflow.run(dag_id)
    (asset,) = [each["id"] for each in airflow.get("assets")["assets"] if each["name"] == "upstream"]
    airflow.cli("dags", "unpause", "asset_triggered")
    airflow.rest("assets/events", asset_id=asset)
    airflow.schedule()
    yield "asset", airflow.run("asset_triggered")
    for dag_id in {"partitioned", "partitioned_with_window"} & load().keys():
        airflow.rest(f"dags/{dag_id}/dagRuns", logical_date=None, partition_key="2026-03-01T00:00:00")
        yield dag_id, airflow.run(dag_id)


def by_waiting(airflow: Airflow) -> Outcomes:
    """A task whose window has not settled, and again after the time that it named."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    window = {"start": (now - timedelta(minutes=1)).isoformat(), "end": now.isoformat()}
    airflow.rest("dags/unsettled/dagRuns", logical_date=None, conf=window)
    yield "unsettled", airflow.run("unsettled")
    yield "settles", [f"again at {now + timedelta(minutes=5):%H:%M}"]


def history(airflow: Airflow, emulator: ZendeskEmulator) -> Outcomes:
    """The history DAG: in one sweep, by months, and again when everything is stored."""
    window = {"start": "2026-02-27", "end": "2026-03-02"}
    for row, runs in (("history", [False]), ("history by month", [True, False])):
        requests = []
        with exported() as slices:
            for by_month in runs:
                before = len(emulator.requests)
                airflow.cli("dags", "test", HISTORY, "--conf", json.dumps({**window, "by_month": by_month}))
                requests.append(f"{len(emulator.requests) - before} requests")
        yield row, [*slices, *requests]


def many_accounts(airflow: Airflow) -> Outcomes:
    """The DAG for many accounts, with two: the slices of each."""
    with ExitStack() as stack, exported() as slices:
        accounts = {f"zendesk_{seed}": stack.enter_context(ZendeskEmulator(Simulator(seed, 50))) for seed in (1, 2)}
        for name, emulator in accounts.items():
            os.environ[f"AIRFLOW_CONN_{name.upper()}"] = json.dumps(emulator.connection())
        os.environ["AIRFLOW_VAR_ZENDESK_ACCOUNTS"] = json.dumps(list(accounts))
        airflow.cli("dags", "test", "zendesk_many_accounts", "2026-03-02")
    yield "many accounts", slices


def main() -> None:
    """Start all runs."""
    # The emulator's clock is an hour ahead, so that a window that ends now has settled.
    with (
        ZendeskEmulator(Simulator(events_per_day=200), clock=lambda: time.time() + 3_600) as emulator,
        airflow_home() as airflow,
    ):
        os.environ["AIRFLOW_CONN_ZENDESK_DEFAULT"] = json.dumps(emulator.connection())
        outcomes = dict(history(airflow, emulator))
        for ways in (by_schedule, repair, recheck, by_hand, by_others, by_waiting, many_accounts):
            outcomes |= ways(airflow)
    (HOME / "outcomes.json").write_text(json.dumps(outcomes))


if __name__ == "__main__":
    main()
