"""A whole Airflow on loopback: its four parts as processes, its database in PostgreSQL, its tasks in LocalExecutor."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.commands import executable
from tests.postgres import server

_PARTS = (["scheduler", "--skip-serve-logs"], ["dag-processor"], ["triggerer", "--skip-serve-logs"])


@dataclass(frozen=True, slots=True)
class Airflow:
    """A running Airflow; ``connection`` leads to the server that also holds its own database."""

    environment: Mapping[str, str]
    connection: Mapping[str, str]

    def command(self, *arguments: str) -> None:
        """Run an ``airflow`` command to its end; it must succeed."""
        done = subprocess.run(
            [executable("airflow"), *arguments], env=self.environment, capture_output=True, text=True, check=False
        )
        assert 0 == done.returncode, done.stdout + done.stderr

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the server."""
        place = self.connection
        with psycopg.connect(host=place["host"], user=place["login"], dbname=place["schema"]) as connection:
            return connection.execute(sql.encode()).fetchall()


@contextlib.contextmanager
def airflow(folder: Path, dags: Path, settings: Mapping[str, str]) -> Iterator[Airflow]:
    """Airflow, ready to run the DAGs; the connection ``warehouse`` leads to its PostgreSQL."""
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(server())
        place = json.loads(connection)
        port = _free_port()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
            "AIRFLOW_HOME": str(folder / "home"),
            "AIRFLOW_CONN_WAREHOUSE": connection,
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "2",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
            "AIRFLOW__API_AUTH__JWT_SECRET": "invented-secret-of-a-test-that-is-long-enough-for-hs512-" * 2,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://{login}@/{schema}?host={host}".format(
                **place
            ),
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            **settings,
        }
        running = Airflow(environment, place)
        running.command("db", "migrate")
        api_server = ["api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        for arguments in (api_server, *_PARTS):
            stack.enter_context(_part(arguments, folder, environment))
        until("the API server", lambda: _listens(port))
        yield running


def until(what: str, is_so: Callable[[], bool], *, seconds: float = 1200, pause: float = 1) -> None:
    """Wait until it is so, and look every ``pause`` seconds.

    Raises:
        TimeoutError: it has not become so.
    """
    ends = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > ends:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(pause)


@contextlib.contextmanager
def _part(arguments: list[str], folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """A part of Airflow in a process group of its own, which ends with the block: politely, then for good."""
    with (folder / f"{arguments[0]}.log").open("wb") as log:
        started = subprocess.Popen(
            [executable("airflow"), *arguments], stdout=log, stderr=log, env=environment, start_new_session=True
        )
    try:
        yield
    finally:
        started.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
