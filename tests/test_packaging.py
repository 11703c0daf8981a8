"""The wheel that people install, and the provider that Airflow discovers in it."""

import email
import importlib.util
import json
import os
import re
import subprocess
import tarfile
import textwrap
import zipfile
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

import airflow
import jsonschema
import pytest
from airflow.sdk import BaseHook, BaseOperator, Connection

import airflow_zendesk
from airflow_zendesk.hooks.connection import EXTRAS, ConnectionSettings
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.provider_info import get_provider_info
from tests.support.commands import ROOT, run

#: The files beside the package and the DAGs that the source distribution has; the last ones are of setuptools.
BESIDE = {"CHANGELOG.md", "LICENSE", "MANIFEST.in", "README.md", "SECURITY.md", "pyproject.toml", "setup.py"}
OF_SETUPTOOLS = {"PKG-INFO", "setup.cfg"}


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution of this tree, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("distributions")
    done = run("uv", "build", "--quiet", "--out-dir", folder)
    assert 0 == done.returncode, done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> zipfile.ZipFile:
    """The wheel."""
    return zipfile.ZipFile(next(distributions.glob("*.whl")))


@pytest.fixture(scope="module")
def package_files() -> set[str]:
    """The files of the package and the DAGs in this tree, without those that Git ignores."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "airflow_zendesk", "dags"]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())


def test_wheel_has_the_package_and_the_dags_and_nothing_else(wheel: zipfile.ZipFile, package_files: set[str]) -> None:
    """Every module, the marker of types, the DAGs as a package, and no test."""
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert {re.sub("^dags/", "airflow_zendesk/example_dags/", file) for file in package_files} == names
    assert {"airflow_zendesk/py.typed", "airflow_zendesk/example_dags/zendesk_ticket_events.py"} <= names


def test_source_distribution_has_what_builds_the_wheel(distributions: Path, package_files: set[str]) -> None:
    """And the texts about the release; no tests, documentation, constraints or tools."""
    (path,) = distributions.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}
    assert package_files | BESIDE | OF_SETUPTOOLS == {name for name in names if ".egg-info/" not in name}


def test_dags_are_imported_from_the_wheel(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """By the file that docs/scheduling.md shows, in a process that does not see this tree."""
    wheel.extractall(tmp_path)
    page = (ROOT / "docs" / "scheduling.md").read_text()
    (file,) = re.findall(r"^  ```python\n(.*?)^  ```", page, re.MULTILINE | re.DOTALL)
    script = (
        textwrap.dedent(file) + "print(history.dag_id, ticket_events.dag_id, __import__('airflow_zendesk').__file__)"
    )
    done = run("python", "-c", script, folder=tmp_path, environment=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert 0 == done.returncode, done.stderr
    package = str(tmp_path / "airflow_zendesk" / "__init__.py")
    assert ["zendesk_history", "zendesk_ticket_events", package] == done.stdout.split()[-3:]


def test_dags_are_imported_from_an_editable_install(tmp_path: Path) -> None:
    """They are the files of dags/. The environment has nothing else, so that no other install is found."""
    python = tmp_path / "venv" / "bin" / "python"
    made = run("uv", "venv", "--quiet", tmp_path / "venv")
    installed = run("uv", "pip", "install", "--quiet", "--python", python, "--no-deps", "--editable", ROOT)
    assert (0, 0) == (made.returncode, installed.returncode), made.stderr + installed.stderr
    script = "import airflow_zendesk.example_dags as dags; print(dags.__file__)"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    printed = subprocess.check_output([python, "-c", script], cwd=tmp_path, env=environment, text=True)
    assert f"{ROOT / 'dags' / '__init__.py'}\n" == printed


def test_version_is_written_in_one_place(wheel: zipfile.ZipFile) -> None:
    """In the package; the metadata reads it there. The changelog has the date of its release."""
    (name,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
    metadata = email.message_from_bytes(wheel.read(name))
    assert airflow_zendesk.__version__ == metadata["Version"] == version("airflow-zendesk")
    assert "airflow-zendesk" == metadata["Name"]
    newest, *_ = re.findall("^## (?!Unreleased).*$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert re.fullmatch(rf"## {re.escape(airflow_zendesk.__version__)} - \d{{4}}-\d\d-\d\d", newest)
    assert {"s3", "gcs", "azure", "duckdb", "postgres", "dev", "docs", "readers"} == set(
        metadata.get_all("Provides-Extra", [])
    )
    assert ">=3.11" == metadata["Requires-Python"]


def test_entry_points_can_be_loaded() -> None:
    """The provider, the command and the plugin."""
    for group in ("apache_airflow_provider", "console_scripts", "airflow.plugins"):
        (point,) = (point for point in entry_points(group=group) if point.value.startswith("airflow_zendesk"))
        assert callable(point.load())


def schema(name: str) -> Any:
    """A schema file that Airflow ships."""
    return json.loads((Path(airflow.__file__).parent / name).read_text())


def test_provider_info_matches_the_schemas_of_airflow() -> None:
    """Both of them: the one that Airflow checks at run time, and the stricter one of its own providers.

    The second also requires keys of Airflow's release process. It knows every key except those of newer versions.
    """
    info = get_provider_info()
    jsonschema.validate(info, schema("provider_info.schema.json"))
    of_providers = schema("provider.yaml.schema.json")
    jsonschema.validate(info, of_providers | {"required": [], "additionalProperties": True})
    assert info.keys() - of_providers["properties"].keys() <= {"retry-policies"}


def modules(folder: str) -> set[str]:
    """The modules in a folder of the package."""
    return {f"airflow_zendesk.{folder}.{path.stem}" for path in (ROOT / "airflow_zendesk" / folder).glob("[!_]*.py")}


def defines(base: type, module: str) -> bool:
    """Whether a module defines a subclass."""
    members = vars(importlib.import_module(module)).values()
    return any(isinstance(each, type) and issubclass(each, base) and each.__module__ == module for each in members)


def test_provider_info_lists_every_hook_operator_and_retry_policy() -> None:
    """And every integration that it refers to."""
    info = get_provider_info()
    assert {"retry-policies", "operators", "hooks"} == {
        key for key, entries in info.items() if isinstance(entries, list) and "python-modules" in entries[0]
    }
    integrations = {each["integration-name"] for each in info["integrations"]}
    for key, base in (("hooks", BaseHook), ("operators", BaseOperator)):
        assert {module for module in modules(key) if defines(base, module)} == set(info[key][0]["python-modules"])
        assert info[key][0]["integration-name"] in integrations
    (policies,) = info["retry-policies"]
    assert policies["integration-name"] in integrations
    assert all(importlib.util.find_spec(module) for module in policies["python-modules"])


def test_package_needs_no_other_entry_in_the_provider_info() -> None:
    """It has no trigger of its own, and its plugin is registered once, by its entry point."""
    sources = "".join(path.read_text() for path in (ROOT / "airflow_zendesk").rglob("*.py"))
    assert "(BaseTrigger" not in sources
    assert not {"triggers", "plugins"} & get_provider_info().keys()


def test_airflow_loads_the_plugin_once(tmp_path: Path) -> None:
    """Without an error, as an instance, which builds its app when the API server asks for it."""
    script = (
        "from airflow import plugins_manager; plugins_manager.ensure_plugins_loaded();"
        "found = getattr(plugins_manager, '_get_plugins', lambda: (plugins_manager.plugins, {}))()[0];"
        "print([type(each).__name__ for each in found if each.name == 'zendesk_coverage'],"
        " 'airflow_zendesk.plugins.web_app' in __import__('sys').modules)"
    )
    # In another folder, because the metadata of the editable install is in this one, too.
    done = run("python", "-c", script, folder=tmp_path)
    assert 0 == done.returncode, done.stderr
    assert "['ZendeskCoveragePlugin'] False" == done.stdout.splitlines()[-1]
    assert "already registered" not in done.stdout + done.stderr


def test_provider_info_agrees_with_the_hook() -> None:
    """Connection type, name and class are the same in both."""
    (connection,) = get_provider_info()["connection-types"]
    assert (ZendeskHook.conn_type, ZendeskHook.hook_name) == (connection["connection-type"], connection["hook-name"])
    assert f"{ZendeskHook.__module__}.{ZendeskHook.__name__}" == connection["hook-class-name"]


def test_connection_form_has_a_field_for_every_extra() -> None:
    """A field that the hook does not read would have no effect."""
    (form,) = get_provider_info()["connection-types"]
    assert EXTRAS == form["conn-fields"].keys()


def test_connection_form_submits_what_the_hook_reads(tmp_path: Path) -> None:
    """Each field accepts values of its schema, and may be left empty."""
    (form,) = get_provider_info()["connection-types"]
    filled: dict[str, Any] = {
        "auth": "bearer", "requests_per_minute": 5, "timeout": 30, "max_page_mebibytes": 2, "hash_key": "k" * 32,
        "verify": str(tmp_path), "proxies": {"https": "http://proxy:3128"},
    }  # fmt: skip
    empty = {name: field["schema"].get("default") for name, field in form["conn-fields"].items()}
    for extra in (filled, empty):
        for name, value in extra.items():
            jsonschema.validate(value, form["conn-fields"][name]["schema"])
    read, default, nulls = (
        ConnectionSettings.from_connection(
            Connection(conn_id="form", host="acme", login="", password="invented", extra=json.dumps(extra))
        )
        for extra in (filled, empty, dict.fromkeys(EXTRAS))
    )
    assert (
        ConnectionSettings(base_url="https://acme.zendesk.com", auth="bearer", login="", secret="invented")
        == default
        == nulls
    )
    assert (5, 30, 2 * 2**20, "k" * 32) == (
        read.requests_per_minute, read.timeout, read.max_page_bytes, read.hash_key,
    )  # fmt: skip
    assert (str(tmp_path), {"https": "http://proxy:3128"}) == (read.verify, read.proxies)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["get", "airflow-zendesk"], ["airflow-zendesk", airflow_zendesk.__version__]),
        (["hooks", "--output", "json"], ["zendesk_export", "airflow_zendesk.hooks.zendesk.ZendeskHook"]),
    ],
)
def test_airflow_discovers_the_provider(command: list[str], words: list[str]) -> None:
    """`airflow providers` shows it."""
    done = run("airflow", "providers", *command)
    assert 0 == done.returncode, done.stderr
    assert all(word in done.stdout for word in words), done.stdout
