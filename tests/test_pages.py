"""The code blocks of the how-to pages run as printed; each page with blocks has a test, here or elsewhere."""

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.operators.load_warehouse import ZendeskLoadWarehouseOperator
from airflow_zendesk.operators.verify_dataset import ZendeskVerifyDatasetOperator
from tests.support.commands import ROOT
from tests.test_readme import blocks, shell

HERE = ["objects", "verify", "erasure", "dbt", "executors"]
#: The tests that run the blocks of the other pages.
ELSEWHERE = {
    "connect": "tests/test_readme.py",
    "scheduling": "tests/test_readme.py",
    "reference/hook": "tests/test_readme.py",
    "tutorial": "tests/test_readme.py",
    "privacy": "tests/test_privacy.py",
    "storage": "tests/test_destination.py",
    "readers": "tests/system/readers/test_readers.py",
    "testing-with-the-emulator": "tests/emulator/test_documentation.py",
}
BUCKET = "s3://aws_default@my-bucket/zendesk"


def page(name: str) -> list[str]:
    """The code blocks of a page, also of those within a list, without diagrams."""
    text = re.sub(r"^ +(?=```)|^   (?=\S| )", "", (ROOT / "docs" / f"{name}.md").read_text(), flags=re.MULTILINE)
    return [code for language, code in blocks(text) if language != "dot"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The destination of all pages."""
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """A quiet account, with the connection in the environment."""
    with ZendeskEmulator(Simulator(opened=datetime(2025, 12, 1, tzinfo=UTC), events_per_day=50)) as emulator:
        yield {**os.environ, "AIRFLOW_CONN_ZENDESK_DEFAULT": json.dumps(emulator.connection())}


def test_every_page_with_code_has_a_test() -> None:
    """A block of a new page needs one."""
    names = [str(path.relative_to(ROOT / "docs").with_suffix("")) for path in (ROOT / "docs").rglob("*.md")]
    # The block of the warehouses sets a Variable, as the tutorial does.
    assert {*HERE, *ELSEWHERE, "warehouses"} == {name for name in names if page(name)}
    for name, test in ELSEWHERE.items():
        assert name.rpartition("/")[2] in (ROOT / test).read_text(), (name, test)


def test_objects_are_exported(folder: Path, environment: dict[str, str]) -> None:
    """Tickets with their metric sets, and a list."""
    (script,) = page("objects")
    printed = shell(script.replace("file:///data/zendesk", folder.as_uri()), folder, environment)
    assert "7 published" in printed
    assert "1 published" in printed


def test_dataset_is_verified_and_slices_are_found_and_exported_again(folder: Path, environment: dict[str, str]) -> None:
    """In the order of somebody who erases a ticket."""
    verify, *_ = page("verify")
    find, export = page("erasure")
    first = export.replace("2026-01-03T00", "2026-01-01T00").replace("2026-01-04T00", "2026-02-01T00")
    script = "\n".join([first.replace(" --allow-shrink", ""), verify, find, export]).replace(BUCKET, folder.as_uri())
    printed = shell(script, folder, environment)
    assert "31 published" in printed
    assert "31 slices of 1d" in printed
    assert "complete, without duplicates" in printed
    assert "1 unchanged" in printed


def test_operators_are_made() -> None:
    """With the arguments of the pages."""
    _, verify, *_ = page("verify")
    task = eval(verify, {"ZendeskVerifyDatasetOperator": ZendeskVerifyDatasetOperator})
    assert (BUCKET, 2) == (task.destination, task.source)
    load, *_ = page("dbt")
    namespace: dict[str, Any] = {}
    exec(re.sub("^ZendeskLoad", "task = ZendeskLoad", load, flags=re.MULTILINE), namespace)
    assert isinstance(namespace["task"], ZendeskLoadWarehouseOperator)
    assert "fivetran" == namespace["task"].shape


def test_pod_is_valid_python() -> None:
    """No test runs on Kubernetes, as the page says."""
    image, pod = page("executors")
    assert image.startswith("FROM apache/airflow:3.3")
    compile(pod, "pod", "exec")


def test_views_of_the_shape_are_printed(tmp_path: Path) -> None:
    """The other blocks of the page configure dbt, which is not installed here."""
    _, ddl, install, packages, project, macro = page("dbt")
    assert "CREATE" in shell(ddl, tmp_path, os.environ)
    assert "dbt-postgres" in install
    assert ["packages:", "vars:"] == [text.splitlines()[0] for text in (packages, project)]
    assert "duckdb__timestamp_add" in macro
