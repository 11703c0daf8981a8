import json
from base64 import b64encode
from typing import Any

import pytest
import requests

from airflow_zendesk.emulator import Credentials, Simulator, ZendeskEmulator
from airflow_zendesk.emulator.authenticator import AUTH_METHODS, AuthMethod
from tests.support.emulator_client import START, Clock

NO_ACCESS = "You do not have access to this page. Please contact the account owner of this help desk for further help."
FORBIDDEN = {"error": {"title": "Forbidden", "message": NO_ACCESS}}
INVALID_TOKEN = {
    "error": "invalid_token",
    "error_description": "The access token provided is expired, revoked, malformed or invalid for other reasons.",
}
GRANT = {"grant_type": "client_credentials", "client_id": "invented_client", "client_secret": "invented-secret"}


def request_with(
    emulator: ZendeskEmulator, header: str, path: str = "/api/v2/incremental/ticket_events"
) -> requests.Response:
    """Request one event, or another path, with this Authorization header."""
    url = f"{emulator.url}{path}?start_time={START}&per_page=1"
    return requests.get(url, headers={"Authorization": header}, timeout=30)


def issue_token(emulator: ZendeskEmulator, **changes: object) -> requests.Response:
    """Request an access token."""
    return requests.post(f"{emulator.url}/oauth/tokens", json=GRANT | changes, timeout=30)


@pytest.mark.parametrize("auth", [None, ("agent@example.com/token", "wrong"), ("agent@example.com", "invented-token")])
def test_export_requires_valid_credentials(emulator: ZendeskEmulator, auth: tuple[str, str] | None) -> None:
    """Anything else gets Zendesk's 401."""
    url = f"{emulator.url}/api/v2/incremental/ticket_events"
    response = requests.get(url, params={"start_time": START}, auth=auth, timeout=30)

    assert (401, '{"error":"Couldn\'t authenticate you"}') == (response.status_code, response.text)
    assert 'Basic realm="Web Password"' == response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("header", ["Basic", "Basic !!", "Basic /w==", "Bearer invented-token", ""])
def test_malformed_authorization_header_gets_a_401(emulator: ZendeskEmulator, header: str) -> None:
    """No header makes the emulator fail."""
    url = f"{emulator.url}/api/v2/incremental/ticket_events"

    assert 401 == requests.get(url, headers={"Authorization": header}, timeout=30).status_code


def test_users_me_returns_the_admin(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """The default credentials are those of an admin."""
    user = session.get(f"{emulator.url}/api/v2/users/me.json", timeout=30).json()["user"]

    assert (21_900_000_000_000, "admin", "agent@example.com") == (user["id"], user["role"], user["email"])


@pytest.mark.parametrize("auth", [None, ("agent@example.com", "wrong")])
def test_users_me_with_a_wrong_password_returns_the_anonymous_user(
    emulator: ZendeskEmulator, auth: tuple[str, str] | None
) -> None:
    """Like Zendesk, it returns 200 for wrong credentials, except for a wrong token."""
    response = requests.get(f"{emulator.url}/api/v2/users/me", auth=auth, timeout=30)

    assert 200 == response.status_code
    assert (None, "Anonymous user") == (response.json()["user"]["id"], response.json()["user"]["name"])


def test_users_me_with_a_wrong_token_gets_a_401(emulator: ZendeskEmulator) -> None:
    """A wrong API token is the one error that it reports."""
    auth = ("agent@example.com/token", "wrong")

    assert 401 == requests.get(f"{emulator.url}/api/v2/users/me", auth=auth, timeout=30).status_code


def test_password_is_accepted(emulator: ZendeskEmulator) -> None:
    """Zendesk accepted passwords until January 2026."""
    url = f"{emulator.url}/api/v2/incremental/ticket_events?start_time={START}&per_page=1"

    assert 200 == requests.get(url, auth=("agent@example.com", "invented-password"), timeout=30).status_code


def test_bearer_token_is_accepted(emulator: ZendeskEmulator) -> None:
    """Any other bearer token gets OAuth's 401, even at users/me."""
    assert 200 == request_with(emulator, "Bearer invented-access-token").status_code
    for path in ("/api/v2/incremental/ticket_events", "/api/v2/users/me"):
        rejected = request_with(emulator, "Bearer wrong", path)
        assert (401, INVALID_TOKEN) == (rejected.status_code, rejected.json())


def test_issued_token_expires(emulator: ZendeskEmulator, clock: Clock) -> None:
    """Each issued token is different, states its lifetime, and is accepted until that ends."""
    first, second = issue_token(emulator, scope="read").json(), issue_token(emulator).json()
    assert {"token_type": "bearer", "scope": "read", "expires_in": 1_800} == {
        name: value for name, value in first.items() if name != "access_token"
    }
    assert first["access_token"] != second["access_token"]
    clock.now += 1_799
    assert 200 == request_with(emulator, f"Bearer {first['access_token']}").status_code
    clock.now += 1
    expired = request_with(emulator, f"Bearer {first['access_token']}")
    assert (401, INVALID_TOKEN) == (expired.status_code, expired.json())


def test_issued_token_may_never_expire(clock: Clock) -> None:
    """As for older OAuth clients, the response then has no expires_in."""
    with ZendeskEmulator(Simulator(), clock=clock, credentials=Credentials(expires_in=None)) as emulator:
        token = issue_token(emulator).json()
        clock.now += 1e9
        status = request_with(emulator, f"Bearer {token['access_token']}").status_code

    assert {"access_token", "token_type", "scope"} == token.keys()
    assert 200 == status


def test_revoked_tokens_get_a_401_and_new_ones_are_issued(emulator: ZendeskEmulator) -> None:
    """The given token stays valid."""
    token = issue_token(emulator).json()["access_token"]
    emulator.set_scenario([{"fault": "tokens_revoked"}])

    assert [401, 401] == [request_with(emulator, f"Bearer {token}").status_code for _ in "ab"]
    assert 200 == request_with(emulator, f"Bearer {issue_token(emulator).json()['access_token']}").status_code
    assert 200 == request_with(emulator, "Bearer invented-access-token").status_code


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_invalid_grant_gets_no_token(
    emulator: ZendeskEmulator, changes: dict[str, Any], status: int, error: str
) -> None:
    """The error codes are those of OAuth."""
    rejected = issue_token(emulator, **changes)

    assert (status, error) == (rejected.status_code, rejected.json()["error"])


@pytest.mark.parametrize("body", [b"", b"grant_type=client_credentials", b"[]", b"\xff"])
def test_token_request_must_be_json(emulator: ZendeskEmulator, body: bytes) -> None:
    """Any other body gets a 400."""
    assert 400 == requests.post(f"{emulator.url}/oauth/tokens", data=body, timeout=30).status_code


def test_token_with_an_unknown_scope_gives_no_access(emulator: ZendeskEmulator) -> None:
    """Zendesk issues the token and rejects it later."""
    token = issue_token(emulator, scope="reed").json()["access_token"]
    rejected = request_with(emulator, f"Bearer {token}")

    assert (403, FORBIDDEN) == (rejected.status_code, rejected.json())


@pytest.mark.parametrize("auth_method", AUTH_METHODS)
def test_only_admins_may_export(clock: Clock, auth_method: AuthMethod) -> None:
    """With every method, an agent is recognized and gets a 403."""
    with ZendeskEmulator(Simulator(), clock=clock, credentials=Credentials(role="agent")) as emulator:
        header = authorization(emulator, auth_method)
        user, rejected = (
            request_with(emulator, header, "/api/v2/users/me").json()["user"],
            request_with(emulator, header),
        )

    assert ("agent", 21_900_000_000_000) == (user["role"], user["id"])
    assert (403, FORBIDDEN) == (rejected.status_code, rejected.json())


def authorization(emulator: ZendeskEmulator, auth_method: AuthMethod) -> str:
    """Return the Authorization header for the connection with this method."""
    fields = emulator.connection(auth_method)
    if auth_method == "client_credentials":
        token = issue_token(emulator, client_id=fields["login"], client_secret=fields["password"])
        return f"Bearer {token.json()['access_token']}"
    if auth_method == "bearer":
        return f"Bearer {fields['password']}"
    credentials = f"{fields['login']}:{fields['password']}"
    return f"Basic {b64encode(credentials.encode()).decode()}"


@pytest.mark.parametrize("auth_method", AUTH_METHODS)
def test_connection_is_accepted_with_each_method(emulator: ZendeskEmulator, auth_method: AuthMethod) -> None:
    """It contains only host, login and password."""
    assert 200 == request_with(emulator, authorization(emulator, auth_method)).status_code
    assert emulator.connection(auth_method).keys() <= {"conn_type", "host", "login", "password"}


def test_connection_for_airflow(emulator: ZendeskEmulator) -> None:
    """It contains what `airflow connections add` needs, as JSON."""
    assert {
        "conn_type": "zendesk_export",
        "host": f"http://127.0.0.1:{emulator.port}",
        "login": "agent@example.com/token",
        "password": "invented-token",
    } == json.loads(json.dumps(emulator.connection()))


def test_credentials_can_be_chosen(clock: Clock) -> None:
    """The default ones are rejected then; secrets are not part of the repr."""
    credentials = Credentials(email="other@example.org", api_token="other")
    with ZendeskEmulator(Simulator(), clock=clock, credentials=credentials) as emulator:
        path = f"{emulator.url}/api/v2/incremental/ticket_events?per_page=1&start_time={START}"
        statuses = [
            requests.get(path, auth=auth, timeout=30).status_code
            for auth in [("other@example.org/token", "other"), ("agent@example.com/token", "invented-token")]
        ]

    assert [200, 401] == statuses
    assert "Credentials(email='other@example.org', client_id='invented_client', expires_in=1800, role='admin')" == repr(
        credentials
    )


def test_token_requests_are_logged_without_secrets(emulator: ZendeskEmulator) -> None:
    """So a test can see how many tokens a run requested."""
    issue_token(emulator)

    assert [("POST", "/oauth/tokens", "", 200)] == [
        (entry.method, entry.path, entry.query, entry.status) for entry in emulator.requests
    ]
    assert "secret" not in repr(emulator.requests)
