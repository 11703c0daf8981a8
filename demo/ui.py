"""Start an Airflow to click through: `make demo-ui`.

All its parts listen on loopback only. An emulated Zendesk with invented events, four weeks of exports with one missing
day and one day with late events, and a DuckDB file with the loaded tables. Ctrl-C ends everything.

The first argument is the folder for all files, by default .demo-ui/. Each start deletes the files of an earlier demo.
The second argument is the port of Airflow's UI, by default 8080.
"""

import contextlib
import functools
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import requests

ROOT = Path(__file__).resolve().parents[1]
HOME = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".demo-ui").resolve()
PORT = int(sys.argv[2]) if len(sys.argv) > 2 else 8080  # noqa: PLR2004  the second argument
DATA, WAREHOUSE = HOME / "data", f"duckdb://{HOME}/warehouse.duckdb"
URL = f"http://127.0.0.1:{PORT}"
AIRFLOW = str(Path(sys.executable).with_name("airflow"))
DAYS, MISSING, LATE = 28, 9, 4
LOADED = ("ticket_events", "ticket_metric_events")
ACTIVE_DAGS = (
    "zendesk_history",
    "zendesk_ticket_events",
    *(f"zendesk_load_{resource}" for resource in LOADED),
    "zendesk_verify",
)
#: The parts of Airflow. Without the two servers of logs, which would listen on all interfaces.
PARTS = {
    "api-server": ["api-server", "--host", "127.0.0.1", "--port", str(PORT), "--workers", "1"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
#: Seconds until a part that does not end by SIGINT is killed.
MAX_END_SECONDS = 20
MAX_START_SECONDS = 120


def main() -> int:
    """Start everything, print the addresses, and wait for Ctrl-C."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            say(f"Another process listens on {URL}. Choose another port: make demo-ui PORT=8081")
            return 1
    # A shell without a terminal lets its background jobs, and their children, ignore SIGINT.
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    if HOME.exists() and any(HOME.iterdir()) and not (HOME / "passwords.json").exists():
        say(f"The folder {HOME} has files that are not of a demo, and would be deleted. Choose another folder.")
        return 1
    shutil.rmtree(HOME, ignore_errors=True)
    (HOME / "airflow").mkdir(parents=True)
    password = secrets.token_urlsafe(9)
    (HOME / "passwords.json").write_text(json.dumps({"admin": password, "viewer": password}))
    os.environ |= settings()
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    from airflow_zendesk.emulator import Simulator, ZendeskEmulator  # noqa: PLC0415  AIRFLOW_HOME must be set first

    with ZendeskEmulator(Simulator(opened=today - timedelta(days=DAYS))) as emulator, contextlib.ExitStack() as stack:
        say(f"Zendesk: an emulator with invented events, at {emulator.url}")
        with (HOME / "export.log").open("w") as log:
            subprocess.run([AIRFLOW, "db", "migrate"], stdout=log, stderr=log, check=True)  # noqa: S603
            for name, arguments in PARTS.items():
                stack.enter_context(process(name, [AIRFLOW, *arguments]))
            with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
                fill(emulator, today)
        say(f"{DAYS - 1} of {DAYS} days until {today:%Y-%m-%d} are exported, loaded and verified")
        set_up(password, emulator.connection())
        say(f"\nAirflow:   {URL}\nUser:      admin (or viewer, who may only read)\nPassword:  {password}")
        say(f"Coverage:  {URL}/plugin/zendesk-coverage\nGap:       {today - timedelta(days=MISSING):%Y-%m-%d}")
        say(f"Logs:      {HOME}\nCtrl-C ends all of it.")
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
        # Another Ctrl-C must not leave a part running.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        say("\nEnding ...")
    say("All parts of Airflow have ended.")
    return 0


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


def settings() -> dict[str, str]:
    """The environment of every part of Airflow."""
    return {
        "AIRFLOW_HOME": str(HOME / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{URL}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,viewer:viewer",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(HOME / "passwords.json"),
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__API__BASE_URL": URL,
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
        "AIRFLOW__ZENDESK_EXPORT__POOL": "zendesk",
    }


def fill(emulator: Any, today: datetime) -> None:
    """Export all days but one, one of them with late events, then load and verify them."""
    from airflow_zendesk.destination import open_destination  # noqa: PLC0415
    from airflow_zendesk.export.run import export_window  # noqa: PLC0415
    from airflow_zendesk.hooks.zendesk import ZendeskHook  # noqa: PLC0415
    from airflow_zendesk.verify.source_check import verify_window  # noqa: PLC0415
    from airflow_zendesk.warehouse.loading import load_slices, open_warehouse  # noqa: PLC0415
    from airflow_zendesk.window import DEFAULT_GRAIN, Window  # noqa: PLC0415
    from airflow_zendesk.zendesk.resources import Query  # noqa: PLC0415

    def ago(days: int) -> datetime:
        return today - timedelta(days=days)

    # Every tenth event of one day is returned twelve hours late, those of the afternoon in the slice of the next day.
    late = {
        "fault": "late_events",
        "seconds": 43_200,
        "after": f"{ago(LATE):%FT%TZ}",
        "before": f"{ago(LATE - 1):%FT%TZ}",
    }
    emulator.set_scenario([late])
    store = open_destination(DATA.as_uri())
    os.environ["AIRFLOW_CONN_ZENDESK_DEFAULT"] = json.dumps(emulator.connection())
    for window in (Window(ago(DAYS), ago(MISSING)), Window(ago(MISSING - 1), today)):
        slices = DEFAULT_GRAIN.slices(window)
        for resource in LOADED:
            export_window(ZendeskHook(), store, Query.of(resource), window)
            load_slices(open_warehouse(WAREHOUSE, "zendesk"), store, resource, slices)
    for resource in LOADED:
        verify_window(DATA.as_uri(), resource, Window(ago(DAYS), today))
    for resource in ("groups", "brands"):
        export_window(ZendeskHook(), store, Query.of(resource), None)
    del os.environ["AIRFLOW_CONN_ZENDESK_DEFAULT"]
    emulator.set_scenario([])


@contextlib.contextmanager
def process(name: str, command: list[str]) -> Iterator[None]:
    """Run a part of Airflow, and end it with all its children."""
    with (HOME / f"{name}.log").open("wb") as log:
        # In a session of its own, so that Ctrl-C in the terminal does not reach it before this process ends it.
        started = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)  # noqa: S603
        try:
            yield
        finally:
            # Running tasks are children with process groups of their own.
            part = psutil.Process(started.pid)
            parts = [part, *part.children(recursive=True)]
            started.send_signal(signal.SIGINT)
            _, left = psutil.wait_procs(parts, MAX_END_SECONDS)
            for each in left:
                each.kill()
            started.wait()


def set_up(password: str, connection: dict[str, Any]) -> None:
    """Add the connection, the Variables and the pool by Airflow's API, and activate the DAGs."""
    login = {"username": "admin", "password": password}
    token = until("the API server", lambda: call("POST", "/auth/token", login))["access_token"]
    call("POST", "/api/v2/connections", {"connection_id": "zendesk_default", **to_api(connection)}, token)
    variables = {"zendesk_destination": DATA.as_uri(), "zendesk_warehouse": WAREHOUSE}
    for key, value in variables.items():
        call("POST", "/api/v2/variables", {"key": key, "value": value}, token)
    call("POST", "/api/v2/pools", {"name": "zendesk", "slots": 1}, token)
    for dag_id in ACTIVE_DAGS:
        path = f"/api/v2/dags/{dag_id}"
        until(f"the DAG {dag_id}", functools.partial(call, "PATCH", path, {"is_paused": False}, token))


def to_api(connection: dict[str, Any]) -> dict[str, Any]:
    """A connection in the form of Airflow's API, whose extra is a text; Airflow tests only connections with a port."""
    port = urlsplit(connection["host"]).port
    return connection | {"port": port, "extra": json.dumps(connection.get("extra", {}))}


def until(what: str, attempt: Callable[[], Any]) -> Any:
    """The result of the first attempt that succeeds."""
    for _ in range(MAX_START_SECONDS * 2):
        with contextlib.suppress(requests.RequestException):
            return attempt()
        time.sleep(0.5)
    raise RuntimeError(f"Airflow does not have {what} after {MAX_START_SECONDS} s. Read the logs in {HOME}.")


def call(method: str, path: str, body: dict[str, Any], token: str = "") -> Any:
    """Call Airflow's API; raises ``RequestException`` if it refuses or does not answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = requests.request(method, URL + path, json=body, headers=headers, timeout=10)
    response.raise_for_status()
    return response.json()


if __name__ == "__main__":
    sys.exit(main())
