"""Find the slices that hold a ticket or a user."""

import io
from datetime import timedelta

import pyarrow.parquet as pq
import pytest

from airflow_zendesk.dataset.layout import slice_key
from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.storage.store import Store
from airflow_zendesk.verify.id_search import Match, SearchProgress, find_ids
from airflow_zendesk.window import Grain, Window
from airflow_zendesk.zendesk.redaction import hash_integer, hash_text
from tests.support.forged_slices import valid_slice
from tests.support.slices import DAY, event

DAYS = Grain.of("1d").slices(Window(DAY.start, DAY.start + timedelta(days=3)))
KEYS = [slice_key("ticket_events", slice_) for slice_ in DAYS]
#: The tickets of each day's events, one after the other.
TICKETS: list[list[int | None]] = [[7, 8, 7], [8, None, 2**40], []]


@pytest.fixture
def dataset(store: Store) -> Store:
    """Three days, the last without events."""
    for slice_, key, tickets in zip(DAYS, KEYS, TICKETS, strict=True):
        records = [event(at, timestamp=slice_.start_time, ticket_id=ticket) for at, ticket in enumerate(tickets)]
        store.put(key, io.BytesIO(valid_slice(slice_, records)), expected=None)
    return store


def matches(store: Store, *tickets: int, window: Window | None = None) -> list[Match]:
    """The slices that hold the tickets."""
    search = find_ids(store, "ticket_events", "ticket", tickets, window)
    assert [] == search.not_searched
    return search.matches


def test_slices_with_a_ticket_are_found_with_their_rows(dataset: Store) -> None:
    """One ticket or several; in order."""
    first = dataset.uri(KEYS[0])
    assert [Match(DAYS[0], first, {7: 2})] == matches(dataset, 7)
    assert [
        Match(DAYS[0], first, {7: 2, 8: 1}),
        Match(DAYS[1], dataset.uri(KEYS[1]), {8: 1, 2**40: 1}),
    ] == matches(dataset, 8, 7, 2**40)
    assert [] == matches(dataset, 9)


def test_window_narrows_the_search(dataset: Store) -> None:
    """To the slices that overlap it."""
    assert [DAYS[1]] == [one.slice for one in matches(dataset, 8, window=DAYS[1])]
    hours = Window(DAYS[0].end - timedelta(hours=1), DAYS[0].end + timedelta(hours=1))
    assert [DAYS[0], DAYS[1]] == [one.slice for one in matches(dataset, 8, window=hours)]


def test_progress_is_reported_after_each_object(dataset: Store) -> None:
    """With the rows found so far."""
    progress: list[SearchProgress] = []
    search = find_ids(dataset, "ticket_events", "ticket", [8], None, progress.append)
    assert [SearchProgress(1, 3, 1), SearchProgress(2, 3, 2), SearchProgress(3, 3, 2)] == progress
    assert 3 == search.searched


def test_row_groups_without_the_ticket_are_not_read(store: Store) -> None:
    """Their statistics exclude the ticket, so damage in them goes unnoticed."""
    records = [event(at, timestamp=DAY.start_time, ticket_id=at) for at in range(12_000)]
    content = bytearray(valid_slice(DAY, records))
    column = pq.ParquetFile(io.BytesIO(content)).metadata.row_group(0).column(2)
    assert "ticket_id" == column.path_in_schema
    begin = column.data_page_offset
    content[begin : begin + column.total_compressed_size] = bytes(column.total_compressed_size)
    store.put(KEYS[0], io.BytesIO(content), expected=None)
    assert [Match(DAY, store.uri(KEYS[0]), {11_000: 1})] == matches(store, 11_000)
    assert ["it cannot be read (OSError)"] == [
        reason for _, reason in find_ids(store, "ticket_events", "ticket", [9_999]).not_searched
    ]


def test_a_user_is_found_in_every_column(store: Store) -> None:
    """As a number, within JSON and within text, but not as a part of a longer number."""
    records = [
        event(1, updater_id=4711),
        event(2, child_events=[{"field_name": "requester_id", "value": "4711"}]),
        event(3, unknown={"members": [1, 4711]}),
        event(4, updater_id=47110, via="User 4711"),
        event(5, updater_id=47110, metadata={"id": 14711}),
    ]
    store.put(KEYS[0], io.BytesIO(valid_slice(DAY, records)), expected=None)
    search = find_ids(store, "ticket_events", "user", [4711, 47110, 5])
    assert [Match(DAY, store.uri(KEYS[0]), {5: 1, 4711: 4, 47110: 2})] == search.matches


def test_a_user_is_found_by_every_hash_of_the_id(store: Store) -> None:
    """The hashes of the number and of its digits, also within JSON, are reported under the id itself."""
    key = "k" * 32
    number, text = hash_integer(4711, key.encode()), hash_text(b"4711", key.encode())
    records = [
        event(1, updater_id=number),
        event(2, via=text),
        event(3, child_events=[{"value": number}, {"value": text}]),
        event(4, updater_id=4711),
        event(5, updater_id=4712),
    ]
    store.put(KEYS[0], io.BytesIO(valid_slice(DAY, records)), expected=None)
    search = find_ids(store, "ticket_events", "user", [4711], hash_key=key)
    assert [Match(DAY, store.uri(KEYS[0]), {4711: 4})] == search.matches


def test_resource_without_ticket_ids_is_refused(store: Store) -> None:
    """Nothing is searched."""
    with pytest.raises(SettingsError, match=r"users have no ticket ids\. Search one of ticket_events, .*, tickets"):
        find_ids(store, "users", "ticket", [4711])


def test_objects_that_cannot_be_searched_are_reported(dataset: Store) -> None:
    """They may also hold the ticket: unexpected, hidden and damaged objects."""
    damaged = KEYS[0]
    dataset.put(damaged, io.BytesIO(b"no Parquet"), expected=dataset.version(damaged))
    dataset.put("ticket_events/copy.parquet", io.BytesIO(b"of somebody"), expected=None)
    dataset.put("ticket_events/event_date=2026-01-02/.left.tmp", io.BytesIO(b"half a slice"), expected=None)
    search = find_ids(dataset, "ticket_events", "ticket", [8])
    assert [
        (dataset.uri("ticket_events/copy.parquet"), "it is not a slice"),
        (dataset.uri(damaged), "it is not a Parquet file"),
        (dataset.uri("ticket_events/event_date=2026-01-02/.left.tmp"), "it is not a slice"),
    ] == search.not_searched
    assert [DAYS[1]] == [one.slice for one in search.matches]
