"""docs/rehearse-a-bad-day.md is true: its examples run, and its table is the list of faults."""

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

PAGE = (ROOT / "docs" / "rehearse-a-bad-day.md").read_text()
BLOCKS: dict[str, str] = dict(re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def test_page_has_a_test_for_each_example() -> None:
    """There are three, of three kinds."""
    assert {"python", "json", "bash"} == BLOCKS.keys()
    assert 6 == PAGE.count("```")


def test_tests_of_the_page_pass(tmp_path: Path) -> None:
    """In a folder that knows nothing of this repository."""
    (tmp_path / "test_mine.py").write_text(BLOCKS["python"])
    done = subprocess.run(
        [executable("pytest"), "-q", "-p", "no:cacheprovider", "-p", "no:randomly", tmp_path],
        cwd=tmp_path, env={**os.environ, "AIRFLOW_HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "2 passed" in done.stdout, done.stdout


def test_commands_of_the_page_do_as_it_says(tmp_path: Path) -> None:
    """The export is whole in spite of the scenario, and the next scenario is taken."""
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


def test_table_of_the_page_is_the_list_of_faults(capsys: pytest.CaptureFixture[str]) -> None:
    """Names, sentences, options; the command tells the same."""
    rows = [
        f"| `{fault.name}` | {fault.sentence} | "
        + ", ".join(f"`{name}` {json.dumps(default)}" for name, default in fault.defaults.items())
        for fault in FAULTS.values()
    ]
    assert rows == [line.removesuffix(" |") for line in PAGE.splitlines() if re.match(r"\| `\w+` \| .* \| .*\|$", line)]
    assert 0 == main(["emulator", "--list-faults"])
    told = printed(capsys)
    assert all(f"{fault.name}: {fault.sentence}\n" in told for fault in FAULTS.values())
    assert 0 == main(["emulator", "--list-faults", "--json"])
    listed = json.loads(printed(capsys))
    assert {name: dict(fault.defaults) for name, fault in FAULTS.items()} == {
        each["fault"]: each["options"] for each in listed
    }


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read: [Errno 2]"),
        ("[{]", "cannot be read: Expecting property name"),
        ('[{"fault": "htlm"}]', "there is no fault 'htlm'; known are: burst"),
    ],
)
def test_file_that_is_no_scenario_is_told(
    tmp_path: Path, content: str | None, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a sentence with its name, and nothing is served."""
    path = tmp_path / "bad-day.json"
    if content is not None:
        path.write_text(content)
    assert 1 == main(["emulator", "--port", "0", "--scenario", str(path)])
    captured = capsys.readouterr()
    assert f"--scenario {path}" in captured.err
    assert told in captured.err
    assert "" == captured.out


def test_way_that_is_none_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """With those that are."""
    assert 1 == main(["emulator", "--port", "0", "--way", "window"])
    assert "is none of password, api_token, bearer, client_credentials" in capsys.readouterr().err
