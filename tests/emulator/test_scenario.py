"""Scenarios: conditions, how often a step acts, and messages about invalid scenarios."""

from typing import Any

import pytest
import requests

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.emulator.faults import FAULTS
from airflow_zendesk.emulator.scenario import ScenarioError
from tests.support.emulator_client import DAY, EVENTS, METRICS, NEW_YEAR, START, Clock, export

STATUS_503: dict[str, Any] = {"fault": "status", "status": 503}


def statuses(session: requests.Session, emulator: ZendeskEmulator, *requested: tuple[str, dict[str, int]]) -> list[int]:
    """Return the statuses of these exports."""
    return [export(session, emulator, resource, **query).status_code for resource, query in requested]


def first(per_page: int = 5) -> tuple[str, dict[str, int]]:
    """A request for the first page."""
    return EVENTS, {"start_time": START, "per_page": per_page}


def later(hours: int) -> tuple[str, dict[str, int]]:
    """A request for another page."""
    return EVENTS, {"start_time": START + 3_600 * hours, "per_page": 5}


def test_fault_acts_once_by_default(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """`times` sets how often; the log shows on which requests it acted."""
    emulator.set_scenario([STATUS_503])
    assert [503, 200, 200] == statuses(session, emulator, *[first()] * 3)
    emulator.set_scenario([STATUS_503 | {"times": 2}])
    assert [503, 503, 200] == statuses(session, emulator, *[first()] * 3)
    emulator.set_scenario([STATUS_503 | {"times": "always"}])
    assert [503] * 3 == statuses(session, emulator, *[first()] * 3)
    emulator.set_scenario([])
    assert [200] == statuses(session, emulator, first())
    assert [("status",), (), ()] == [request.faults for request in emulator.requests[:3]]


def test_pages_are_numbered_by_their_start_time(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """A repeated request is for the same page; each resource has its own numbers."""
    emulator.set_scenario([STATUS_503 | {"on": {"page": 2}, "times": "always"}])
    metrics = METRICS, {"start_time": START + 3_600, "per_page": 5}
    requested = [first(), later(1), metrics, later(1), later(2), first()]
    assert [200, 503, 200, 503, 200, 200] == statuses(session, emulator, *requested)


def test_condition_on_the_resource(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """The other export is not affected."""
    emulator.set_scenario([STATUS_503 | {"on": {"resource": METRICS}, "times": "always"}])
    assert [200, 503] == statuses(session, emulator, first(), (METRICS, {"start_time": START, "per_page": 5}))


def test_condition_on_the_page_size(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Without per_page, the page size is a thousand."""
    emulator.set_scenario([STATUS_503 | {"on": {"per_page_above": 5}, "times": "always"}])
    assert [200, 503, 503] == statuses(session, emulator, first(5), first(6), (EVENTS, {"start_time": START}))
    emulator.set_scenario([STATUS_503 | {"on": {"per_page_at_most": 5}, "times": "always"}])
    assert [503, 200] == statuses(session, emulator, first(5), first(6))


def test_condition_on_the_path(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Only this condition makes a fault act on requests that are not exports."""
    emulator.set_scenario([STATUS_503 | {"times": "always"}])
    assert 200 == session.get(f"{emulator.url}/api/v2/users/me", timeout=30).status_code
    emulator.set_scenario([STATUS_503 | {"on": {"path": "/api/v2/users/me"}, "times": "always"}])
    assert 503 == session.get(f"{emulator.url}/api/v2/users/me", timeout=30).status_code
    assert [200] == statuses(session, emulator, first())


def test_several_steps_act_on_one_request(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Each step acts on the result of the previous one; page faults leave other responses alone."""
    emulator.set_scenario([{"fault": "duplicates_inside", "records": 2}, {"fault": "count", "more": 3}])
    page = export(session, emulator, start_time=START + 1, per_page=5).json()
    assert (7, 10) == (len(page[EVENTS]), page["count"])
    emulator.set_scenario(
        [
            {"fault": "html"},
            {"fault": "not_an_object"},
            {"fault": "conflicting_duplicates"},
            {"fault": "unknown_fields"},
        ]
    )
    assert "text/html" in export(session, emulator, start_time=START, per_page=5).headers["Content-Type"]
    emulator.set_scenario([{"fault": "shuffled"}])
    assert [400] == statuses(session, emulator, (EVENTS, {"start_time": START + 9 * DAY}))


@pytest.mark.parametrize("fault", [name for name, fault in FAULTS.items() if fault.place == "pages"])
def test_page_faults_accept_an_empty_page(session: requests.Session, clock: Clock, fault: str) -> None:
    """Without records there is nothing to change."""
    with ZendeskEmulator(Simulator(opened=NEW_YEAR), clock=clock, scenario=[{"fault": fault}]) as emulator:
        clock.now = START + 60
        assert not export(session, emulator, start_time=START - DAY).json().get(EVENTS)
        assert ((fault,),) == tuple(request.faults for request in emulator.requests)


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        ({"fault": "html"}, "a scenario must be a list of steps"),
        ("html", "a scenario must be a list of steps"),
        (7, "a scenario must be a list of steps"),
        (["html"], "a step must be an object"),
        ([{"fault": "htlm"}], "unknown fault 'htlm'; use one of: bulk_update"),
        ([{}], "unknown fault None"),
        ([{"fault": "html", "times": 0}], "html: times must be an integer of at least 1, or 'always', not 0"),
        ([{"fault": "html", "times": True}], "html: times must be an integer of at least 1, or 'always', not True"),
        (
            [{"fault": "html", "times": "often"}],
            "html: times must be an integer of at least 1, or 'always', not 'often'",
        ),
        ([{"fault": "html", "on": {"pages": 2}}], "html: on: unknown key 'pages'; use one of: page, resource, path"),
        ([{"fault": "html", "on": {"page": "last"}}], "html: on: page cannot be 'last'"),
        ([{"fault": "html", "on": 2}], "html: on must be an object, not 2"),
        ([{"fault": "html", "status": 500}], "html: unknown key 'status'; use one of: (none)"),
        ([{"fault": "status", "status": "500"}], "status: status cannot be '500'"),
        ([{"fault": "hang", "seconds": True}], "hang: seconds cannot be True"),
        ([{"fault": "bulk_update"}], "bulk_update requires at"),
        ([{"fault": "bulk_update", "at": "noon"}], "invalid option: Invalid isoformat string: 'noon'"),
        ([{"fault": "late_events", "every": 0}], "invalid option: seconds and every must be at least 1"),
        ([{"fault": "bulk_update", "at": "2026-01-01T00:00:00"}], "has no time zone"),
        ([{"fault": "bulk_update", "at": "2026-01-01T00:00:00Z", "times": 2}], "bulk_update is always active"),
    ],
)
def test_invalid_scenario_is_reported(emulator: ZendeskEmulator, scenario: Any, message: str) -> None:
    """The message is the same in Python and over HTTP, and the current scenario stays active."""
    with pytest.raises(ScenarioError) as caught:
        ZendeskEmulator(scenario=scenario)
    assert message in str(caught.value)
    emulator.set_scenario([STATUS_503])
    rejected = requests.post(f"{emulator.url}/emulator/scenario", json=scenario, timeout=30)
    assert (400, str(caught.value)) == (rejected.status_code, rejected.json()["error"])
    assert 503 == requests.get(f"{emulator.url}/api/v2/incremental/ticket_events", timeout=30).status_code


def test_scenario_is_set_in_python_or_over_http(session: requests.Session, clock: Clock) -> None:
    """The latest scenario replaces the previous one."""
    with ZendeskEmulator(Simulator(), clock=clock, scenario=[STATUS_503]) as emulator:
        assert [503, 200] == statuses(session, emulator, first(), first())
        posted = requests.post(f"{emulator.url}/emulator/scenario", json=[STATUS_503 | {"times": 2}], timeout=30)
        assert (200, {"steps": 1}) == (posted.status_code, posted.json())
        assert [503, 503, 200] == statuses(session, emulator, *[first()] * 3)


def test_scenario_over_http_must_be_json(emulator: ZendeskEmulator) -> None:
    """Anything else gets a 400."""
    rejected = requests.post(f"{emulator.url}/emulator/scenario", data=b"\xff", timeout=30)

    assert 400 == rejected.status_code
