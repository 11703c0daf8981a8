from datetime import UTC, datetime, timedelta

import pytest
import requests

from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from tests.support.emulator_client import DAY, EVENTS, HOUR, METRICS, NEW_YEAR, START, Clock, export


def test_rate_limit_of_exports(session: requests.Session, clock: Clock) -> None:
    """Ten requests per minute of the clock, for both exports together; then 429 until the minute is over."""
    clock.now = START + DAY + 41.5
    with ZendeskEmulator(Simulator(), clock=clock, requests_per_minute=10) as emulator:
        resources = [EVENTS, METRICS] * 5
        allowed = [export(session, emulator, resource, start_time=START, per_page=1) for resource in resources]
        limited = export(session, emulator, start_time=START)
        clock.now = START + DAY + 60
        again = export(session, emulator, start_time=START, per_page=1)

    assert [200] * 10 == [response.status_code for response in allowed]
    assert 429 == limited.status_code
    assert "19" == limited.headers["Retry-After"]
    assert {
        "error": "APIRateLimitExceeded",
        "description": "Number of allowed incremental export API requests per minute exceeded",
    } == limited.json()
    assert 200 == again.status_code


def test_headers_contain_the_limits(session: requests.Session, clock: Clock) -> None:
    """Those of the exports and of the account, as recorded; Date follows the emulator's clock."""
    clock.now = START + DAY + 41.5
    with ZendeskEmulator(Simulator(), clock=clock, requests_per_minute=10) as emulator:
        headers = export(session, emulator, start_time=START, per_page=1).headers

    assert "total=10; remaining=9; resets=19" == headers["zendesk-ratelimit-incremental-exports"]
    assert ("700", "699") == (headers["x-rate-limit"], headers["x-rate-limit-remaining"])
    assert (
        "700",
        "699",
        "19",
    ) == (headers["ratelimit-limit"], headers["ratelimit-remaining"], headers["ratelimit-reset"])
    assert "Fri, 02 Jan 2026 00:00:41 GMT" == headers["date"]
    assert "v2" == headers["x-zendesk-api-version"]
    assert "max-age=0, private, must-revalidate" == headers["cache-control"]
    assert "emulator-1" == headers["x-request-id"]


def test_minute_can_be_shortened(session: requests.Session, clock: Clock) -> None:
    """So tests need not wait; Retry-After is at least one second."""
    with ZendeskEmulator(Simulator(), clock=clock, requests_per_minute=1, minute_seconds=0.25) as emulator:
        statuses = []
        for step in (0, 0.1, 0.15):
            clock.now += step
            response = export(session, emulator, start_time=START, per_page=1)
            statuses.append((response.status_code, response.headers.get("Retry-After")))

    assert [(200, None), (429, "1"), (200, None)] == statuses


def test_without_a_limit_the_headers_say_so(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Without the header, a client would assume ten requests per minute."""
    responses = [export(session, emulator, start_time=START, per_page=1) for _ in range(15)]

    assert {200} == {response.status_code for response in responses}
    limits = {name: responses[-1].headers[name] for name in ("zendesk-ratelimit-incremental-exports", "x-rate-limit")}
    assert limits["zendesk-ratelimit-incremental-exports"].startswith("total=1000000; remaining=999")
    assert "1000000" == limits["x-rate-limit"]


@pytest.mark.parametrize("path", ["/", "/api/v2/tickets", "/api/v2/incremental/tickets", "/emulator/other"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_path_gets_a_404(session: requests.Session, emulator: ZendeskEmulator, method: str, path: str) -> None:
    """The emulator only serves the paths that it emulates."""
    response = session.request(method, emulator.url + path, timeout=30)

    assert (404, {"error": "InvalidEndpoint", "description": "Not found"}) == (response.status_code, response.json())


def test_expected_ids_over_http(emulator: ZendeskEmulator, clock: Clock) -> None:
    """Other processes can request them without credentials, also for the future."""
    start, end = int(clock.now), int(clock.now) + HOUR
    query: dict[str, str | int] = {"resource": EVENTS, "start": start, "end": end, "support_type_scope": "ai_agent"}
    ids = requests.get(f"{emulator.url}/emulator/expected_ids", params=query, timeout=30).json()["ids"]
    as_datetimes = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)

    assert emulator.expected_ids(EVENTS, *as_datetimes, support_type_scope="ai_agent") == ids
    assert 0 < len(ids) < len(emulator.expected_ids(EVENTS, *as_datetimes))


@pytest.mark.parametrize("query", ["", "resource=tickets&start=1&end=2", "resource=ticket_events&start=1"])
def test_invalid_query_for_expected_ids_gets_a_400(emulator: ZendeskEmulator, query: str) -> None:
    """It does not return an empty list."""
    assert 400 == requests.get(f"{emulator.url}/emulator/expected_ids?{query}", timeout=30).status_code


def test_expected_ids_cover_a_half_open_range(emulator: ZendeskEmulator) -> None:
    """The range includes its first second and excludes its end; fractions of a second are rounded up."""
    closing = NEW_YEAR + timedelta(hours=11)
    second, half = timedelta(seconds=1), timedelta(seconds=0.5)

    assert len(emulator.expected_ids(EVENTS, closing, closing + second)) > 1
    assert [] == emulator.expected_ids(EVENTS, closing, closing)
    assert emulator.expected_ids(EVENTS, closing, closing + second) == emulator.expected_ids(
        EVENTS, closing, closing + half
    )
    assert [] == emulator.expected_ids(EVENTS, closing + half, closing + second)


def test_expected_ids_require_aware_datetimes(emulator: ZendeskEmulator) -> None:
    """A naive datetime is ambiguous."""
    with pytest.raises(ValueError, match="aware"):
        emulator.expected_ids(EVENTS, datetime(2026, 1, 1), NEW_YEAR)  # noqa: DTZ001 - the mistake itself


def test_requests_are_logged_without_secrets(
    session: requests.Session, emulator: ZendeskEmulator, clock: Clock
) -> None:
    """The log contains exports with their status, in Python and over HTTP, but no headers."""
    export(session, emulator, start_time=START, per_page=1)
    export(session, emulator)
    session.get(f"{emulator.url}/api/v2/users/me", timeout=30)
    logged = [(entry.method, entry.path, entry.query, entry.status, entry.time) for entry in emulator.requests]
    path = "/api/v2/incremental/ticket_events"

    assert [
        ("GET", path, f"start_time={START}&per_page=1", 200, clock.now),
        ("GET", path, "", 400, clock.now),
    ] == logged
    assert {
        "requests": [
            {
                "method": "GET",
                "path": path,
                "query": f"start_time={START}&per_page=1",
                "status": 200,
                "time": clock.now,
                "faults": [],
            },
            {"method": "GET", "path": path, "query": "", "status": 400, "time": clock.now, "faults": []},
        ]
    } == requests.get(f"{emulator.url}/emulator/requests", timeout=30).json()
