import json
from base64 import b64encode
from typing import Any

import pytest
import requests

from airflow_zendesk.emulator import Credentials, Simulator, ZendeskEmulator
from airflow_zendesk.emulator.access import WAYS, Way
from tests.support.emulator_client import START, Clock

NO_ACCESS = "You do not have access to this page. Please contact the account owner of this help desk for further help."
FORBIDDEN = {"error": {"title": "Forbidden", "message": NO_ACCESS}}
INVALID_TOKEN = {
    "error": "invalid_token",
    "error_description": "The access token provided is expired, revoked, malformed or invalid for other reasons.",
}
GRANT = {"grant_type": "client_credentials", "client_id": "invented_client", "client_secret": "invented-secret"}


def come_in(
    emulator: ZendeskEmulator, header: str, path: str = "/api/v2/incremental/ticket_events"
) -> requests.Response:
    """Ask for one event, or another path, with this Authorization."""
    url = f"{emulator.url}{path}?start_time={START}&per_page=1"
    return requests.get(url, headers={"Authorization": header}, timeout=30)


def mint(emulator: ZendeskEmulator, **asked: object) -> requests.Response:
    """Ask for a token."""
    return requests.post(f"{emulator.url}/oauth/tokens", json=GRANT | asked, timeout=30)


@pytest.mark.parametrize("auth", [None, ("agent@example.com/token", "wrong"), ("agent@example.com", "invented-token")])
def test_export_needs_the_right_credentials(emulator: ZendeskEmulator, auth: tuple[str, str] | None) -> None:
    """Who is not known gets nothing, in Zendesk's words."""
    url = f"{emulator.url}/api/v2/incremental/ticket_events"
    response = requests.get(url, params={"start_time": START}, auth=auth, timeout=30)

    assert (401, '{"error":"Couldn\'t authenticate you"}') == (response.status_code, response.text)
    assert 'Basic realm="Web Password"' == response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("header", ["Basic", "Basic !!", "Basic /w==", "Bearer invented-token", ""])
def test_garbled_credentials_are_wrong_credentials(emulator: ZendeskEmulator, header: str) -> None:
    """No header makes the emulator stumble."""
    url = f"{emulator.url}/api/v2/incremental/ticket_events"

    assert 401 == requests.get(url, headers={"Authorization": header}, timeout=30).status_code


def test_me_with_the_right_credentials(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """The right credentials are those of an admin."""
    user = session.get(f"{emulator.url}/api/v2/users/me.json", timeout=30).json()["user"]

    assert (21_900_000_000_000, "admin", "agent@example.com") == (user["id"], user["role"], user["email"])


@pytest.mark.parametrize("auth", [None, ("agent@example.com", "wrong")])
def test_me_with_a_wrong_password_is_a_stranger(emulator: ZendeskEmulator, auth: tuple[str, str] | None) -> None:
    """Zendesk's false health check: 200 for everybody who does not come with a token."""
    response = requests.get(f"{emulator.url}/api/v2/users/me", auth=auth, timeout=30)

    assert 200 == response.status_code
    assert (None, "Anonymous user") == (response.json()["user"]["id"], response.json()["user"]["name"])


def test_me_with_a_wrong_token_is_refused(emulator: ZendeskEmulator) -> None:
    """A wrong token is the one thing that it notices."""
    auth = ("agent@example.com/token", "wrong")

    assert 401 == requests.get(f"{emulator.url}/api/v2/users/me", auth=auth, timeout=30).status_code


def test_password_comes_in_too(emulator: ZendeskEmulator) -> None:
    """As it did until January 2026."""
    url = f"{emulator.url}/api/v2/incremental/ticket_events?start_time={START}&per_page=1"

    assert 200 == requests.get(url, auth=("agent@example.com", "invented-password"), timeout=30).status_code


def test_bearer_comes_in(emulator: ZendeskEmulator) -> None:
    """With a token that was given; any other is refused in the words of OAuth, also where strangers are let in."""
    assert 200 == come_in(emulator, "Bearer invented-access-token").status_code
    for path in ("/api/v2/incremental/ticket_events", "/api/v2/users/me"):
        refused = come_in(emulator, "Bearer wrong", path)
        assert (401, INVALID_TOKEN) == (refused.status_code, refused.json())


def test_token_is_minted(emulator: ZendeskEmulator, clock: Clock) -> None:
    """Each is another, is good for its time and no longer, and says how long that is."""
    first, second = mint(emulator, scope="read").json(), mint(emulator).json()
    assert {"token_type": "bearer", "scope": "read", "expires_in": 1_800} == {
        name: value for name, value in first.items() if name != "access_token"
    }
    assert first["access_token"] != second["access_token"]
    clock.now += 1_799
    assert 200 == come_in(emulator, f"Bearer {first['access_token']}").status_code
    clock.now += 1
    expired = come_in(emulator, f"Bearer {first['access_token']}")
    assert (401, INVALID_TOKEN) == (expired.status_code, expired.json())


def test_token_may_have_no_end(clock: Clock) -> None:
    """As those of older clients: then the answer does not speak of it."""
    with ZendeskEmulator(Simulator(), clock=clock, credentials=Credentials(expires_in=None)) as emulator:
        token = mint(emulator).json()
        clock.now += 1e9
        status = come_in(emulator, f"Bearer {token['access_token']}").status_code

    assert {"access_token", "token_type", "scope"} == token.keys()
    assert 200 == status


def test_revoked_tokens_are_refused_and_others_are_minted(emulator: ZendeskEmulator) -> None:
    """A token that was given, not minted, stays good."""
    token = mint(emulator).json()["access_token"]
    emulator.set_scenario([{"fault": "tokens_revoked"}])

    assert [401, 401] == [come_in(emulator, f"Bearer {token}").status_code for _ in "ab"]
    assert 200 == come_in(emulator, f"Bearer {mint(emulator).json()['access_token']}").status_code
    assert 200 == come_in(emulator, "Bearer invented-access-token").status_code


@pytest.mark.parametrize(
    ("asked", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_who_is_not_the_client_gets_no_token(
    emulator: ZendeskEmulator, asked: dict[str, Any], status: int, error: str
) -> None:
    """In the words of OAuth."""
    refused = mint(emulator, **asked)

    assert (status, error) == (refused.status_code, refused.json()["error"])


@pytest.mark.parametrize("body", [b"", b"grant_type=client_credentials", b"[]", b"\xff"])
def test_request_for_a_token_is_json(emulator: ZendeskEmulator, body: bytes) -> None:
    """Anything else asks for nothing."""
    assert 400 == requests.post(f"{emulator.url}/oauth/tokens", data=body, timeout=30).status_code


def test_scope_that_does_not_exist_makes_a_token_that_opens_nothing(emulator: ZendeskEmulator) -> None:
    """Zendesk mints for any word, and says no later."""
    token = mint(emulator, scope="reed").json()["access_token"]
    refused = come_in(emulator, f"Bearer {token}")

    assert (403, FORBIDDEN) == (refused.status_code, refused.json())


@pytest.mark.parametrize("way", WAYS)
def test_only_admins_may_export(clock: Clock, way: Way) -> None:
    """Whichever way they come in, agents are known and refused."""
    with ZendeskEmulator(Simulator(), clock=clock, credentials=Credentials(role="agent")) as emulator:
        header = authorization(emulator, way)
        user, refused = come_in(emulator, header, "/api/v2/users/me").json()["user"], come_in(emulator, header)

    assert ("agent", 21_900_000_000_000) == (user["role"], user["id"])
    assert (403, FORBIDDEN) == (refused.status_code, refused.json())


def authorization(emulator: ZendeskEmulator, way: Way) -> str:
    """The header of somebody who uses the connection of this way."""
    fields = emulator.connection(way)
    if way == "client_credentials":
        minted = mint(emulator, client_id=fields["login"], client_secret=fields["password"])
        return f"Bearer {minted.json()['access_token']}"
    if way == "bearer":
        return f"Bearer {fields['password']}"
    proof = f"{fields['login']}:{fields['password']}"
    return f"Basic {b64encode(proof.encode()).decode()}"


@pytest.mark.parametrize("way", WAYS)
def test_connection_of_each_way_comes_in(emulator: ZendeskEmulator, way: Way) -> None:
    """And knows nothing but host, login and password."""
    assert 200 == come_in(emulator, authorization(emulator, way)).status_code
    assert emulator.connection(way).keys() <= {"conn_type", "host", "login", "password"}


def test_connection_for_airflow(emulator: ZendeskEmulator) -> None:
    """What `airflow connections add` needs, ready for JSON."""
    assert {
        "conn_type": "zendesk_export",
        "host": f"http://127.0.0.1:{emulator.port}",
        "login": "agent@example.com/token",
        "password": "invented-token",
    } == json.loads(json.dumps(emulator.connection()))


def test_credentials_can_be_chosen(clock: Clock) -> None:
    """Another login and another token, and the old ones are wrong; no secret has a repr."""
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


def test_requests_for_tokens_are_remembered_without_secrets(emulator: ZendeskEmulator) -> None:
    """A run that mints at each request can be found out."""
    mint(emulator)

    assert [("POST", "/oauth/tokens", "", 200)] == [
        (entry.method, entry.path, entry.query, entry.status) for entry in emulator.requests
    ]
    assert "secret" not in repr(emulator.requests)
