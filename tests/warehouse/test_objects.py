"""Tables of objects that change, and the views in the shape of Fivetran's connector."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from airflow_zendesk.dataset.layout import slice_key
from airflow_zendesk.dataset.publish import publish
from airflow_zendesk.dataset.settings import DatasetSettings
from airflow_zendesk.dataset.versions import slice_writer
from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.storage.store import Store
from airflow_zendesk.warehouse.database import Database
from airflow_zendesk.warehouse.ddl import definitions
from airflow_zendesk.warehouse.loading import load_slices
from airflow_zendesk.window import DEFAULT_GRAIN, Slice
from airflow_zendesk.zendesk.records import RawRecord, read_records
from airflow_zendesk.zendesk.resources import Query
from tests.support.commands import ROOT
from tests.support.published import metric_event
from tests.support.slices import CERTIFICATE, DAY, event

Rows = Callable[[str], list[tuple[Any, ...]]]
DAYS = [Slice(DAY.start + timedelta(days=n), DAY.end + timedelta(days=n)) for n in range(3)]
#: Columns that the models need, and which must have real values.
REAL = {
    "ticket": "id created_at updated_at status priority requester_id assignee_id group_id submitter_id via_channel "
    "subject type organization_id brand_id ticket_form_id",
    "ticket_field_history": "ticket_id field_name updated value user_id",
    "ticket_comment": "id ticket_id user_id body created public",
    "ticket_tag": "ticket_id tag",
    "user": "id role name email active organization_id created_at updated_at",
    "group": "id name",
}


def put(store: Store, resource: str, objects: list[dict[str, Any]], slice_: Slice = DAY) -> None:
    """Publish objects as a slice; without a time, they have that of its start."""
    settings = DatasetSettings.from_query(Query.of(resource), "acme.zendesk.com", DEFAULT_GRAIN, None)
    raws = msgspec.json.decode(json.dumps(objects).encode(), type=list[RawRecord])
    times = ("timestamp", "generated_timestamp", "updated_at", "time")
    writer = slice_writer(settings, slice_)
    records = [
        read_records([raw], times)[0]
        if raw.keys() & set(times)
        else read_records([raw], (), slice_.start_time * 10**6)[0]
        for raw in raws
    ]
    writer.write(records)
    sealed = writer.seal(CERTIFICATE, duplicates=0)
    publish(store, settings, sealed, store.version(slice_key(resource, slice_)), allow_shrink=True)
    writer.close()


def load(database: Database, store: Store, resource: str, *slices: Slice, shape: str | None = None) -> None:
    """Load slices, by default that of the day."""
    load_slices(database, store, resource, slices or [DAY], shape)


def at(day: int, hour: int = 0) -> str:
    """A time as Zendesk writes it."""
    return f"{DAY.start + timedelta(days=day, hours=hour):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_the_table_has_the_newest_version_of_each_object(
    database: Database, store: Store, query: Rows, order: tuple[int, ...]
) -> None:
    """Whatever the order of the loads, and also if an old version was delivered late."""
    put(
        store, "users", [{"id": 1, "name": "a", "updated_at": at(0, 1)}, {"id": 2, "name": "b", "updated_at": at(0, 2)}]
    )
    put(store, "users", [{"id": 1, "name": "c", "updated_at": at(1, 1)}], DAYS[1])
    put(store, "users", [{"id": 1, "name": "late", "updated_at": at(0, 9)}, {"id": 3, "updated_at": at(2, 1)}], DAYS[2])
    for day in order:
        load(database, store, "users", DAYS[day])
    users = "SELECT id, name FROM $schema.users ORDER BY id"
    assert [(1, "c"), (2, "b"), (3, None)] == query(users)
    put(store, "users", [], DAYS[1])
    load(database, store, "users", DAYS[1])
    assert [(1, "late"), (2, "b"), (3, None)] == query(users)


def test_an_object_that_left_its_list_keeps_its_name_and_is_marked(
    database: Database, store: Store, query: Rows
) -> None:
    """Old tickets refer to it."""
    put(store, "groups", [{"id": 1, "name": "A"}, {"id": 2, "name": "B"}, {"id": 3, "name": "C", "deleted": True}])
    put(store, "groups", [{"id": 1, "name": "A2"}, {"id": 3, "name": "C", "deleted": True}], DAYS[1])
    load(database, store, "groups", *DAYS[:2], shape="fivetran")
    assert [(1, "A2", False), (2, "B", True), (3, "C", True)] == query(
        'SELECT id, name, _fivetran_deleted FROM $views."group" ORDER BY id'.replace("$views", views(database))
    )


def views(database: Database) -> str:
    """The schema of the views, as SQL names it."""
    with database:
        return database.qualify(f"{database.schema}_fivetran")


@pytest.fixture
def shaped(database: Database, store: Store, query: Rows) -> Rows:
    """A function that queries the views of a small account."""
    child = {"id": 9, "event_type": "Comment", "author_id": 5, "body": "Hello", "public": True}
    put(
        store,
        "ticket_events",
        [event(1, updater_id=5, child_events=[{"id": 8, "event_type": "Change", "status": "open"}, child])],
    )
    policy = {"id": 77, "title": "Fast"}
    sla = {"target": 60, "business_hours": True, "policy": policy}
    put(
        store,
        "ticket_metric_events",
        [
            metric_event(1, "apply_sla", sla=sla),
            metric_event(2, "apply_sla", sla={"target": 30, "business_hours": False, "policy": policy}, instance_id=2),
            metric_event(3, "apply_sla", sla={"target": 9, "policy": policy}, metric="agent_work_time"),
            metric_event(4, "apply_group_sla", group_sla=sla),
        ],
    )
    ticket = {
        "generated_timestamp": DAY.start_time + 5,
        "created_at": at(0),
        "updated_at": at(0),
        "via": {"channel": "web"},
    }
    put(
        store,
        "tickets",
        [
            {**ticket, "id": 7, "status": "open", "tags": ["a", 'b"c', None], "subject": "S", "requester_id": 5},
            {**ticket, "id": 8, "status": "deleted", "tags": {"not": "an array"}},
        ],
    )
    put(
        store,
        "users",
        [
            {
                "id": 5,
                "updated_at": at(0),
                "name": "N",
                "role": "agent",
                "active": False,
                "email": "n@example.com",
                "tags": ["x"],
            }
        ],
    )
    domains = ["b.example.com", "a.example.com"]
    put(store, "organizations", [{"id": 3, "updated_at": at(0), "name": "O", "domain_names": domains, "tags": []}])
    metrics = [
        {"priority": "high", "metric": "first_reply_time", "target": 60, "business_hours": True},
        {"priority": "low", "metric": "first_reply_time", "target": "soon"},
    ]
    put(store, "sla_policies", [{"id": 77, "title": "Fast", "policy_metrics": metrics, "updated_at": at(0)}])
    hours = [{"start_time": 1980, "end_time": 2460}]
    holidays = [{"id": 4, "name": "New Year", "start_date": "2026-01-01", "end_date": "2026-01-01"}]
    put(
        store, "schedules", [{"id": 6, "name": "Office", "intervals": hours, "holidays": holidays, "updated_at": at(0)}]
    )
    for resource in ("ticket_events", "ticket_metric_events", "tickets", "users", "organizations", "sla_policies"):
        load(database, store, resource)
    load(database, store, "schedules", shape="fivetran")
    load(database, store, "schedules", shape="fivetran")
    return lambda statement: query(statement.replace("$views", views(database)))


def test_views_have_the_values_of_the_account(shaped: Rows) -> None:
    """Each view, with arrays taken apart and values of another type left out."""
    assert [(7, "open", "web", "S", 5, False), (8, "deleted", "web", None, None, True)] == shaped(
        "SELECT id, status, via_channel, subject, requester_id, _fivetran_deleted FROM $views.ticket ORDER BY id"
    )
    assert [("a",), ('b"c',)] == shaped("SELECT tag FROM $views.ticket_tag ORDER BY tag")
    assert [(5, "agent", "N", "n@example.com", False, True)] == shaped(
        'SELECT id, role, name, email, active, _fivetran_deleted FROM $views."user"'
    )
    assert [(5, "x")] == shaped("SELECT user_id, tag FROM $views.user_tag")
    assert [("a.example.com", 0), ("b.example.com", 1)] == shaped(
        'SELECT domain_name, "index" FROM $views.domain_name ORDER BY 1'
    )
    assert [(9, 7, 5, "Hello", True, False)] == shaped(
        "SELECT id, ticket_id, user_id, body, public, voice_comment FROM $views.ticket_comment"
    )
    assert [(77, "high", 60, True), (77, "low", None, False)] == shaped(
        "SELECT sla_policy_id, priority, target, coalesce(business_hours, false) "
        "FROM $views.sla_policy_metric_history ORDER BY priority"
    )
    assert [(7, 77)] == shaped("SELECT ticket_id, sla_policy_id FROM $views.ticket_sla_policy")
    assert [(6, 1980, 2460)] == shaped("SELECT id, start_time, end_time FROM $views.schedule")
    assert [(4, 6, "2026-01-01")] == shaped("SELECT id, schedule_id, start_date FROM $views.schedule_holiday")


def test_field_history_has_sla_targets_as_the_models_read_them(shaped: Rows) -> None:
    """The first instance of reply_time is the first reply, and group SLAs are left out."""
    assert [
        ("agent_work_time", '{"minutes": 9, "in_business_hours": false}'),
        ("first_reply_time", '{"minutes": 60, "in_business_hours": true}'),
        ("next_reply_time", '{"minutes": 30, "in_business_hours": false}'),
        ("sla_policy", "Fast"),
        ("sla_policy", "Fast"),
        ("sla_policy", "Fast"),
        ("status", "open"),
    ] == shaped("SELECT field_name, value FROM $views.ticket_field_history ORDER BY field_name, value")


def test_views_have_the_documented_columns(shaped: Rows, database: Database) -> None:
    """docs/dbt.md lists all of them with their types, among them those that the models need."""
    listed: dict[str, dict[str, str]] = {}
    for view, columns in re.findall(r"^\| `(\w+)` \| (.*?) \|", (ROOT / "docs" / "dbt.md").read_text(), re.MULTILINE):
        listed[view] = dict(re.findall(r"`(\w+)` (\w+)", columns))
    kinds = {"BIGINT": "integer", "VARCHAR": "text", "TIMESTAMP WITH TIME ZONE": "timestamp", "TEXT": "text"}
    found: dict[str, dict[str, str]] = {}
    for view, column, type_ in shaped(
        f"SELECT table_name, column_name, data_type FROM {database.information_schema}.columns "
        f"WHERE table_schema = '{database.schema}_fivetran'"
    ):
        found.setdefault(view, {})[column] = kinds.get(type_.upper(), type_.lower())
    assert found == listed
    for view, columns in REAL.items():
        assert set(columns.split()) <= found[view].keys(), view


def test_other_warehouses_have_no_shape() -> None:
    """The message names those that have it."""
    with pytest.raises(SettingsError, match=r"not available for snowflake\. Use duckdb or postgres"):
        definitions("snowflake", "zendesk", "", shape="fivetran")
    with pytest.raises(SettingsError, match=r"no shape 'star'\. Use one of: fivetran"):
        definitions("duckdb", "zendesk", "", shape="star")
    with pytest.raises(SettingsError, match="Leave out the resource"):
        definitions("duckdb", "zendesk", "", "tickets", shape="fivetran")
    assert 'CREATE OR REPLACE VIEW "zendesk_fivetran"."group" AS' in "\n".join(
        definitions("postgres", "zendesk", "", shape="fivetran")
    )
