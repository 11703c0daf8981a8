"""The dataset's own record."""

import io
from typing import Any

import msgspec
import pytest

from airflow_zendesk.dataset.settings import DatasetSettings, check_settings, ensure_settings, read_settings
from airflow_zendesk.exceptions import DamagedObjectError, DatasetMismatchError, NewerSchemaError
from airflow_zendesk.storage.store import Store
from airflow_zendesk.window import Grain

RECORD = DatasetSettings(
    resource="ticket_events",
    account="acme.zendesk.com",
    grain=Grain.of("1d"),
    include=("comment_events",),
    support_type_scope="all",
)


def test_record_is_made_once_and_reads_as_it_was_made(store: Store) -> None:
    """As JSON that people can read."""
    assert read_settings(store, "ticket_events") is None
    ensure_settings(store, RECORD)
    ensure_settings(store, RECORD)
    assert RECORD == read_settings(store, "ticket_events")
    assert {
        "resource": "ticket_events",
        "account": "acme.zendesk.com",
        "grain": "1d",
        "include": ["comment_events"],
        "support_type_scope": "all",
        "schema_major_version": 1,
        "private_comments": False,
        "drop_fields": [],
        "hash_fields": [],
        "hash_key_id": None,
    } == msgspec.json.decode(store.read("_datasets/ticket_events.json") or b"")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"account": "other.zendesk.com"}, "account is 'acme.zendesk.com', requested 'other.zendesk.com'"),
        ({"grain": "1h"}, "grain is '1d', requested '1h'"),
        ({"include": ()}, r"include is \('comment_events',\), requested \(\)"),
        ({"support_type_scope": "agent"}, "support_type_scope is 'all', requested 'agent'"),
        ({"schema_major_version": 2}, "schema_major_version is 1, requested 2"),
    ],
)
def test_other_settings_are_refused_with_the_difference(store: Store, change: dict[str, Any], message: str) -> None:
    """Two schedules of different kind cannot share a dataset; the record stays what it was."""
    ensure_settings(store, RECORD)
    other = msgspec.structs.replace(RECORD, **change)
    for refuse in (check_settings, ensure_settings):
        with pytest.raises(DatasetMismatchError, match=message):
            refuse(store, other)
    assert RECORD == read_settings(store, "ticket_events")


def test_checking_makes_no_record(store: Store) -> None:
    """A run that fails before it publishes leaves nothing."""
    check_settings(store, RECORD)
    assert read_settings(store, "ticket_events") is None


@pytest.mark.parametrize("change", [{}, {"grain": {"months": 1}}])
def test_settings_of_a_newer_format_are_refused(store: Store, change: dict[str, Any]) -> None:
    """Whether this version could decode them or not. The message says what to do."""
    newer = msgspec.to_builtins(RECORD, enc_hook=str) | {"schema_major_version": 2} | change
    store.put("_datasets/ticket_events.json", io.BytesIO(msgspec.json.encode(newer)), expected=None)
    for refuse in (check_settings, ensure_settings):
        with pytest.raises(NewerSchemaError, match=r"has schema version 2, .* supports 1.0. Upgrade airflow-zendesk"):
            refuse(store, RECORD)


def test_what_is_no_record_is_damage(store: Store) -> None:
    """It is not overwritten."""
    store.put("_datasets/ticket_events.json", io.BytesIO(b"{}"), expected=None)
    with pytest.raises(DamagedObjectError, match="it does not contain the settings of a dataset"):
        ensure_settings(store, RECORD)
