"""Request the pages of a real API server as several users, and print what it returns as JSON.

The first argument is an empty folder for Airflow's home. Each line of standard input is a JSON object with ``path``,
``user`` (``anonymous``, ``broken``, ``viewer`` or ``admin``), and optionally ``method``, ``variables`` (the Airflow
Variables from here on), and ``unpause`` (a DAG).
"""

import json
import os
import sys
from pathlib import Path

HOME = Path(sys.argv[1])
PASSWORDS = {"admin": "invented-1", "viewer": "invented-2"}
(HOME / "passwords.json").write_text(json.dumps(PASSWORDS))
os.environ |= {
    "AIRFLOW_HOME": str(HOME / "airflow"),
    "AIRFLOW__API_AUTH__JWT_SECRET": "invented-for-the-tests-" * 4,
    "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parents[2] / "dags"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,viewer:viewer",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(HOME / "passwords.json"),
}

# ruff: noqa: E402  the environment comes first
from airflow.api_fastapi.app import create_app
from airflow.cli import cli_parser
from airflow.models.asset import AssetEvent
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from fastapi.testclient import TestClient
from starlette.routing import Mount

MOUNT = "/zendesk-coverage"


def main() -> None:
    """Serve the API, and answer each line of standard input with a line."""
    initdb()
    arguments = cli_parser.get_parser().parse_args(["dags", "reserialize"])
    arguments.func(arguments)
    app = create_app(apps="core")
    with TestClient(app, raise_server_exceptions=False) as client:
        headers = {"anonymous": {}, "broken": {"Authorization": "Bearer broken"}}
        for user, password in PASSWORDS.items():
            token = client.post("/auth/token", json={"username": user, "password": password}).json()["access_token"]
            headers[user] = {"Authorization": f"Bearer {token}"}
        (mount,) = (route for route in app.routes if isinstance(route, Mount) and route.path == MOUNT)
        print(json.dumps({"routes": sorted(getattr(route, "path", "") for route in mount.routes)}), flush=True)
        for line in sys.stdin:
            wanted = json.loads(line)
            for name, value in wanted.get("variables", {}).items():
                os.environ[f"AIRFLOW_VAR_{name.upper()}"] = value
            if "unpause" in wanted:
                path = f"/api/v2/dags/{wanted['unpause']}"
                client.patch(path, json={"is_paused": False}, headers=headers["admin"]).raise_for_status()
            if "event" in wanted:
                with create_session() as session:
                    session.add(AssetEvent(asset_id=1, source_task_id=wanted["task"], extra=wanted["event"]))
            response = client.request(
                wanted.get("method", "GET"), f"{MOUNT}{wanted['path']}", headers=headers[wanted["user"]]
            )
            print(
                json.dumps({"status": response.status_code, "text": response.text, "headers": dict(response.headers)}),
                flush=True,
            )


main()
