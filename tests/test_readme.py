"""The blocks of the README, and of the pages that somebody follows first, run as printed."""

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

from airflow_zendesk.dataset.settings import ensure_settings
from airflow_zendesk.destination import open_destination
from airflow_zendesk.emulator import ZendeskEmulator
from airflow_zendesk.hooks.connection import EXTRAS, ConnectionSettings
from tests.support.commands import ROOT, run
from tests.support.slices import SETTINGS


def blocks(page: str) -> list[tuple[str, str]]:
    """The language and the text of each code block."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


PAGES = ["README.md", "docs/connect.md", "docs/scheduling.md", "docs/reference/hook.md"]
CONNECT = (ROOT / "docs" / "connect.md").read_text()
BLOCKS = [block for page in PAGES for block in blocks((ROOT / page).read_text())]
TUTORIAL = blocks((ROOT / "docs" / "tutorial.md").read_text())


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
    words = ["make demo", "pip install", "connections add", "support_desk", "backfill create", "pools set"]
    words += ["hook.get_df", "estimate --start", "rename-account"]
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
    assert EXTRAS == set(re.findall(r"^\| extra `(\w+)` \|", CONNECT, re.MULTILINE))


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


def test_estimate_is_printed(tmp_path: Path) -> None:
    """Without Airflow's UI, it is the test of a connection."""
    with ZendeskEmulator() as emulator:
        environment = {**os.environ, "AIRFLOW_CONN_ZENDESK_DEFAULT": json.dumps(emulator.connection())}
        assert "requests" in shell(block("estimate --start"), tmp_path, environment)


def test_account_is_renamed(tmp_path: Path) -> None:
    """In the settings of the dataset."""
    ensure_settings(open_destination(tmp_path.as_uri()), SETTINGS)
    shell(
        block("rename-account").replace("s3://aws_default@my-bucket/zendesk", tmp_path.as_uri()), tmp_path, os.environ
    )
    settings = json.loads((tmp_path / "_datasets" / "ticket_events.json").read_text())
    assert "newname.zendesk.com" == settings["account"]


def test_hook_returns_data_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the children as rows on request."""
    namespace: dict[str, Any] = {}
    with ZendeskEmulator() as emulator:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps(emulator.connection()))
        exec(block("hook.get_df"), namespace)
    assert 1_500 < len(namespace["events"]) < 2_500
    assert "solved" in set(namespace["changes"]["value"].dropna().str.strip('"'))


def test_tutorial_is_followed_to_the_letter(tmp_path: Path) -> None:
    """Every block after the installation, in one shell, in an empty folder; a block of Python is a script."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    install, *steps = TUTORIAL
    assert "pip install '.[duckdb]'" in install[1]
    # Otherwise the emulator would keep the test waiting after a block has failed.
    lines = ["trap 'kill $(jobs -p)' EXIT", f"mkdir -p {tmp_path}/bin"]
    for number, (language, text) in enumerate(steps):
        if language == "python":
            (tmp_path / f"{number}.py").write_text(text.replace("/tmp/tutorial", f"{tmp_path}/tutorial"))
        lines.append(f"python {tmp_path}/{number}.py" if language == "python" else text)
    script = "\n".join(lines).replace("/tmp/tutorial", f"{tmp_path}/tutorial").replace("8090", port)
    load = next(text for language, text in steps if "zendesk_load_ticket_events --conf" in text)
    printed = shell(f"{script}\n{load}\n", tmp_path, os.environ)
    assert "7 published" in printed
    assert "complete, without duplicates" in printed
    assert 7 == len(re.findall(r"^data/ticket_events/event_date=2026-01-0\d/\S+\.parquet$", printed, re.MULTILINE))
    assert "Published 2026-01-08" in printed
    assert (8, 8) == tuple(len(re.findall(rf"{word} file:///\S+", printed)) for word in ("loaded", "unchanged"))
    assert "status" in printed.partition("field_name")[2]
