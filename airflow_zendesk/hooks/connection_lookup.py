"""Get a connection from Airflow, or raise an error that names the cause."""

import json
import os
import re

from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.sdk import BaseHook, Connection

from airflow_zendesk.exceptions import SettingsError

#: Other ids, like the key:secret of a URL, are not repeated in errors.
_PLAIN_ID = re.compile(r"[\w.-]+")


def load_connection(conn_id: str) -> Connection:
    """Get a connection by its id.

    Raises:
        SettingsError: there is no such connection, or its environment variable cannot be parsed.
    """
    named, variable = "of that id", "AIRFLOW_CONN_..."
    if _PLAIN_ID.fullmatch(conn_id):
        named, variable = repr(conn_id), f"AIRFLOW_CONN_{conn_id.upper()}"
    value = os.environ.get(variable, "").strip()
    _check_syntax(variable, value)
    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        if value:  # Airflow reports a value that it cannot read as a connection that is not defined
            raise SettingsError(f"{variable} has an unknown field, or one of the wrong type. Correct it.") from None
        raise SettingsError(
            f"There is no connection {named}. Add it under Admin, Connections, or set {variable} in the environment."
        ) from None


def _check_syntax(variable: str, value: str) -> None:
    if value.startswith("{"):
        try:
            json.loads(value)
        except json.JSONDecodeError as error:
            raise SettingsError(
                f"{variable} is not valid JSON: {error.msg} (line {error.lineno}, column {error.colno}). Correct it."
            ) from None
    elif value and "://" not in value:
        raise SettingsError(f"{variable} is neither JSON nor a URI. Correct it.")
