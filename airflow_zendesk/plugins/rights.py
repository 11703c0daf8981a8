"""Who may see the coverage pages, and who may start a repair; Airflow's auth manager decides both."""

from typing import Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.models.dag import DagModel
from airflow.utils.session import create_session

#: The DAG that repairs gaps. Who may read it may see the pages, who may run it may start a repair.
HISTORY_DAG = "zendesk_history"


def reason_not_to_repair(user: Any) -> str:
    """Why the repair button is disabled for a user; empty if the user may start a repair."""
    with create_session() as session:
        dag = session.get(DagModel, HISTORY_DAG)
        is_there, is_paused = dag is not None and not dag.is_stale, dag is not None and dag.is_paused
    if not is_there:
        return f"This Airflow does not have the DAG {HISTORY_DAG}. Copy it into the DAGs folder."
    may_run = get_auth_manager().is_authorized_dag(
        method="POST", access_entity=DagAccessEntity.RUN, details=DagDetails(id=HISTORY_DAG), user=user
    )
    if not may_run:
        return f"You may not run the DAG {HISTORY_DAG}. Ask an administrator of Airflow."
    if is_paused:
        return f"The DAG {HISTORY_DAG} is paused. Unpause it first."
    return ""
