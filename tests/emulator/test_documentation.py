"""docs/testing-with-the-emulator.md: its examples run, and its table lists the faults."""

import json
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from airflow_zendesk.cli import main
from airflow_zendesk.emulator.faults import FAULTS
from tests.support.commands import ROOT, executable, printed

PAGE = (ROOT / "docs" / "testing-with-the-emulator.md").read_text()
BLOCKS: dict[str, str] = dict(re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def test_page_has_a_test_for_each_example() -> None:
    """There are three, in three languages."""
    assert {"python", "json", "bash"} == BLOCKS.keys()
    assert 6 == PAGE.count("```")


def test_python_example_passes(tmp_path: Path) -> None:
    """It runs in a folder outside this repository."""
    (tmp_path / "test_mine.py").write_text(BLOCKS["python"])
    done = subprocess.run(
        [executable("pytest"), "-q", "-p", "no:cacheprovider", "-p", "no:randomly", tmp_path],
        cwd=tmp_path, env={**os.environ, "AIRFLOW_HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "2 passed" in done.stdout, done.stdout


def test_shell_example_exports_in_spite_of_the_scenario(tmp_path: Path) -> None:
    """The export is complete, and the emulator accepts the next scenario."""
    (tmp_path / "bad-day.json").write_text(BLOCKS["json"])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    script = BLOCKS["bash"].replace("8091", port).replace("/tmp/bad-day", str(tmp_path / "data"))
    path = f"{Path(executable('python')).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-m", "-c", script],
        cwd=tmp_path, env={**os.environ, "PATH": path, "AIRFLOW_HOME": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "slices: 1 published" in done.stdout
    assert '{"steps":1}' in done.stdout
    requests = json.loads(done.stdout[done.stdout.index('{"requests"') :])["requests"]
    assert ["status", "cut_in_body", "status", "status"] == [
        fault for request in requests for fault in request["faults"]
    ]


def test_table_lists_all_faults(capsys: pytest.CaptureFixture[str]) -> None:
    """Names, descriptions and options are those that the command prints."""
    rows = [
        f"| `{fault.name}` | {fault.description} | "
        + ", ".join(f"`{name}` {json.dumps(default)}" for name, default in fault.defaults.items())
        for fault in FAULTS.values()
    ]
    assert rows == [line.removesuffix(" |") for line in PAGE.splitlines() if re.match(r"\| `\w+` \| .* \| .*\|$", line)]
    assert 0 == main(["emulator", "--list-faults"])
    output = printed(capsys)
    assert all(f"{fault.name}: {fault.description}\n" in output for fault in FAULTS.values())
    assert 0 == main(["emulator", "--list-faults", "--json"])
    listed = json.loads(printed(capsys))
    assert {name: dict(fault.defaults) for name, fault in FAULTS.items()} == {
        each["fault"]: each["options"] for each in listed
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: [Errno 2]"),
        ("[{]", "cannot be read: Expecting property name"),
        ('[{"fault": "htlm"}]', "unknown fault 'htlm'; use one of: bulk_update"),
    ],
)
def test_invalid_scenario_file_is_reported(
    tmp_path: Path, content: str | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the file, and the emulator does not start."""
    path = tmp_path / "bad-day.json"
    if content is not None:
        path.write_text(content)
    assert 1 == main(["emulator", "--port", "0", "--scenario", str(path)])
    captured = capsys.readouterr()
    assert f"--scenario {path}" in captured.err
    assert message in captured.err
    assert "" == captured.out


def test_invalid_auth_method_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """The message lists the valid ones."""
    assert 1 == main(["emulator", "--port", "0", "--auth-method", "window"])
    assert (
        "'window' is invalid. Use one of: password, api_token, bearer, client_credentials." in capsys.readouterr().err
    )
