"""A separate Airflow home with the shipped DAGs and some others, and the ways to start a run there.

It is created on import, in the folder that the command line names, because Airflow reads the environment on import.
"""

import contextlib
import functools
import os
import runpy
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

HOME = Path(sys.argv[1])
DAGS = HOME / "dags"
os.environ |= {
    "AIRFLOW_HOME": str(HOME / "airflow"),
    "AIRFLOW__API_AUTH__JWT_SECRET": "invented-for-the-tests-" * 4,
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
}

# ruff: noqa: E402  the environment comes first
from airflow.api_fastapi.app import create_app
from airflow.cli import cli_parser
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models import DagRun, TaskInstance
from airflow.models.backfill import Backfill, BackfillDagRun
from airflow.sdk import DAG
from airflow.sdk.api.datamodels._generated import TaskInstance as TaskInstanceDetails
from airflow.sdk.execution_time import supervisor
from airflow.sdk.execution_time.comms import RescheduleTask
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.sqlalchemy import prohibit_commit
from airflow.utils.state import DagRunState, TaskInstanceState
from fastapi.testclient import TestClient
from sqlalchemy import select, update

# Airflow 3.1 builds its internal API for each task, which takes seconds. Newer versions keep it, as this does.
supervisor.in_process_api_server = functools.cache(supervisor.in_process_api_server)


class Airflow:
    """A database with DAGs, and the ways to start a run of them."""

    def __init__(self, client: TestClient) -> None:
        self._client = client
        client.headers["Authorization"] = f"Bearer {client.get('/auth/token').json()['access_token']}"

    @staticmethod
    def cli(*arguments: str) -> None:
        """Run a command in this process."""
        parsed = cli_parser.get_parser().parse_args(arguments)
        parsed.func(parsed)

    def rest(self, path: str, **body: Any) -> Any:
        """Send a POST request to the API."""
        return self._client.post(f"/api/v2/{path}", json=body).raise_for_status().json()

    def get(self, path: str) -> Any:
        """Send a GET request to the API."""
        return self._client.get(f"/api/v2/{path}").raise_for_status().json()

    def schedule(self) -> None:
        """Create the runs that are due, as the scheduler does."""
        with create_session() as session, prohibit_commit(session) as guard:  # type: ignore[no-untyped-call]
            SchedulerJobRunner(job=Job())._create_dagruns_for_dags(guard, session)  # type: ignore[no-untyped-call]

    def backfill(self, dag_id: str, month: str, *options: str) -> list[str]:
        """Create a backfill of the first three days of a month; return the ids of its runs, in order."""
        days = ["--from-date", f"{month}-01", "--to-date", f"{month}-03"]
        return self.runs_of("backfill", "create", "--dag-id", dag_id, *days, *options)

    def runs_of(self, *arguments: str) -> list[str]:
        """Create a backfill with a command; return the ids of its runs, in order."""
        self.cli(*arguments)
        with create_session() as session:
            # As the scheduler does at the end of the runs: a DAG can have only one backfill at a time.
            session.execute(update(Backfill).values(completed_at=datetime.now(UTC)))
            newest = select(Backfill.id).order_by(Backfill.id.desc()).limit(1).scalar_subquery()
            wanted = (
                select(DagRun.run_id)
                .join(BackfillDagRun, BackfillDagRun.dag_run_id == DagRun.id)
                .where(BackfillDagRun.backfill_id == newest, DagRun.state == DagRunState.QUEUED)
                .order_by(BackfillDagRun.sort_ordinal)
            )
            return list(session.scalars(wanted))

    def run(self, dag_id: str, run_id: str | None = None, destination: str | None = None) -> list[str]:
        """Execute the export of a run, by default the newest; return the slices that it wrote, or the error message."""
        with create_session() as session:
            runs = select(DagRun).where(DagRun.dag_id == dag_id).order_by(DagRun.id.desc())
            run = session.scalars(runs.where(DagRun.run_id == run_id) if run_id else runs).first()
            assert run is not None
            ti = session.scalars(select(TaskInstance).where(TaskInstance.run_id == run.run_id)).one()
            run.start_date, ti.state = datetime.now(UTC), TaskInstanceState.QUEUED
            details = TaskInstanceDetails(
                id=ti.id,
                dag_id=dag_id,
                task_id="export",
                run_id=run.run_id,
                try_number=ti.try_number,
                dag_version_id=cast("UUID", ti.dag_version_id),
            )
        with exported(destination) as slices:
            done = supervisor.run_task_in_process(ti=details, task=load()[dag_id].get_task("export"))
        if isinstance(done.msg, RescheduleTask):
            return [f"again at {done.msg.reschedule_date:%H:%M}"]
        with create_session() as session:
            state = DagRunState.FAILED if done.error else DagRunState.SUCCESS
            session.execute(update(DagRun).where(DagRun.run_id == details.run_id).values(state=state))
        return [str(done.error)] if done.error else slices


@contextlib.contextmanager
def airflow_home() -> Iterator[Airflow]:
    """Copy the DAGs, create the database, and serve the API."""
    here = Path(__file__)
    shutil.copytree(here.parents[3] / "dags", DAGS, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(here.with_name("other_dags.py"), DAGS)
    initdb()
    Airflow.cli("dags", "reserialize")
    with TestClient(create_app(apps="core")) as client:
        yield Airflow(client)


def load() -> dict[str, DAG]:
    """The DAGs, fresh from their files: a task that has run keeps the params of its run."""
    values = [value for path in DAGS.glob("*.py") for value in runpy.run_path(str(path)).values()]
    return {dag.dag_id: dag for dag in values if isinstance(dag, DAG)}


@contextlib.contextmanager
def exported(destination: str | None = None) -> Iterator[list[str]]:
    """A folder of its own to export to; afterwards, the slices that lie there."""
    folder = HOME / f"data-{time.monotonic_ns()}"
    os.environ["AIRFLOW_VAR_ZENDESK_DESTINATION"] = destination or folder.as_uri()
    slices: list[str] = []
    yield slices
    slices += sorted(str(path.relative_to(folder)) for path in folder.rglob("*.parquet"))
