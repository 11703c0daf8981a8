"""Every way into an account that Zendesk has, against a emulator that knows them all."""

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
from tests.support.clock import FakeClock

START, END = datetime(2026, 1, 1, 10, tzinfo=UTC), datetime(2026, 1, 1, 13, tzinfo=UTC)
WORLD = Simulator(events_per_day=400)
MINT = {"path": "/oauth/tokens"}


@pytest.fixture
def time() -> FakeClock:
    """The time of both sides."""
    return FakeClock()


@pytest.fixture
def hook(time: FakeClock) -> ZendeskHook:
    """A hook that does not really sleep."""
    return ZendeskHook(retry_budget=RetryBudget(page_seconds=100), sleep=time.sleep, clock=time.clock)


@pytest.fixture
def emulator(time: FakeClock, request: pytest.FixtureRequest) -> Iterator[ZendeskEmulator]:
    """A quiet desk with short pages, ten a minute; a test may choose its credentials."""
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
    """Let the default connection come in this way."""
    monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps({**emulator.connection(way), "extra": extra}))


def exported(hook: ZendeskHook) -> list[int]:
    """The ids of the window."""
    return sorted(record.id for page in hook.iter_pages("ticket_events", START, END) for record in page.records)


def answers(emulator: ZendeskEmulator) -> Counter[tuple[str, int]]:
    """How often each method had each status."""
    return Counter((request.method, request.status) for request in emulator.requests)


@pytest.mark.parametrize("way", AUTH_METHODS)
def test_every_way_leads_in(
    hook: ZendeskHook, emulator: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch, way: AuthMethod
) -> None:
    """To all events; with a client's credentials by one minted token, which serves the whole run."""
    connect(monkeypatch, emulator, way)
    assert sorted(emulator.expected_ids("ticket_events", START, END)) == exported(hook)
    assert {200} == {status for _, status in answers(emulator)}
    assert (way == "client_credentials") == answers(emulator)["POST", 200]


@pytest.mark.parametrize("emulator", [Credentials(expires_in=130)], indirect=True)
def test_token_is_renewed_before_it_ends(
    hook: ZendeskHook, emulator: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch, time: FakeClock
) -> None:
    """So nothing is ever refused."""
    connect(monkeypatch, emulator, "client_credentials")
    assert sorted(emulator.expected_ids("ticket_events", START, END)) == exported(hook)
    assert {("GET", 200), ("POST", 200)} == answers(emulator).keys()
    assert 1 + time.now // 70 >= answers(emulator)["POST", 200] > 1


@pytest.mark.parametrize("emulator", [Credentials(expires_in=None)], indirect=True)
def test_token_without_an_end_is_renewed_when_it_is_refused(
    hook: ZendeskHook, emulator: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once; the page is asked for again."""
    emulator.set_scenario([{"fault": "tokens_revoked", "on": {"page": 4}}])
    connect(monkeypatch, emulator, "client_credentials")
    assert sorted(emulator.expected_ids("ticket_events", START, END)) == exported(hook)
    assert (1, 2) == (answers(emulator)["GET", 401], answers(emulator)["POST", 200])


@pytest.mark.parametrize("way", AUTH_METHODS)
@pytest.mark.parametrize("emulator", [Credentials(role="agent")], indirect=True)
def test_who_is_no_admin_is_told(
    hook: ZendeskHook, emulator: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch, way: AuthMethod
) -> None:
    """At once, by the export and by the test of the connection."""
    connect(monkeypatch, emulator, way)
    with pytest.raises(PermissionDeniedError, match="Use the credentials, or an OAuth client, of an administrator"):
        exported(hook)
    assert (False, True) == (hook.test_connection()[0], "of an administrator" in hook.test_connection()[1])


@pytest.mark.parametrize("way", AUTH_METHODS)
def test_connection_test_knows_an_admin(
    hook: ZendeskHook, emulator: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch, way: AuthMethod
) -> None:
    """Whichever way they come in."""
    connect(monkeypatch, emulator, way)
    assert (True, "Connected to 127.0.0.1 as administrator, user 21900000000000.") == hook.test_connection()


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("password", "127.0.0.1 does not accept these credentials."),
        ("api_token", "Zendesk answered 401 to /api/v2/users/me"),
        ("bearer", "Zendesk answered 401 (invalid_token) to /api/v2/users/me"),
        ("client_credentials", "Zendesk answered 401 (invalid_client) to /oauth/tokens"),
    ],
)
def test_wrong_secret_is_told(
    hook: ZendeskHook, emulator: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch, way: AuthMethod, told: str
) -> None:
    """By the test of the connection, and by the export after one request."""
    wrong = json.dumps(emulator.connection(way) | {"password": "wrong-secret"})
    monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", wrong)
    ok, sentence = hook.test_connection()
    assert not ok
    assert sentence.startswith(told)
    asked = len(emulator.requests)
    with pytest.raises(AuthenticationError):
        exported(hook)
    assert asked + 1 == len(emulator.requests)


MINTING: list[tuple[dict[str, Any], type[ZendeskError]]] = [
    ({"fault": "status", "status": 500}, ServerError),
    ({"fault": "status", "status": 429, "retry_after": 9}, RateLimitedError),
    ({"fault": "reset_in_body"}, TransportError),
    ({"fault": "cut_json"}, TransportError),
]


@pytest.mark.parametrize(("fault", "error"), MINTING, ids=[str(fault) for fault, _ in MINTING])
def test_minting_that_fails_is_tried_again(
    hook: ZendeskHook,
    emulator: ZendeskEmulator,
    monkeypatch: pytest.MonkeyPatch,
    fault: dict[str, Any],
    error: type[ZendeskError],
) -> None:
    """As a page is, within the same patience."""
    connect(monkeypatch, emulator, "client_credentials")
    emulator.set_scenario([fault | {"on": MINT, "times": 2}])
    assert sorted(emulator.expected_ids("ticket_events", START, END)) == exported(hook)
    emulator.set_scenario([fault | {"on": MINT, "times": "always"}, {"fault": "tokens_revoked"}])
    with pytest.raises(error, match="/oauth/tokens"):
        exported(hook)


def test_minting_that_hangs_makes_no_page_smaller(
    hook: ZendeskHook, emulator: ZendeskEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pages are not what is slow."""
    connect(monkeypatch, emulator, "client_credentials")
    emulator.set_scenario([{"fault": "status", "status": 504, "on": MINT, "times": 3}])
    assert sorted(emulator.expected_ids("ticket_events", START, END)) == exported(hook)
    assert {"1000"} == {
        request.query.split("&")[1].removeprefix("per_page=") for request in emulator.requests if request.query
    }
