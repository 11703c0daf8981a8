"""The alert of docs/verify.md: a day that is missing fails the DAG, and an e-mail is sent."""

import email
import json
import os
import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from airflow_zendesk.cli import main
from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from tests.support.airflow_version import HAS_EXCEPTION_IN_NOTIFIER
from tests.support.commands import ROOT, run

BLOCK = re.compile(r"^## Alert on a gap\n.*?```python\n(.*?)```", re.MULTILINE | re.DOTALL)


class MailSession(socketserver.StreamRequestHandler):
    """Accepts the messages of one SMTP session, and keeps them in ``server.messages``."""

    def handle(self) -> None:
        """Answer each command."""
        self.wfile.write(b"220 ready\r\n")
        for line in self.rfile:
            command = line[:4].upper()
            self.wfile.write({b"DATA": b"354 continue\r\n", b"QUIT": b"221 closing\r\n"}.get(command, b"250 done\r\n"))
            if command == b"DATA":
                self.server.messages.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())  # type: ignore[attr-defined]
                self.wfile.write(b"250 done\r\n")
            elif command == b"QUIT":
                return


@contextmanager
def mail_server() -> Iterator[tuple[str, list[str]]]:
    """A mail server on loopback: its connection as JSON, and the messages that it has received."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailSession) as server:
        messages: list[str] = []
        server.messages = messages  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.com"}
        connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": server.server_address[1], "extra": extra}
        try:
            yield json.dumps(connection), messages
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A small account."""
    with ZendeskEmulator(Simulator(events_per_day=50)) as emulator:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps(emulator.connection()))
        yield


@pytest.mark.usefixtures("account")
def test_a_missing_day_sends_an_email(tmp_path: Path) -> None:
    """After the missing day is exported, the DAG succeeds and sends nothing."""
    match = BLOCK.search((ROOT / "docs" / "verify.md").read_text())
    assert match
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "alert.py").write_text(match[1].replace(', "ticket_metric_events"', ""))
    today = datetime.now(UTC).date()
    export = ["export", "--destination", tmp_path.as_uri(), "--start"]
    assert 0 == main([*export, f"{today - timedelta(days=7)}", "--end", f"{today - timedelta(days=1)}"])
    with mail_server() as (connection, messages):
        environment = os.environ | {
            "AIRFLOW_HOME": str(tmp_path / "home"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW_CONN_SMTP_DEFAULT": connection,
            "AIRFLOW_VAR_ZENDESK_DESTINATION": tmp_path.as_uri(),
        }
        assert 0 == run("airflow", "db", "migrate", environment=environment).returncode
        incomplete = run("airflow", "dags", "test", "zendesk_verify", environment=environment)
        assert 1 == len(messages), incomplete.stdout
        message = email.message_from_string(messages[0])
        (body,) = (part.get_payload(decode=True) for part in message.walk() if not part.is_multipart())
        assert "verify_ticket_events failed" == message["Subject"]
        assert isinstance(body, bytes)
        reason, no_reason = r"The dataset at .* is not complete in \[.*\): 1 missing;", "The log of the task"
        expected = reason if HAS_EXCEPTION_IN_NOTIFIER else no_reason
        assert re.match(expected, body.decode())
        assert 0 == main([*export, f"{today - timedelta(days=1)}", "--end", f"{today}"])
        complete = run("airflow", "dags", "test", "zendesk_verify", environment=environment)
        assert 1 == len(messages), complete.stdout
    assert ["failed", "success"] == [
        "failed" if "state=failed" in done.stdout else "success" for done in (incomplete, complete)
    ]
