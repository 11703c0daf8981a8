"""Properties of a load, with random histories and random JSON."""

import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_zendesk.storage.store import Store
from airflow_zendesk.warehouse.database import Database
from airflow_zendesk.warehouse.loading import load_slices
from airflow_zendesk.window import Slice
from airflow_zendesk.zendesk.child_events import MESSAGE_KEYS, OWN_KEYS, TICKET_FIELDS, read_child_events
from tests.support.published import put
from tests.support.slices import DAY, event

Query = Callable[[str], list[tuple[Any, ...]]]

DAYS = [Slice(DAY.start + timedelta(days=n), DAY.end + timedelta(days=n)) for n in range(3)]

#: Each step exports a day with some ids, or loads it.
STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.one_of(st.none(), st.frozensets(st.integers(1, 4)))), min_size=1, max_size=8
)
# Each example continues with the warehouse of the example before it.
several = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_each_id_is_in_the_table_once_after_any_history(database: Database, store: Store, query: Query) -> None:
    """After exports and loads of overlapping slices in any order, each loaded id has its latest slice's row."""
    stored: dict[int, frozenset[int]] = {}
    loaded: dict[int, frozenset[int]] = {}

    @several
    @given(STEPS)
    def check(steps: list[tuple[int, frozenset[int] | None]]) -> None:
        for day, ids in steps:
            if ids is not None or day not in stored:
                stored[day] = ids or frozenset()
                put(store, [event(id_, via=f"day {day}") for id_ in sorted(stored[day])], DAYS[day])
            else:
                load_slices(database, store, "ticket_events", [DAYS[day]])
                loaded[day] = stored[day]
        if not loaded:
            return
        expected = {id_: f"day {day}" for day in sorted(loaded) for id_ in loaded[day]}
        assert expected == dict(query("SELECT id, via FROM $schema.ticket_events"))
        assert [(sum(map(len, loaded.values())) - len(expected),)] == query(
            "SELECT count(*) FROM $schema.ticket_events_duplicates"
        )

    check()


TEXTS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=5)
SCALARS = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2))
KEYS = (
    st.sampled_from([*OWN_KEYS, *MESSAGE_KEYS, *TICKET_FIELDS[:4], "custom_status_id", "new", "$.x", '"', ""]) | TEXTS
)
KINDS = st.sampled_from(["Create", "Change", "Comment", "Cc", 5, None])
CHILD = st.dictionaries(KEYS, VALUES, max_size=4) | st.builds(
    lambda kind, own: {"event_type": kind} | own, KINDS, st.dictionaries(KEYS, VALUES, max_size=4)
)


def check_children(database: Database, store: Store, query: Query, lists: list[list[Any]]) -> None:
    """Load events with these children, and check that the tables have the rows that Python reads."""
    put(store, [event(number, child_events=children) for number, children in enumerate(lists, 1)])
    load_slices(database, store, "ticket_events", [DAY])
    expected = [
        (number, ordinal, *row[:3], *map(parsed, row[3:5]), parsed(row[5] or "null"))
        for number, children in enumerate(lists, 1)
        for ordinal, child in enumerate(children, 1)
        for row in sorted(read_child_events(json.dumps([child])), key=lambda row: (row.field_name or "").encode())
    ]
    found = query(
        "SELECT event_id, ordinal, child_id, event_type, field_name, CAST(value AS text), "
        "CAST(previous_value AS text), CAST(child_event AS text) FROM $schema.ticket_child_events"
    )
    found.sort(key=lambda row: (row[0], row[1], (row[4] or "").encode()))
    assert expected == [(*row[:5], *map(parsed, row[5:])) for row in found]


def test_children_are_read_in_sql_as_in_python(database: Database, store: Store, query: Query) -> None:
    """Any JSON as child is read as the hook reads it."""

    @several
    @given(st.lists(st.lists(CHILD | VALUES, max_size=4), max_size=12))
    def check(lists: list[list[Any]]) -> None:
        check_children(database, store, query, lists)

    check()


def test_no_extra_key_removes_a_change(database: Database, store: Store, query: Query) -> None:
    """Ten thousand children have up to six extra keys of any JSON type; every changed field is in the history."""
    chance = random.Random(1)
    scalars = [None, True, 0, -17, 2.5, "", "text", 'a "quoted" text']
    values = [*scalars, [], {}, [1, "a", None], {"a": {"b": [None]}, "7": "x"}]
    names = [
        *OWN_KEYS[5:],
        "custom_status_id",
        "is_new",
        "replica_id",
        "a b",
        "ünï",
        '"',
        *(f"key_{n}" for n in range(30)),
    ]
    children, changes = [], []
    for number in range(10_000):
        extra = {name: chance.choice(values) for name in chance.sample(names, chance.randint(0, 6))}
        field, value, previous = chance.choice(TICKET_FIELDS), chance.choice(scalars), chance.choice(scalars)
        child = {"id": number, "event_type": chance.choice(["Change", None]), field: value, "previous_value": previous}
        members = list((child | extra).items())
        chance.shuffle(members)
        children.append(dict(members))
        changes.append((number, field, parsed(json.dumps(value)), parsed(json.dumps(previous))))
    check_children(database, store, query, [children[at : at + 4] for at in range(0, len(children), 4)])
    history = query(
        "SELECT c.child_id, h.field_name, CAST(c.value AS text), CAST(c.previous_value AS text) "
        "FROM $schema.ticket_field_history AS h "
        "JOIN $schema.ticket_child_events AS c USING (event_id, ordinal, field_name)"
    )
    found = {
        (child, field): (parsed(value or "null"), parsed(before or "null")) for child, field, value, before in history
    }
    assert [] == [change for change in changes if (change[2], change[3]) != found.get((change[0], change[1]))]


def parsed(text: str | None) -> Any:
    """Parse JSON, and distinguish JSON null from no value."""
    return text if text is None else ("JSON", json.loads(text))


def test_ids_of_children_have_64_bits(database: Database, store: Store, query: Query) -> None:
    """The column is null for a larger one."""
    ids = [-(2**63) - 1, -(2**63), -(10**18), 10**18, 2**63 - 1, 2**63, 10**30]
    put(store, [event(1, child_events=[{"id": number, "event_type": "Create"} for number in ids])])
    load_slices(database, store, "ticket_events", [DAY])
    found = query("SELECT child_id FROM $schema.ticket_child_events WHERE child_id IS NOT NULL ORDER BY child_id")
    assert ids[1:5] == [id_ for (id_,) in found]


@pytest.mark.parametrize("children", ['"text"', "5", '{"id": 1}', "true"])
def test_child_events_that_are_not_an_array_are_counted(
    database: Database, store: Store, query: Query, children: str
) -> None:
    """The event is loaded."""
    put(store, [event(1, child_events=json.loads(children)), event(2)])
    report = load_slices(database, store, "ticket_events", [DAY])
    assert [{"ticket_events.child_events": 1}] == [each.unreadable for each in report.slices]
    assert [(0, 2)] == query(
        "SELECT (SELECT count(*) FROM $schema.ticket_child_events), (SELECT count(*) FROM $schema.ticket_events)"
    )
