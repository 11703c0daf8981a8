"""The wheel alone, in an empty environment outside this tree, exports and verifies a day of the emulator."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import airflow_zendesk
from tests.support.commands import ROOT, run

#: 2026-01-05, as the commands and as the emulator name it.
DAY = ["--start", "2026-01-05", "--end", "2026-01-06"]
QUERY = "start=1767571200&end=1767657600"
RESOURCES = ["ticket_events", "ticket_metric_events"]
#: Prints the ids of each resource, as a reader without this package sees them.
READ = """
import json, sys
import pyarrow.parquet as pq
folder, *resources = sys.argv[1:]
print(json.dumps({name: pq.read_table(f"{folder}/{name}", columns=["id"])["id"].to_pylist() for name in resources}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    done = run("uv", "build", "--quiet", "--out-dir", folder)
    assert 0 == done.returncode, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(params=["lowest", "newest"])
def environment(request: pytest.FixtureRequest, wheel: Path, tmp_path: Path) -> Path:
    """The commands of an environment in which only the wheel was installed, without extras."""
    lowest = request.param == "lowest"
    pins: list[str | Path] = ["--constraint", ROOT / "constraints/airflow-3.1-lowest.txt"] if lowest else []
    bin_ = tmp_path / "venv" / "bin"
    made = run("uv", "venv", "--quiet", "--python", sys.executable, tmp_path / "venv")
    installed = run("uv", "pip", "install", "--quiet", "--python", bin_ / "python", *pins, wheel)
    assert (0, 0) == (made.returncode, installed.returncode), made.stderr + installed.stderr
    listed = run("uv", "pip", "list", "--format", "json", "--python", bin_ / "python")
    versions = {each["name"]: each["version"] for each in json.loads(listed.stdout)}
    print({name: version for name, version in versions.items() if name in ("apache-airflow", "pyarrow", "numpy")})
    assert airflow_zendesk.__version__ == versions["airflow-zendesk"]
    assert lowest == (versions["apache-airflow"] == "3.1.8")
    return bin_


@contextmanager
def emulator(bin_: Path, folder: Path, variables: dict[str, str]) -> Iterator[str]:
    """The emulator of the wheel: yields the connection that it prints."""
    command = [str(bin_ / "airflow-zendesk"), "emulator", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield [process.stdout.readline() for _ in range(2)][1].partition("=")[2].strip().strip("'")
        finally:
            process.terminate()


def expected_ids(connection: str, resource: str) -> list[int]:
    """The ids of the day, as the emulator states them apart from its export."""
    url = f"{json.loads(connection)['host']}/emulator/expected_ids?resource={resource}&{QUERY}"
    with urllib.request.urlopen(url) as answer:
        return sorted(json.load(answer)["ids"])


def test_wheel_alone_exports_every_event(environment: Path, tmp_path: Path) -> None:
    """Of two resources; the verification compares every row with the source."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
    variables["AIRFLOW_HOME"] = str(tmp_path / "home")
    data = tmp_path / "data"

    def ran(*command: str | Path) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
        assert 0 == done.returncode, done.stdout + done.stderr
        return done.stdout

    python = environment / "python"
    package = ran(python, "-c", "import airflow_zendesk; print(airflow_zendesk.__file__)")
    assert (tmp_path / "venv").resolve() in Path(package.strip()).resolve().parents
    with emulator(environment, tmp_path, variables) as connection:
        variables["AIRFLOW_CONN_ZENDESK_DEFAULT"] = connection
        expected = {resource: expected_ids(connection, resource) for resource in RESOURCES}
        for resource in RESOURCES:
            window = ["--resource", resource, *DAY, "--destination", data.as_uri()]
            assert "1 published" in ran(environment / "airflow-zendesk", "export", *window)
            assert "1 unchanged" in ran(environment / "airflow-zendesk", "export", *window)
            verified = ran(environment / "airflow-zendesk", "verify", *window, "--source", "all")
            assert "complete, without duplicates" in verified
    stored = json.loads(ran(python, "-c", READ, data, *RESOURCES))
    assert all(len(ids) > 1_000 for ids in expected.values())
    assert expected == {resource: sorted(ids) for resource, ids in stored.items()}
    assert "zendesk_export" in ran(environment / "airflow", "providers", "hooks", "--output", "json")
