"""The expected objects, in Python and over HTTP."""

from datetime import datetime, timedelta

import pytest
import requests

from airflow_zendesk.emulator import ZendeskEmulator
from tests.support.emulator_client import DAY, HOUR, NEW_YEAR, START

AT = NEW_YEAR + timedelta(days=2)


def test_expected_objects_over_http(emulator: ZendeskEmulator) -> None:
    """Other processes can request them without credentials; the keys of JSON are text."""
    query: dict[str, str | int] = {
        "resource": "tickets", "at": START + 2 * DAY, "since": START + DAY, "support_type_scope": "agent",
    }  # fmt: skip
    objects = requests.get(f"{emulator.url}/emulator/expected_objects", params=query, timeout=30).json()["objects"]
    since = NEW_YEAR + timedelta(days=1)
    expected = emulator.expected_objects("tickets", AT, since=since, support_type_scope="agent")

    assert {str(id_): second for id_, second in expected.items()} == objects
    assert objects.keys() < {str(id_) for id_ in emulator.expected_objects("tickets", AT, since=since)}
    assert START + DAY <= min(expected.values()) <= max(expected.values()) <= START + 2 * DAY


def test_change_at_the_instant_has_happened(emulator: ZendeskEmulator) -> None:
    """The automation closes tickets at eleven; a second before, these tickets are in another state."""
    eleven = NEW_YEAR + timedelta(hours=11)
    since = eleven - timedelta(hours=9)
    before = emulator.expected_objects("tickets", eleven - timedelta(seconds=1), since=since)
    after = emulator.expected_objects("tickets", eleven, since=since)
    changed = {id_ for id_, second in after.items() if second == START + 11 * HOUR}

    assert len(changed) > 5
    assert all(before.get(id_) != START + 11 * HOUR for id_ in changed)


@pytest.mark.parametrize(
    ("resource", "objects"),
    [("groups", 4), ("brands", 3), ("ticket_fields", 130), ("ticket_forms", 2), ("sla_policies", 2), ("schedules", 2)],
)
def test_expected_objects_of_lists(emulator: ZendeskEmulator, resource: str, objects: int) -> None:
    """They contain deleted objects, and do not change."""
    expected = emulator.expected_objects(resource, AT)

    assert objects == len(expected)
    assert {int(datetime.fromisoformat("2015-03-02T10:30:00Z").timestamp())} == set(expected.values())


@pytest.mark.parametrize("query", ["", "resource=ticket_events&at=1", "resource=tickets", "resource=tickets&at=x"])
def test_invalid_query_gets_a_400(emulator: ZendeskEmulator, query: str) -> None:
    """It does not return an empty object."""
    assert 400 == requests.get(f"{emulator.url}/emulator/expected_objects?{query}", timeout=30).status_code


def test_expected_objects_require_aware_datetimes(emulator: ZendeskEmulator) -> None:
    """A naive datetime is ambiguous."""
    with pytest.raises(ValueError, match="aware"):
        emulator.expected_objects("users", datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake itself
