"""The command: its output and its exit codes."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from airflow_zendesk import __version__
from airflow_zendesk.cli import main
from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.window import Window
from tests.support.commands import executable, printed, run
from tests.support.scripted_server import Reply, scripted_server

DAY = ["--start", "2026-01-01T00:00:00Z", "--end", "2026-01-02T00:00:00Z"]


def test_export_prints_a_line_per_slice(
    tmp_path: Path, emulator: ZendeskEmulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows, bytes, outcome and object; then the total."""
    assert 0 == main(["export", *DAY, "--destination", tmp_path.as_uri(), "--grain", "12h"])
    lines = printed(capsys).splitlines()
    assert ["slice", "rows", "bytes", "object"] == lines[0].split()
    date, time, rows, size, outcome, uri = lines[1].split()
    assert ("2026-01-01", "00:00", "published") == (date, time, outcome)
    assert f"{Path(uri.removeprefix('file://')).stat().st_size:,}" == size
    assert int(rows.replace(",", "")) > 0
    assert f"{len(emulator.requests)} requests; slices: 2 published" in lines[-1]


@pytest.mark.usefixtures("emulator")
def test_export_prints_only_json_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing else goes to standard output."""
    arguments = ["--destination", tmp_path.as_uri(), "--resource", "ticket_metric_events", "--json"]
    assert 0 == main(["export", *DAY, *arguments])
    report = json.loads(printed(capsys))
    assert ("ticket_metric_events", "1d", "published") == (
        report["resource"], report["grain"], report["slices"][0]["outcome"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([*DAY[:3], "2026-01-01T00:00:00Z"], "is empty"),
        ([*DAY, "--grain", "7h"], "does not divide a UTC day"),
        ([*DAY, "--settle", "soon"], "--settle 'soon' is invalid"),
        ([*DAY, "--zendesk-conn-id", "nobody"], "There is no connection 'nobody'"),
        ([*DAY, "--resource", "ticket_audits"], "The resource 'ticket_audits' is unknown. Use one of ticket_events"),
        ([*DAY, "--include", "users"], "ticket_events has no sideload 'users'"),
    ],
)
def test_error_is_printed_once_and_is_a_failure(
    tmp_path: Path, arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, without a traceback."""
    assert 1 == main(["export", *arguments, "--destination", tmp_path.as_uri()])
    captured = capsys.readouterr()
    assert reason in captured.err
    assert "Traceback" not in captured.err
    assert "" == captured.out


@pytest.mark.parametrize(
    ("wait_timeout", "reason"),
    [
        ("1m", "Retry-After is 3600 s.* the next wait would be 360[01] s, and 60 s of the retry budget are left"),
        ("45m", "Retry-After is 3600 s.* and 2700 s of the retry budget are left"),
        ("soon", "--wait-timeout 'soon' is invalid. Use whole days, hours or minutes, like 1d"),
    ],
)
def test_wait_timeout_limits_the_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, wait_timeout: str, reason: str
) -> None:
    """A wait that would exceed it is not started."""
    with scripted_server(Reply(status=429, headers={"Retry-After": "3600"})) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        window = ["--start", "2026-01-01", "--end", "2026-01-02", "--destination", tmp_path.as_uri()]
        assert 1 == main(["export", *window, "--wait-timeout", wait_timeout])
    assert re.search(reason, capsys.readouterr().err)


def test_estimate_is_within_its_margin(emulator: ZendeskEmulator, capsys: pytest.CaptureFixture[str]) -> None:
    """A month, sampled by ten pages: events, margin, and the cost of a sweep and of a run per slice."""
    window = ["--start", "2026-03-01T00:00:00Z", "--end", "2026-04-01T00:00:00Z", "--grain", "1h"]
    assert 0 == main(["estimate", *window, "--json"])
    estimate = json.loads(printed(capsys))
    month = Window.of(*estimate["window"].values())
    truth = len(emulator.expected_ids("ticket_events", month.start, month.end))
    assert 10 == estimate["probes"] == len(emulator.requests)
    assert 0 < estimate["margin"] < 0.3 * truth
    assert abs(estimate["events"] - truth) < estimate["margin"]
    assert estimate["events"] // 1_000 + 1 == estimate["sweep"]["requests"]
    assert (744, 744) == (estimate["slices"], estimate["run_per_slice"]["requests"])


def test_estimate_counts_events_that_fit_into_its_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A quiet week is counted exactly; the minutes are those of the rate limit that the responses state."""
    window = ["2026-03-01T00:00:00Z", "2026-03-08T00:00:00Z"]
    with (
        ZendeskEmulator(Simulator(events_per_day=200), requests_per_minute=10) as emulator,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps(emulator.connection()))
        assert 0 == main(["estimate", "--start", window[0], "--end", window[1]])
        truth = len(emulator.expected_ids("ticket_events", Window.of(*window).start, Window.of(*window).end))
        text = printed(capsys)
        assert 0 == main(["export", "--start", window[0], "--end", window[1], "--destination", tmp_path.as_uri()])
    size = sum(path.stat().st_size for path in tmp_path.rglob("*.parquet"))
    assert f"events           {truth:>12,}  counted, by 2 requests" in text
    assert "one pass                    2  0.2\na run per slice             7  0.7" in text
    estimated = int(re.findall(r"bytes in storage +([\d,]+)", text)[0].replace(",", ""))
    assert 0.9 * size < estimated < 1.1 * size


def test_estimate_of_a_future_window_is_refused(emulator: ZendeskEmulator, capsys: pytest.CaptureFixture[str]) -> None:
    """By Zendesk's clock, as in an export."""
    assert 1 == main(["estimate", "--start", "2026-03-01T00:00:00Z", "--end", "2100-01-01T00:00:00Z"])
    assert "Export the window after it has ended" in capsys.readouterr().err
    assert 1 == len(emulator.requests)


@pytest.mark.parametrize("arguments", [[], ["export"], ["exprot"]])
def test_wrong_usage_is_an_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With the usage of the command."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: airflow-zendesk" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--help"], "emulator"),
        (["export", "--help"], "example:"),
        (["estimate", "--help"], "at most ten pages"),
        (["verify", "--help"], "example:"),
        (["find", "--help"], "examples:"),
        (["rename-account", "--help"], "example:"),
        (["--version"], __version__),
    ],
)
def test_help_does_not_import_airflow(arguments: list[str], words: str) -> None:
    """So that it is fast."""
    code = f"""
import sys
from airflow_zendesk.cli import main
try:
    main({arguments!r})
finally:
    assert "airflow" not in sys.modules
"""
    done = run("python", "-c", code)
    assert 0 == done.returncode, done.stderr
    assert words in done.stdout


@pytest.mark.parametrize("port", ["taken", "-1", "70000"])
def test_unusable_port_of_the_emulator_is_an_error(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It names the option."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = port.replace("taken", str(other.getsockname()[1]))
        assert 1 == main(["emulator", f"--port={port}"])
    assert capsys.readouterr().err.startswith(f"airflow-zendesk: --port {port} cannot be used: ")


def test_closed_pipe_is_not_an_error_message() -> None:
    """As in `airflow-zendesk ... | head -1`: no traceback, not even at exit."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [executable("airflow-zendesk"), "emulator", "--list-faults"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (1, "") == (done.returncode, done.stderr)


def test_interrupt_ends_the_command_with_one_line(tmp_path: Path) -> None:
    """While it waits for Zendesk, as after Ctrl-C."""
    # The handler is Python's own, unless the tests run in the background of a script.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "import sys; from airflow_zendesk.cli import main; sys.exit(main())"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connection = {"host": f"http://127.0.0.1:{silent.getsockname()[1]}", "login": "a@example.com", "password": "-"}
        environment = os.environ | {"AIRFLOW_CONN_ZENDESK_DEFAULT": json.dumps(connection)}
        command = [sys.executable, "-c", code, "export", *DAY, "--destination", tmp_path.as_uri()]
        export = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        with export, silent.accept()[0]:
            export.send_signal(signal.SIGINT)
            _, errors = export.communicate(timeout=60)
    assert 130 == export.returncode
    assert "airflow-zendesk: interrupted; every slice that was published is complete\n" in errors
    assert "Traceback" not in errors


def test_interrupt_that_python_drops_is_raised_again(tmp_path: Path) -> None:
    """Python ignores what is raised in a finalizer, as in the callbacks of its import system."""
    code = """
import signal
import sys
from airflow_zendesk.cli import main

class Dropped:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

class Arguments(list):
    def __iter__(self):
        Dropped()
        return super().__iter__()

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(Arguments(sys.argv[1:])))
"""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connection = {"host": f"http://127.0.0.1:{silent.getsockname()[1]}", "login": "a@example.com", "password": "-"}
        environment = os.environ | {"AIRFLOW_CONN_ZENDESK_DEFAULT": json.dumps(connection)}
        command = [sys.executable, "-c", code, "export", *DAY, "--destination", tmp_path.as_uri()]
        done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert 130 == done.returncode
    assert "Exception ignored in: <function Dropped.__del__" in done.stderr
    assert done.stderr.endswith("airflow-zendesk: interrupted; every slice that was published is complete\n")


def test_emulator_serves_until_it_is_terminated(tmp_path: Path) -> None:
    """It prints the connection to use, and an export with it works without an Airflow database."""
    command = [executable("airflow-zendesk"), "emulator", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as emulator:
        assert emulator.stdout
        connection = [emulator.stdout.readline() for _ in range(2)][1].partition("=")[2].strip().strip("'")
        environment = os.environ | {
            "AIRFLOW_HOME": str(tmp_path / "home"), "AIRFLOW_CONN_ZENDESK_DEFAULT": connection,
        }  # fmt: skip
        arguments = ["export", *DAY, "--destination", (tmp_path / "data").as_uri(), "--json"]
        done = run("airflow-zendesk", *arguments, environment=environment)
        window = "resource=ticket_events&start=1767225600&end=1767312000"
        truth = f"{json.loads(connection)['host']}/emulator/expected_ids?{window}"
        with urllib.request.urlopen(truth) as answer:
            ids = json.load(answer)["ids"]
        emulator.terminate()
        assert 0 == emulator.wait(10)
    assert 0 == done.returncode, done.stderr
    assert len(ids) == json.loads(done.stdout)["events"]
    assert not list((tmp_path / "home").rglob("*.db"))
