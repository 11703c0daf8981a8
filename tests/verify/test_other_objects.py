"""Objects beside the slices, in buckets: folder markers are harmless, and a repair names exact keys."""

import io
from collections.abc import Callable

import pytest

from airflow_zendesk.dataset.layout import slice_key
from airflow_zendesk.dataset.settings import ensure_settings
from airflow_zendesk.destination import open_destination
from airflow_zendesk.storage.store import Store
from airflow_zendesk.verify.dataset_check import verify_dataset
from airflow_zendesk.verify.id_search import find_ids
from airflow_zendesk.verify.repair import Target, repair
from tests.support.forged_slices import valid_slice
from tests.support.slices import DAY, SETTINGS, event
from tests.support.stores.objects import put_object
from tests.support.stores.servers import StoreServer

KEY = slice_key("ticket_events", DAY)
FOLDER = KEY.rpartition("/")[0]

Put = Callable[[str, bytes], None]


@pytest.fixture(params=["moto", "azurite", "gcs"])
def bucket(request: pytest.FixtureRequest) -> tuple[Store, Put]:
    """A complete day in a bucket, and a function that puts any object beside it, as other tools do."""
    server: StoreServer = request.getfixturevalue(request.param)
    destination = server.destination()
    store = open_destination(destination)
    ensure_settings(store, SETTINGS)
    store.put(KEY, io.BytesIO(valid_slice(DAY, [event(1)])), expected=None)
    folder = destination.rpartition("/")[2]
    return store, lambda key, content: put_object(server, f"{folder}/{key}", content)


@pytest.mark.parametrize("marker", ["ticket_events/", f"{FOLDER}/"])
def test_folder_marker_is_no_finding(bucket: tuple[Store, Put], marker: str) -> None:
    """A console creates an empty object for a folder. The repair must not name the folder of good slices."""
    store, put = bucket
    put(marker, b"")
    report = verify_dataset(store, SETTINGS, DAY)
    assert ([], []) == (report.findings, repair(report, Target("s3://bucket", SETTINGS)).move_away)
    assert {*report.folder_markers} <= {store.uri(marker)}
    assert {KEY} == store.walk("ticket_events").keys()
    assert ([], 1) == ((search := find_ids(store, "ticket_events", "ticket", [7])).not_searched, search.searched)


def test_folder_marker_is_listed_by_its_exact_key(bucket: tuple[Store, Put]) -> None:
    """With the slash at its end: without it, the name is the folder's."""
    store, put = bucket
    put(f"{FOLDER}/", b"")
    assert [f"{store.uri(FOLDER)}/"] == verify_dataset(store, SETTINGS, DAY).folder_markers


def test_object_with_the_name_of_a_folder_is_not_mistaken_for_it(bucket: tuple[Store, Put]) -> None:
    """It holds bytes that readers would read, so it is a finding; the reason protects the slices below its name."""
    store, put = bucket
    put(f"{FOLDER}/", b"text")
    (finding,) = verify_dataset(store, SETTINGS, DAY).findings
    assert ("unexpected", store.uri(FOLDER)) == (finding.problem, finding.uri.rstrip("/"))
    assert finding.reason.endswith("move this object alone, not the objects below that name")


@pytest.mark.parametrize("name", ["two words.txt", "100%.txt", "a?b#c", "it's", "deep//er.parquet", "überall", "-rf"])
def test_unexpected_object_is_named_by_its_exact_key(bucket: tuple[Store, Put], name: str) -> None:
    """Whatever characters the key has."""
    store, put = bucket
    put(f"ticket_events/{name}", b"text")
    report = verify_dataset(store, SETTINGS, DAY)
    assert [f"{store.uri('ticket_events')}/{name}"] == repair(report, Target("s3://bucket", SETTINGS)).move_away
