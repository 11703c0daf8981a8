"""The README runs as printed: each of its blocks, in the order of the page."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Connection

from airflow_zendesk.emulator import ZendeskEmulator
from airflow_zendesk.hooks.connection import EXTRAS, ConnectionSettings
from tests.support.commands import ROOT, executable, run

README = (ROOT / "README.md").read_text()
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def block(word: str) -> str:
    """The one block with that word in it."""
    (found,) = (text for _, text in BLOCKS if word in text)
    return found


def shell(script: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Run a block as somebody would who has activated the virtual environment; it must succeed."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-m", "-c", script],
        cwd=folder, env={**environment, "PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def test_every_block_is_run_here() -> None:
    """A new block needs a test."""
    words = ["make demo", "pip install", "connections add", "support_desk", "backfill create", "emulator --port"]
    words += ["zendesk_warehouse", "zendesk verify", "pools set"]
    words += ["pd.read_parquet", "hook.get_df", "def test_my_export"]
    assert len(BLOCKS) == len({block(word) for word in words})


def test_two_commands_are_those_of_the_makefile() -> None:
    """The demo has a test of its own, and this is the other command."""
    targets = run("python", "-c", "import subprocess; subprocess.run(['make', 'help'], check=True)").stdout
    for line in block("make demo").splitlines():
        assert re.search(rf"^{line.removeprefix('make ')} ", targets, re.MULTILINE)


def test_install_resolves() -> None:
    """Extra, constraints and all, without installing."""
    command = block("pip install").replace("pip install", "pip install --dry-run --no-deps --quiet")
    shell(command, ROOT, os.environ)


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an Airflow with a database, which knows the DAGs of dags/."""
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    for command in ("db migrate", "dags reserialize"):
        done = run("airflow", *command.split(), environment=environment)
        assert 0 == done.returncode, done.stdout + done.stderr
    return environment


def test_connection_is_added(airflow: dict[str, str], tmp_path: Path) -> None:
    """In both ways, and the hook takes it as it stands."""
    script = block("connections add") + '\nprintf "%s" "$AIRFLOW_CONN_ZENDESK_DEFAULT" > environment.json'
    shell(script, tmp_path, airflow)
    done = run("airflow", "connections", "get", "zendesk_default", "--output", "json", environment=airflow)
    (connection,) = json.loads(done.stdout.splitlines()[-1])
    assert ("zendesk_export", "acme", "airflow_export") == (
        connection["conn_type"], connection["host"], connection["login"],
    )  # fmt: skip
    account = ConnectionSettings.from_connection(
        Connection.from_json((tmp_path / "environment.json").read_text(), conn_id="zendesk_default")
    )
    assert ("https://acme.zendesk.com", "client_credentials", "airflow_export", "the-client-secret") == (
        account.base_url, account.auth, account.login, account.secret,
    )  # fmt: skip


def test_fields_of_the_connection_are_those_that_are_read() -> None:
    """Each extra has a row, and no row is of another."""
    assert EXTRAS == set(re.findall(r"^\| extra `(\w+)` \|", README, re.MULTILINE))


def test_warehouse_is_named(airflow: dict[str, str], tmp_path: Path) -> None:
    """Where the shipped DAG looks for it."""
    shell(block("zendesk_warehouse"), tmp_path, airflow)
    done = run("airflow", "variables", "get", "zendesk_warehouse", environment=airflow)
    assert done.stdout.splitlines()[-1] in (ROOT / "docs" / "warehouses.md").read_text()


def test_pool_is_made(airflow: dict[str, str], tmp_path: Path) -> None:
    """With one slot."""
    output = shell(
        f"{block('pools set')}airflow pools get $AIRFLOW__ZENDESK_EXPORT__POOL --output json", tmp_path, airflow
    )
    (pool,) = json.loads(output.splitlines()[-1])
    assert ("zendesk", "1") == (pool["pool"], str(pool["slots"]))


def test_backfill_is_created(airflow: dict[str, str], tmp_path: Path) -> None:
    """A run for each of the 31 days, both ends included."""
    shell(block("backfill create"), tmp_path, airflow)
    listed = run("airflow", "dags", "list-runs", "zendesk_ticket_events", "--output", "json", environment=airflow)
    days = sorted(each["logical_date"][:10] for each in json.loads(listed.stdout.splitlines()[-1]))
    assert ("2026-03-01", "2026-03-31", 31) == (days[0], days[-1], len(days))


def test_dag_is_one() -> None:
    """It imports, and its schedule has intervals."""
    namespace: dict[str, Any] = {}
    exec(block("support_desk"), namespace)
    script = block("support_desk").replace("with DAG(", "dag = DAG(").split("):\n")[0] + ")"
    exec(script, namespace)
    assert "CronDataIntervalTimetable" == type(namespace["dag"].timetable).__name__


def test_command_exports_and_the_readers_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the emulator to pandas, pyarrow, DuckDB and the hook."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    script = block("emulator --port").replace("/tmp/zendesk", str(tmp_path)).replace("8090", port)
    printed = shell(script, tmp_path, {**os.environ, "AIRFLOW_HOME": str(tmp_path / "home")})
    assert "7 published" in printed
    proven = shell(block("zendesk verify").replace("/tmp/zendesk", str(tmp_path)), tmp_path, os.environ)
    assert "complete, without duplicates" in proven
    namespace: dict[str, Any] = {}
    exec(block("pd.read_parquet").replace("/tmp/zendesk", str(tmp_path)), namespace)
    frame, table, solved = namespace["frame"], namespace["table"], namespace["solved"]
    assert 1_500 < len(frame) < 2_500
    assert f"{table.num_rows:,} events in" in printed
    assert (7, True) == (len(solved), (solved["solved"] > 0).all())
    with ZendeskEmulator() as emulator:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps(emulator.connection()))
        exec(block("hook.get_df"), namespace)
    assert sorted(frame["id"]) == sorted(namespace["events"]["id"])
    assert "solved" in set(namespace["changes"]["value"].dropna().str.strip('"'))


def test_fixture_works_in_somebody_elses_tests(tmp_path: Path) -> None:
    """In a folder that knows nothing of this repository."""
    (tmp_path / "test_mine.py").write_text(block("def test_my_export"))
    done = subprocess.run(
        [executable("pytest"), "-q", "-p", "no:cacheprovider", tmp_path],
        cwd=tmp_path, env={**os.environ, "AIRFLOW_HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "1 passed" in done.stdout, done.stdout
