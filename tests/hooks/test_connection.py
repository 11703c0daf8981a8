"""An Airflow connection, read as a Zendesk account."""

import base64
import logging
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Connection

from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.hooks.connection import ConnectionSettings


def connection(**members: Any) -> Connection:
    """A connection with everything that is needed, but for what is given."""
    whole = {
        "conn_id": "zd", "conn_type": "zendesk_export", "host": "acme", "login": "agent@example.com/token",
        "password": "invented-token",
    }  # fmt: skip
    return Connection(**whole | members)


@pytest.mark.parametrize(
    ("members", "base_url", "name"),
    [
        ({"host": "acme"}, "https://acme.zendesk.com", "acme.zendesk.com"),
        ({"host": "acme.zendesk.com"}, "https://acme.zendesk.com", "acme.zendesk.com"),
        ({"host": " https://Acme.zendesk.com/ "}, "https://acme.zendesk.com", "acme.zendesk.com"),
        ({"host": "acme", "schema": "https"}, "https://acme.zendesk.com", "acme.zendesk.com"),
        ({"host": "127.0.0.1", "port": 8090, "schema": "http"}, "http://127.0.0.1:8090", "127.0.0.1"),
        ({"host": "http://localhost:8090"}, "http://localhost:8090", "localhost"),
        ({"host": "https://[::1]:8443"}, "https://[::1]:8443", "::1"),
    ],
)
def test_host_is_a_subdomain_or_an_address(members: dict[str, Any], base_url: str, name: str) -> None:
    """Always https, but on loopback."""
    account = ConnectionSettings.of(connection(**members))
    assert (base_url, name) == (account.base_url, account.name)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"host": None}, "has no host: the host is the account's subdomain, like acme"),
        ({"host": "http://acme.zendesk.com"}, "asks for http: credentials only travel by https"),
        ({"host": "acme", "schema": "http"}, "asks for http: credentials only travel by https"),
        ({"host": "https://elsewhere.example.com"}, "does not name a Zendesk account"),
        ({"host": "acme.zendesk.com.zendesk.com"}, "does not name a Zendesk account"),
        ({"host": "acme", "port": 8443}, "does not name a Zendesk account"),
        ({"host": "acme.zendesk.com:http"}, "has a host that is none"),
        ({"host": "https://[acme"}, "has a host that is none"),
        ({"host": "https://:invented-token@acme.zendesk.com"}, "has more than a host"),
        ({"login": None, "password": "invented-token\n"}, "access token in the password field, without spaces or line"),
        ({"login": None, "password": "invented-token\u2026"}, "needs an access token"),
        ({"extra": '["invented-token"]'}, "its extra is no JSON object"),
        ({"extra": '{"auth": "basic"'}, "its extra is no JSON object"),
        ({"extra": '{"proxies": "http://me:invented-token@proxy"}'}, "the extra proxies must be URLs by scheme"),
        ({"extra": '{"proxies": {"https": 3128}}'}, "the extra proxies must be URLs by scheme"),
        ({"host": "https://acme.zendesk.com/api/v2"}, "has more than a host"),
        ({"host": "https://me:invented-token@acme.zendesk.com"}, "has more than a host"),
        ({"password": None}, "needs a login and a password; for an API token, the login is the e-mail address with"),
        ({"login": None, "password": None}, "needs an access token in the password field"),
        ({"login": "client", "password": None}, "needs the client's identifier as login and its secret as password"),
        ({"login": None, "extra": '{"auth": "basic"}'}, "needs a login and a password"),
        ({"extra": '{"auth": "digest"}'}, "the extra auth must be one of basic, bearer, client_credentials"),
        ({"extra": '{"requests_per_minute": 0}'}, "the extra requests_per_minute must be a positive number"),
        ({"extra": '{"timeout": -1}'}, "the extra timeout must be a positive number"),
        ({"extra": '{"timeout": "soon"}'}, "the extra timeout must be a positive number"),
        ({"extra": '{"max_page_mebibytes": 0}'}, "the extra max_page_mebibytes must be a positive number"),
        ({"extra": '{"verify": false}'}, "TLS verification is never off"),
        ({"extra": '{"verify": "/no/such/bundle.pem"}'}, "must be the path of a CA bundle"),
    ],
)
def test_connection_that_cannot_be_used_is_refused_with_the_way_out(members: dict[str, Any], reason: str) -> None:
    """Before anything is sent; and the secret is not in the message."""
    with pytest.raises(SettingsError, match=reason) as caught:
        ConnectionSettings.of(connection(**members))
    assert "invented-token" not in str(caught.value)


def test_known_extras_are_taken_and_others_are_named(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """A misspelt extra is told by its name; its value is not."""
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    extra = f'{{"timeout": 30, "verify": "{bundle}", "max_page_mebibytes": 2, "tiemout": "invented-value"}}'
    with caplog.at_level(logging.WARNING):
        account = ConnectionSettings.of(connection(extra=extra))
    assert (30.0, str(bundle), 2_097_152) == (account.timeout, account.verify, account.max_page_bytes)
    assert ["The connection 'zd' has extras that are not used: tiemout"] == caplog.messages


@pytest.mark.parametrize(
    ("members", "credentials"),
    [
        ({}, ("basic", "agent@example.com/token", "invented-token")),
        ({"login": "agent@example.com"}, ("basic", "agent@example.com", "invented-token")),
        ({"login": "my_client"}, ("client_credentials", "my_client", "invented-token")),
        ({"login": ""}, ("bearer", "", "invented-token")),
        ({"login": "my_client", "extra": '{"auth": "basic"}'}, ("basic", "my_client", "invented-token")),
        ({"extra": '{"auth": ""}'}, ("basic", "agent@example.com/token", "invented-token")),
        ({"extra": '{"auth": "bearer"}'}, ("bearer", "agent@example.com/token", "invented-token")),
    ],
)
def test_what_is_filled_in_tells_how_to_authenticate(
    members: dict[str, Any], credentials: tuple[str, str, str]
) -> None:
    """An e-mail address is a user, another word an OAuth client, none a token; or the extra auth says it."""
    account = ConnectionSettings.of(connection(**members))
    assert credentials == (account.auth, account.login, account.secret)


@pytest.mark.parametrize(
    ("login", "extra", "credentials"),
    [
        ("a@example.com", '{"use_token": true}', ("basic", "a@example.com/token", "invented-token")),
        ("a@example.com/token", '{"use_token": true}', ("basic", "a@example.com/token", "invented-token")),
        ("a@example.com", '{"token": "invented-other"}', ("basic", "a@example.com/token", "invented-other")),
        ("", '{"oauth_token": "invented-other"}', ("bearer", "", "invented-other")),
        ("a@example.com", '{"use_token": false}', ("basic", "a@example.com", "invented-token")),
        ("a@example.com", '{"use_token": true, "token": "other"}', ("basic", "a@example.com/token", "invented-token")),
        ("somebody", '{"use_token": false}', ("basic", "somebody", "invented-token")),
    ],
)
def test_connections_of_apaches_provider_are_read(
    login: str, extra: str, credentials: tuple[str, str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """In its own order; its extras are not unknown, but to a connection of our type they are."""
    account = ConnectionSettings.of(connection(conn_type="zendesk", host="acme.zendesk.com", login=login, extra=extra))
    assert credentials == (account.auth, account.login, account.secret)
    assert [] == caplog.messages
    ConnectionSettings.of(connection(extra=extra))
    assert 1 == len(caplog.messages)


def test_api_tokens_come_with_the_date_of_their_end() -> None:
    """Passwords are told that theirs has passed; OAuth has no remark."""
    assert "2027-04-30" in (ConnectionSettings.of(connection()).remark or "")
    assert "put /token behind the e-mail address" in (
        ConnectionSettings.of(connection(login="agent@example.com")).remark or ""
    )
    assert ConnectionSettings.of(connection(login="my_client")).remark is None
    assert ConnectionSettings.of(connection(login=None)).remark is None


def test_secrets_are_listed_in_every_form_and_have_no_repr() -> None:
    """As they travel, and as a URL or a log might show them."""
    account = ConnectionSettings.of(connection(password="pä ss/w+rd"))
    encoded = base64.b64encode("agent@example.com/token:pä ss/w+rd".encode()).decode()
    written = {"pä ss/w+rd", "p%C3%A4%20ss%2Fw%2Brd", "p%C3%A4+ss%2Fw%2Brd", r"p\u00e4 ss/w+rd"}
    assert written | {encoded} == set(account.secrets())
    assert "ss/w" not in repr(account)


def test_password_of_a_proxy_is_a_secret_too() -> None:
    """It stands in a URL, where it may be quoted."""
    account = ConnectionSettings.of(connection(extra='{"proxies": {"https": "http://me:in%2Fvented@proxy:3128"}}'))
    assert {"in/vented", "in%2Fvented"} <= set(account.secrets())
    assert "vented" not in repr(account).replace("invented", "")
