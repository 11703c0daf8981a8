"""What goes wrong when: conditions, numbers of times, and what is told of a scenario that is none."""

from typing import Any

import pytest
import requests

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.emulator.faults import FAULTS
from airflow_zendesk.emulator.scenario import ScenarioError
from tests.support.emulator_client import DAY, EVENTS, METRICS, NEW_YEAR, START, Clock, export

FAILS: dict[str, Any] = {"fault": "status", "status": 503}


def statuses(session: requests.Session, emulator: ZendeskEmulator, *asked: tuple[str, dict[str, int]]) -> list[int]:
    """The statuses of these exports."""
    return [export(session, emulator, resource, **query).status_code for resource, query in asked]


def first(per_page: int = 5) -> tuple[str, dict[str, int]]:
    """The first page."""
    return EVENTS, {"start_time": START, "per_page": per_page}


def later(hours: int) -> tuple[str, dict[str, int]]:
    """Another page."""
    return EVENTS, {"start_time": START + 3_600 * hours, "per_page": 5}


def test_fault_acts_once_unless_more_is_said(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """So many times, or always; the log tells which requests it met."""
    emulator.set_scenario([FAILS])
    assert [503, 200, 200] == statuses(session, emulator, *[first()] * 3)
    emulator.set_scenario([FAILS | {"times": 2}])
    assert [503, 503, 200] == statuses(session, emulator, *[first()] * 3)
    emulator.set_scenario([FAILS | {"times": "always"}])
    assert [503] * 3 == statuses(session, emulator, *[first()] * 3)
    emulator.set_scenario([])
    assert [200] == statuses(session, emulator, first())
    assert [("status",), (), ()] == [request.faults for request in emulator.requests[:3]]


def test_pages_are_counted_by_their_start_time(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Whoever asks again asks for the same page; each export has its own pages."""
    emulator.set_scenario([FAILS | {"on": {"page": 2}, "times": "always"}])
    metrics = METRICS, {"start_time": START + 3_600, "per_page": 5}
    asked = [first(), later(1), metrics, later(1), later(2), first()]
    assert [200, 503, 200, 503, 200, 200] == statuses(session, emulator, *asked)


def test_condition_on_the_resource(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """The other export is as ever."""
    emulator.set_scenario([FAILS | {"on": {"resource": METRICS}, "times": "always"}])
    assert [200, 503] == statuses(session, emulator, first(), (METRICS, {"start_time": START, "per_page": 5}))


def test_condition_on_the_page_size(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Not more than is too much; who asks for no size asks for a thousand."""
    emulator.set_scenario([FAILS | {"on": {"per_page_above": 5}, "times": "always"}])
    assert [200, 503, 503] == statuses(session, emulator, first(5), first(6), (EVENTS, {"start_time": START}))
    emulator.set_scenario([FAILS | {"on": {"per_page_at_most": 5}, "times": "always"}])
    assert [503, 200] == statuses(session, emulator, first(5), first(6))


def test_condition_on_the_path(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """So faults can meet other requests than exports, which nothing else does."""
    emulator.set_scenario([FAILS | {"times": "always"}])
    assert 200 == session.get(f"{emulator.url}/api/v2/users/me", timeout=30).status_code
    emulator.set_scenario([FAILS | {"on": {"path": "/api/v2/users/me"}, "times": "always"}])
    assert 503 == session.get(f"{emulator.url}/api/v2/users/me", timeout=30).status_code
    assert [200] == statuses(session, emulator, first())


def test_steps_act_together(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Each on what the one before has made; what is no page stays as it is to faults of pages."""
    emulator.set_scenario([{"fault": "duplicates_inside", "records": 2}, {"fault": "count", "more": 3}])
    page = export(session, emulator, start_time=START + 1, per_page=5).json()
    assert (7, 10) == (len(page[EVENTS]), page["count"])
    emulator.set_scenario(
        [{"fault": "html"}, {"fault": "no_object"}, {"fault": "two_bodies"}, {"fault": "unknown_fields"}]
    )
    assert "text/html" in export(session, emulator, start_time=START, per_page=5).headers["Content-Type"]
    emulator.set_scenario([{"fault": "shuffled"}])
    assert [400] == statuses(session, emulator, (EVENTS, {"start_time": START + 9 * DAY}))


@pytest.mark.parametrize("fault", [name for name, fault in FAULTS.items() if fault.place == "pages"])
def test_page_without_records_can_have_any_fault(session: requests.Session, clock: Clock, fault: str) -> None:
    """What there is nothing of stays away."""
    with ZendeskEmulator(Simulator(opened=NEW_YEAR), clock=clock, scenario=[{"fault": fault}]) as emulator:
        clock.now = START + 60
        assert [] == export(session, emulator, start_time=START - DAY).json()[EVENTS]
        assert ((fault,),) == tuple(request.faults for request in emulator.requests)


@pytest.mark.parametrize(
    ("scenario", "told"),
    [
        ({"fault": "html"}, "a scenario is a list of steps"),
        ("html", "a scenario is a list of steps"),
        (7, "a scenario is a list of steps"),
        (["html"], "a step is an object"),
        ([{"fault": "htlm"}], "there is no fault 'htlm'; known are: burst"),
        ([{}], "there is no fault None"),
        ([{"fault": "html", "times": 0}], "html: times is 0, neither a number from 1 nor 'always'"),
        ([{"fault": "html", "times": True}], "html: times is True"),
        ([{"fault": "html", "times": "often"}], "html: times is 'often'"),
        ([{"fault": "html", "on": {"pages": 2}}], "html: on does not know 'pages'; it knows: page, resource, path"),
        ([{"fault": "html", "on": {"page": "last"}}], "html: on: page cannot be 'last'"),
        ([{"fault": "html", "on": 2}], "html: on is an object, not 2"),
        ([{"fault": "html", "status": 500}], "html does not know 'status'; it knows: nothing"),
        ([{"fault": "status", "status": "500"}], "status: status cannot be '500'"),
        ([{"fault": "hang", "seconds": True}], "hang: seconds cannot be True"),
        ([{"fault": "burst"}], "burst needs at"),
        ([{"fault": "burst", "at": "noon"}], "the desk cannot be so: Invalid isoformat string: 'noon'"),
        ([{"fault": "sorted_by_delivery", "every": 0}], "the desk cannot be so: seconds and every must be at least 1"),
        ([{"fault": "burst", "at": "2026-01-01T00:00:00"}], "has no time zone"),
        ([{"fault": "burst", "at": "2026-01-01T00:00:00Z", "times": 2}], "burst holds all the time"),
    ],
)
def test_what_is_no_scenario_is_told(emulator: ZendeskEmulator, scenario: Any, told: str) -> None:
    """At once, wherever it comes from, and the scenario before goes on."""
    with pytest.raises(ScenarioError) as caught:
        ZendeskEmulator(scenario=scenario)
    assert told in str(caught.value)
    emulator.set_scenario([FAILS])
    refused = requests.post(f"{emulator.url}/emulator/scenario", json=scenario, timeout=30)
    assert (400, str(caught.value)) == (refused.status_code, refused.json()["error"])
    assert 503 == requests.get(f"{emulator.url}/api/v2/incremental/ticket_events", timeout=30).status_code


def test_scenario_comes_with_the_emulator_or_over_http(session: requests.Session, clock: Clock) -> None:
    """The last one counts."""
    with ZendeskEmulator(Simulator(), clock=clock, scenario=[FAILS]) as emulator:
        assert [503, 200] == statuses(session, emulator, first(), first())
        posted = requests.post(f"{emulator.url}/emulator/scenario", json=[FAILS | {"times": 2}], timeout=30)
        assert (200, {"steps": 1}) == (posted.status_code, posted.json())
        assert [503, 503, 200] == statuses(session, emulator, *[first()] * 3)


def test_scenario_over_http_must_be_json(emulator: ZendeskEmulator) -> None:
    """Anything else is told, too."""
    refused = requests.post(f"{emulator.url}/emulator/scenario", data=b"\xff", timeout=30)

    assert 400 == refused.status_code
