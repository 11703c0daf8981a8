"""The set-up checklist: what the shipped DAGs need in this Airflow, and how to provide what is missing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from airflow.models.dag import DagModel
from airflow.models.pool import Pool
from airflow.providers.common.compat.sdk import conf
from airflow.sdk import Variable
from airflow.utils.session import create_session

from airflow_zendesk.destination import open_destination
from airflow_zendesk.exceptions import ZendeskError
from airflow_zendesk.hooks.connection import ConnectionSettings
from airflow_zendesk.hooks.connection_lookup import load_connection

_DAGS = ("zendesk_ticket_events", "zendesk_history", "zendesk_verify")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the DAGs need; ``advice`` says how to provide it, and is empty if it is there."""

    name: str
    found: str
    advice: str = ""


def check_setup() -> list[Check]:
    """Check the destination, the connection, the pool and the DAGs; nothing is requested from Zendesk."""
    return [_destination(), _connection(), _pool(), *_dags()]


def _destination() -> Check:
    destination = Variable.get("zendesk_destination", default="")
    if not destination:
        return Check(
            "Destination",
            "The Airflow Variable zendesk_destination is not set.",
            "airflow variables set zendesk_destination s3://aws_default@my-bucket/zendesk",
        )

    def find() -> str:
        store = open_destination(destination)
        store.check_access()
        return f"{store.uri('')} is accessible."

    return _check("Destination", find, "Correct the Airflow Variable zendesk_destination, or its connection.")


def _connection() -> Check:
    def find() -> str:
        settings = ConnectionSettings.from_connection(load_connection("zendesk_default"))
        return " ".join(filter(None, (f"zendesk_default is the account {settings.host}.", settings.deprecation)))

    return _check("Connection", find, "Add or correct the connection zendesk_default in Admin, Connections.")


def _check(name: str, find: Callable[[], str], advice: str) -> Check:
    try:
        return Check(name, find())
    except ZendeskError as error:
        return Check(name, str(error), advice)


def _pool() -> Check:
    name = conf.get("zendesk_export", "pool", fallback=Pool.DEFAULT_POOL_NAME)
    with create_session() as session:
        pool = Pool.get_pool(name, session=session)
    if pool is None:
        command = f"airflow pools set {name} 1 'Requests to Zendesk'"
        return Check("Pool", f"The pool {name} does not exist, so the exports would wait forever.", command)
    return Check("Pool", f"The exports use the pool {name}.")


def _dags() -> Iterator[Check]:
    with create_session() as session:
        dags = {dag_id: session.get(DagModel, dag_id) for dag_id in _DAGS}
        states = {dag_id: None if dag is None or dag.is_stale else bool(dag.is_paused) for dag_id, dag in dags.items()}
    for dag_id, is_paused in states.items():
        if is_paused is None:
            advice = f"Add `from airflow_zendesk.example_dags.{dag_id} import dag` to a file in the DAGs folder."
            yield Check(dag_id, "The DAG is not in this Airflow.", advice)
        elif is_paused:
            yield Check(dag_id, "The DAG is paused.", f"airflow dags unpause {dag_id}")
        else:
            yield Check(dag_id, "The DAG is active.")
