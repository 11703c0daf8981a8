"""The site of the documentation: it is built without a warning, complete in itself, and findable."""

import json
import os
import re
import shutil
from html import unescape
from pathlib import Path

import pytest

from tests.support.commands import ROOT, run
from tests.support.errors_page import all_errors

PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md"))
_INSTALL = "Graphviz is not installed: apt-get install --no-install-recommends graphviz"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it: a link without a target, or a page without a place, is an error."""
    if not shutil.which("dot"):
        if "CI" in os.environ:
            pytest.fail(_INSTALL)
        pytest.skip(_INSTALL)
    folder = tmp_path_factory.mktemp("site")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    done = run("mkdocs", "build", "--quiet", "--site-dir", folder, folder=ROOT, environment=environment)
    assert 0 == done.returncode, done.stdout + done.stderr
    return folder


def text(page: Path) -> str:
    """The text of a page, without tags."""
    return unescape(re.sub(r"<[^>]*>", "", page.read_text()))


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    """No script, style, font or picture."""
    for page in site.rglob("*.html"):
        loaded = re.findall(r'<(?:script|img|link|iframe)\b[^>]*?(?:src|href)="([^"]*)"', page.read_text())
        assert [] == [address for address in loaded if "//" in address], page


def test_search_finds_each_error_by_its_name(site: Path) -> None:
    """It is what somebody has in a log."""
    index = json.loads((site / "search" / "search_index.json").read_text())
    found = " ".join(entry["text"] for entry in index["docs"])
    assert [] == [cls.__name__ for cls in all_errors() if cls.__name__ not in found]


def test_reference_has_what_users_import(site: Path) -> None:
    """The hook, the operators with their arguments, every command and every column."""
    operators, hook = (text(site / "reference" / name / "index.html") for name in ("operators", "hook"))
    for name in (
        "ZendeskIncrementalExportOperator",
        "allow_shrink",
        "ZendeskLoadWarehouseOperator",
        "triggering_slices",
    ):
        assert name in operators
    for name in ("iter_pages", "get_df", "complete_until", "Raises"):
        assert name in hook
    generated = {
        "commands": ["--allow-shrink", "rename-account"],
        "columns": ["merged_ticket_ids", "not null"],
        "tables": ["zendesk.ticket_field_history", "zendesk_fivetran.ticket_comment", "previous_value"],
        "dags": ["zendesk_recheck", "after each export", "by_month"],
    }
    for page, names in generated.items():
        found = text(site / "reference" / page / "index.html")
        assert [] == [name for name in names if name not in found], page


def test_diagrams_are_drawn(site: Path) -> None:
    """Their source is text in the page."""
    assert "<svg" in (site / "index.html").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_page_is_short_enough_to_read(page: Path) -> None:
    """At most 250 lines."""
    assert len(page.read_text().splitlines()) <= 250
