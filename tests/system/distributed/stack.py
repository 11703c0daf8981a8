"""A complete Airflow on loopback: each component is a process, the database is PostgreSQL."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.support.airflow_version import SURVIVES_MISSING_HEARTBEATS
from tests.support.commands import executable
from tests.support.postgres import server
from tests.system.distributed.services import free_port, listens, process, redis, until

_PARTS = {
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
_HEARTBEATS = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    # A dead worker is noticed within seconds instead of minutes: by the scheduler, or else by Celery, which gives the
    # task to another worker. By then its token must have expired, which it does after the longest time in the queue:
    # Airflow fails and retries such a task, but ignores one that seems to run elsewhere.
    **(
        {"AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10"}
        if SURVIVES_MISSING_HEARTBEATS
        else {"AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": "50"}
    ),
    # So is a task that Celery assigned to a dead worker before it began: by default after ten minutes.
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "45",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
}


@dataclass
class Airflow:
    """A running Airflow; ``workers`` are the processes of the executor's workers, if it has any."""

    environment: Mapping[str, str]
    database: str
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def command(self, *arguments: str) -> None:
        """Run an ``airflow`` command to its end; it must succeed."""
        done = subprocess.run(
            [executable("airflow"), *arguments], env=self.environment, capture_output=True, text=True, check=False
        )
        assert 0 == done.returncode, done.stdout + done.stderr

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Query Airflow's own database."""
        with psycopg.connect(f"postgresql://{self.database}") as connection:
            return connection.execute(sql.encode()).fetchall()


@contextlib.contextmanager
def airflow(folder: Path, executor: str, dags: Path, settings: Mapping[str, str]) -> Iterator[Airflow]:
    """Airflow with the executor, ``LocalExecutor`` or ``CeleryExecutor`` (two workers), ready to run the DAGs."""
    with contextlib.ExitStack() as stack:
        connection = json.loads(stack.enter_context(server()))
        database = "{login}@/{schema}?host={host}".format(**connection)
        port = free_port()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
            **_HEARTBEATS,
            "AIRFLOW_HOME": str(folder / "home"),
            "AIRFLOW__CORE__EXECUTOR": executor,
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
            "AIRFLOW__API_AUTH__JWT_SECRET": "invented-secret-of-a-test-that-is-long-enough-for-hs512-" * 2,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{database}",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            **settings,
        }
        if executor == "CeleryExecutor":
            environment["AIRFLOW__CELERY__BROKER_URL"] = stack.enter_context(redis(folder / "redis"))
            environment["AIRFLOW__CELERY__RESULT_BACKEND"] = f"db+postgresql://{database}"
        running = Airflow(environment, database)
        running.command("db", "migrate")
        api_server = ["api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        for name, arguments in {"api-server": api_server, **_PARTS}.items():
            command = [executable("airflow"), *arguments]
            stack.enter_context(process(command, folder / f"{name}.log", environment))
        if executor == "CeleryExecutor":
            for name in ("one", "two"):
                command = [executable("airflow"), "celery", "worker", "--concurrency", "1", "--skip-serve-logs"]
                command += ["--celery-hostname", f"{name}@localhost", "--without-mingle", "--without-gossip"]
                worker = process(command, folder / f"worker-{name}.log", environment, ends_by=signal.SIGTERM)
                running.workers.append(stack.enter_context(worker))
        until("the API server", lambda: listens(port))
        until("the DAG", lambda: bool(running.query("select dag_id from dag")))
        yield running
