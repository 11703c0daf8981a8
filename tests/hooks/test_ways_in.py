"""Every authentication method of Zendesk, against an emulator that implements them all."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_zendesk.emulator import Credentials, Simulator, ZendeskEmulator
from airflow_zendesk.emulator.authenticator import AUTH_METHODS, AuthMethod
from airflow_zendesk.exceptions import (
    AuthenticationError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    TransportError,
    ZendeskError,
)
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.zendesk.retry import RetryBudget
from tests.support.clocks import FakeClock

START, END = datetime(2026, 1, 1, 10, tzinfo=UTC), datetime(2026, 1, 1, 13, tzinfo=UTC)
WORLD = Simulator(events_per_day=400)
TOKEN_REQUEST = {"path": "/oauth/tokens"}


@pytest.fixture
def time() -> FakeClock:
    """The clock of the hook and the emulator."""
    return FakeClock()


@pytest.fixture
def hook(time: FakeClock) -> ZendeskHook:
    """A hook whose waits take no real time."""
    return ZendeskHook(retry_budget=RetryBudget(page_seconds=100), sleep=time.sleep, clock=time.clock)


@pytest.fixture
def emulator(time: FakeClock, request: pytest.FixtureRequest) -> Iterator[ZendeskEmulator]:
    """An emulator with small pages and 10 requests per minute; a test may choose its credentials."""
    credentials: Credentials | None = getattr(request, "param", None)
    begin = END.timestamp() + 600
    with ZendeskEmulator(
        WORLD,
        credentials=credentials,
        max_per_page=3,
        requests_per_minute=10,
        clock=lambda: begin + time.now,
    ) as emulator:
        yield emulator


def connect(monkeypatch: pytest.MonkeyPatch, emulator: ZendeskEmulator, way: AuthMethod, **extra: Any) -> None:
    """Set the default connection to this authentication method."""
    monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps({**emulator.connection(way), "extra": extra}))


def exported(hook: ZendeskHook) -> list[int]:
    """The exported ids of the window."""
    return sorted(record.id for page in hook.iter_pages("ticket_events", START, END) for record in page.records)


def answers(emulator: ZendeskEmulator) -> Counter[tuple[str, int]]:
    """The number of responses by method and status."""
    return Counter((request.method, request.status) for request in emulator.requests)


@pytest.mark.parametrize("way", AUTH_METHODS)
def test_every_authentication_method_exports_all_events(
    hook: ZendeskHook, emulator: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch, way: AuthMethod
) -> None:
    """An OAuth client requests one token, which serves the whole run."""
    connect(monkeypatch, emulator, way)
    assert sorted(emulator.expected_ids("ticket_events", START, END)) == exported(hook)
    assert {200} == {status for _, status in answers(emulator)}
    assert (way == "client_credentials") == answers(emulator)["POST", 200]


@pytest.mark.parametrize("emulator", [Credentials(expires_in=130)], indirect=True)
def test_token_is_renewed_before_it_expires(
    hook: ZendeskHook, emulator: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch, time: FakeClock
) -> None:
    """No request is answered 401."""
    connect(monkeypatch, emulator, "client_credentials")
    assert sorted(emulator.expected_ids("ticket_events", START, END)) == exported(hook)
    assert {("GET", 200), ("POST", 200)} == answers(emulator).keys()
    assert 1 + time.now // 70 >= answers(emulator)["POST", 200] > 1


@pytest.mark.parametrize("emulator", [Credentials(expires_in=None)], indirect=True)
def test_token_that_does_not_expire_is_renewed_after_a_401(
    hook: ZendeskHook, emulator: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is requested again, once."""
    emulator.set_scenario([{"fault": "tokens_revoked", "on": {"page": 4}}])
    connect(monkeypatch, emulator, "client_credentials")
    assert sorted(emulator.expected_ids("ticket_events", START, END)) == exported(hook)
    assert (1, 2) == (answers(emulator)["GET", 401], answers(emulator)["POST", 200])


@pytest.mark.parametrize("way", AUTH_METHODS)
@pytest.mark.parametrize("emulator", [Credentials(role="agent")], indirect=True)
def test_user_who_is_no_administrator_is_refused(
    hook: ZendeskHook, emulator: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch, way: AuthMethod
) -> None:
    """The export and the connection test fail without a retry."""
    connect(monkeypatch, emulator, way)
    with pytest.raises(PermissionDeniedError, match="Use the credentials, or an OAuth client, of an administrator"):
        exported(hook)
    assert (False, True) == (hook.test_connection()[0], "of an administrator" in hook.test_connection()[1])


@pytest.mark.parametrize("way", AUTH_METHODS)
def test_connection_test_recognizes_an_administrator(
    hook: ZendeskHook, emulator: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch, way: AuthMethod
) -> None:
    """With every authentication method."""
    connect(monkeypatch, emulator, way)
    assert (True, "Connected to 127.0.0.1 as administrator, user 21900000000000.") == hook.test_connection()


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("password", "127.0.0.1 does not accept these credentials."),
        ("api_token", "127.0.0.1: Zendesk returned 401 for /api/v2/users/me"),
        ("bearer", "127.0.0.1: Zendesk returned 401 (invalid_token) for /api/v2/users/me"),
        ("client_credentials", "127.0.0.1: Zendesk returned 401 (invalid_client) for /oauth/tokens"),
    ],
)
def test_wrong_secret_is_refused(
    hook: ZendeskHook, emulator: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch, way: AuthMethod, message: str
) -> None:
    """The connection test names it, and the export fails after one request."""
    wrong = json.dumps(emulator.connection(way) | {"password": "wrong-secret"})
    monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", wrong)
    ok, sentence = hook.test_connection()
    assert not ok
    assert sentence.startswith(message)
    asked = len(emulator.requests)
    with pytest.raises(AuthenticationError):
        exported(hook)
    assert asked + 1 == len(emulator.requests)


TOKEN_FAULTS: list[tuple[dict[str, Any], type[ZendeskError]]] = [
    ({"fault": "status", "status": 500}, ServerError),
    ({"fault": "status", "status": 429, "retry_after": 9}, RateLimitedError),
    ({"fault": "reset_in_body"}, TransportError),
    ({"fault": "cut_json"}, TransportError),
]


@pytest.mark.parametrize(("fault", "error"), TOKEN_FAULTS, ids=[str(fault) for fault, _ in TOKEN_FAULTS])
def test_token_request_that_fails_is_retried(
    hook: ZendeskHook,
    emulator: ZendeskEmulator,
    monkeypatch: pytest.MonkeyPatch,
    fault: dict[str, Any],
    error: type[ZendeskError],
) -> None:
    """It shares the retry budget of the page."""
    connect(monkeypatch, emulator, "client_credentials")
    emulator.set_scenario([fault | {"on": TOKEN_REQUEST, "times": 2}])
    assert sorted(emulator.expected_ids("ticket_events", START, END)) == exported(hook)
    emulator.set_scenario([fault | {"on": TOKEN_REQUEST, "times": "always"}, {"fault": "tokens_revoked"}])
    with pytest.raises(error, match="/oauth/tokens"):
        exported(hook)


def test_token_request_that_times_out_does_not_reduce_the_page_size(
    hook: ZendeskHook, emulator: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pages are not slow."""
    connect(monkeypatch, emulator, "client_credentials")
    emulator.set_scenario([{"fault": "status", "status": 504, "on": TOKEN_REQUEST, "times": 3}])
    assert sorted(emulator.expected_ids("ticket_events", START, END)) == exported(hook)
    assert {"1000"} == {
        request.query.split("&")[1].removeprefix("per_page=") for request in emulator.requests if request.query
    }
