"""Reading an Airflow connection to a Zendesk account."""

import base64
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Connection

from airflow_zendesk.destination import open_destination
from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.hooks.connection import ConnectionSettings
from airflow_zendesk.hooks.zendesk import ZendeskHook


def connection(**members: Any) -> Connection:
    """A complete connection, changed by the arguments."""
    whole = {
        "conn_id": "zd", "conn_type": "zendesk_export", "host": "acme", "login": "agent@example.com/token",
        "password": "invented-token",
    }  # fmt: skip
    return Connection(**whole | members)


@pytest.mark.parametrize(
    ("members", "base_url", "host"),
    [
        ({"host": "acme"}, "https://acme.zendesk.com", "acme.zendesk.com"),
        ({"host": "acme.zendesk.com"}, "https://acme.zendesk.com", "acme.zendesk.com"),
        ({"host": " https://Acme.zendesk.com/ "}, "https://acme.zendesk.com", "acme.zendesk.com"),
        ({"host": "acme.zendesk.com:443"}, "https://acme.zendesk.com", "acme.zendesk.com"),
        ({"host": "acme", "port": 443}, "https://acme.zendesk.com", "acme.zendesk.com"),
        ({"host": "acme", "schema": "https"}, "https://acme.zendesk.com", "acme.zendesk.com"),
        ({"host": "127.0.0.1", "port": 8090, "schema": "http"}, "http://127.0.0.1:8090", "127.0.0.1"),
        ({"host": "http://localhost:8090"}, "http://localhost:8090", "localhost"),
        ({"host": "https://[::1]:8443"}, "https://[::1]:8443", "::1"),
    ],
)
def test_host_is_a_subdomain_or_an_address(members: dict[str, Any], base_url: str, host: str) -> None:
    """Only loopback addresses may use http."""
    account = ConnectionSettings.from_connection(connection(**members))
    assert (base_url, host) == (account.base_url, account.host)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"host": None}, "has no host. Use the account's subdomain, like acme"),
        ({"host": "https://"}, "has no host. Use the account's subdomain, like acme"),
        ({"host": " HTTPS:/// "}, "has no host. Use the account's subdomain, like acme"),
        ({"host": "http://acme.zendesk.com"}, "uses http. Use https: credentials are never sent without encryption"),
        ({"host": "acme", "schema": "http"}, "uses http. Use https: credentials are never sent without encryption"),
        ({"host": "https://elsewhere.example.com"}, "has a host that is not a Zendesk account"),
        ({"host": "acme.zendesk.com.zendesk.com"}, "has a host that is not a Zendesk account"),
        ({"host": "acme", "port": 8443}, "has the port 8443, but Zendesk uses 443 only. Remove the port"),
        ({"host": "https://acme.zendesk.com:80/"}, "has the port 80, but Zendesk uses 443 only. Remove the port"),
        ({"host": "acme.zendesk.com:http"}, "has an invalid host"),
        ({"host": "https://[acme"}, "has an invalid host"),
        ({"host": "https://:invented-token@acme.zendesk.com"}, "has more than a host"),
        ({"login": None, "password": "invented-token x"}, "access token in the password field, without spaces or line"),
        ({"login": None, "password": "invented-token\u2026"}, "needs an access token"),
        ({"extra": '["invented-token"]'}, "has an extra that is not a JSON object"),
        ({"extra": '{"auth": "basic"'}, "has an extra that is not a JSON object"),
        ({"extra": '{"proxies": "http://me:invented-token@proxy"}'}, "the extra proxies must be URLs by scheme"),
        ({"extra": '{"proxies": {"https": 3128}}'}, "the extra proxies must be URLs by scheme"),
        ({"host": "https://acme.zendesk.com/api/v2"}, "has more than a host"),
        ({"host": "https://me:invented-token@acme.zendesk.com"}, "has more than a host"),
        (
            {"password": None},
            "needs a login and a password; for an API token, the login is the e-mail address followed by",
        ),
        ({"login": None, "password": None}, "needs an access token in the password field"),
        (
            {"login": "client", "password": None},
            "needs the OAuth client's identifier as login and its secret as password",
        ),
        ({"login": None, "extra": '{"auth": "basic"}'}, "needs a login and a password"),
        ({"extra": '{"auth": "digest"}'}, "the extra auth must be one of basic, bearer, client_credentials"),
        ({"extra": '{"requests_per_minute": 0}'}, "the extra requests_per_minute must be a positive number"),
        ({"extra": '{"timeout": -1}'}, "the extra timeout must be a positive number"),
        ({"extra": '{"timeout": "soon"}'}, "the extra timeout must be a positive number"),
        ({"extra": '{"max_page_mebibytes": 0}'}, "the extra max_page_mebibytes must be a positive number"),
        ({"extra": '{"verify": false}'}, "TLS verification cannot be disabled"),
        ({"extra": '{"verify": "/no/such/bundle.pem"}'}, "must be the path of a CA bundle"),
    ],
)
def test_invalid_connection_is_refused_with_advice(members: dict[str, Any], reason: str) -> None:
    """Nothing is sent, and the secret is not in the message."""
    with pytest.raises(SettingsError, match=reason) as caught:
        ConnectionSettings.from_connection(connection(**members))
    assert "invented-token" not in str(caught.value)


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"login": "my_client ", "password": "invented-token"}, "login"),
        ({"login": "my client", "password": "invented-token"}, "login"),
        ({"login": "\u00a0my_client", "password": "invented-token"}, "login"),
        ({"login": "my_client", "password": "invented-token\n"}, "password"),
        ({"login": "my_client", "password": "invented-token invented-token"}, "password"),
        ({"login": None, "password": "invented-token\n"}, "password"),
        ({"login": "agent@example.com/token\t"}, "login"),
        ({"password": " invented-token"}, "password"),
        ({"password": "invented-\ntoken"}, "password"),
        ({"password": "\u200binvented-token"}, "password"),
    ],
)
def test_whitespace_that_was_pasted_is_named(members: dict[str, Any], field: str) -> None:
    """Zendesk would only answer that the credentials are wrong."""
    with pytest.raises(
        SettingsError, match=f"has whitespace in its {field}, probably pasted with it. Remove"
    ) as caught:
        ConnectionSettings.from_connection(connection(**members))
    assert "invented-token" not in str(caught.value)


@pytest.mark.parametrize("secret", ["pass phrase", "Schlüssel", "\ue000\U000ade65", "\U0002672f"])
def test_secret_with_any_visible_or_private_character_is_read(secret: str) -> None:
    """Fonts and Unicode versions differ in what they can print."""
    assert ConnectionSettings.from_connection(connection(password=secret)).secret == secret


def of_zendesk(conn_id: str) -> object:
    """Read the connection of an account."""
    return ZendeskHook(conn_id).connection_settings


def of_storage(conn_id: str) -> object:
    """Open a destination with the connection."""
    return open_destination(f"s3://{conn_id}@bucket/zendesk")


@pytest.mark.parametrize("use", [of_zendesk, of_storage])
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, r"There is no connection 'broken'\. Add it under Admin, Connections, or set AIRFLOW_CONN_BROKEN in"),
        ('{"host": "invented", ', r"AIRFLOW_CONN_BROKEN is not valid JSON: .* \(line 1, column \d+\)\. Correct it"),
        ("{'host': 'invented'}", r"AIRFLOW_CONN_BROKEN is not valid JSON: .* \(line 1, column \d\)"),
        ("invented", "AIRFLOW_CONN_BROKEN is neither JSON nor a URI"),
        ('["invented"]', "AIRFLOW_CONN_BROKEN is neither JSON nor a URI"),
        ('{"host": "acme", "hots": "invented"}', "AIRFLOW_CONN_BROKEN has an unknown field, or one of the wrong type"),
        ('{"host": "acme", "port": "invented"}', "AIRFLOW_CONN_BROKEN has an unknown field, or one of the wrong type"),
    ],
)
def test_connection_that_cannot_be_loaded_is_named(
    monkeypatch: pytest.MonkeyPatch, use: Callable[[str], object], value: str | None, reason: str
) -> None:
    """Airflow says of all of them that the connection is not defined, and AWS's hook would go on without it."""
    if value is not None:
        monkeypatch.setenv("AIRFLOW_CONN_BROKEN", value)
    with pytest.raises(SettingsError, match=reason) as caught:
        use("broken")
    assert "invented" not in str(caught.value)


def test_key_and_secret_in_a_url_are_not_repeated() -> None:
    """They are taken for the id of a connection."""
    with pytest.raises(SettingsError, match=r"There is no connection of that id\.") as caught:
        of_storage("invented-key:invented-secret")
    assert "invented" not in str(caught.value).lower()


def test_known_extras_are_read_and_unknown_ones_are_logged(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """The name of a misspelt extra is logged, and its value is not."""
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    extra = f'{{"timeout": 30, "verify": "{bundle}", "max_page_mebibytes": 2, "tiemout": "invented-value"}}'
    with caplog.at_level(logging.WARNING):
        account = ConnectionSettings.from_connection(connection(extra=extra))
    assert (30.0, str(bundle), 2_097_152) == (account.timeout, account.verify, account.max_page_bytes)
    assert ["The connection 'zd' has unknown extras, which are ignored: tiemout"] == caplog.messages


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
def test_authentication_follows_from_the_login(members: dict[str, Any], credentials: tuple[str, str, str]) -> None:
    """An e-mail address means a user, another login an OAuth client, and none a token; the extra auth overrides it."""
    account = ConnectionSettings.from_connection(connection(**members))
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
def test_connection_of_apaches_provider_is_read(
    login: str, extra: str, credentials: tuple[str, str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Its precedence is kept. Its extras are known only in a connection of its type."""
    account = ConnectionSettings.from_connection(
        connection(conn_type="zendesk", host="acme.zendesk.com", login=login, extra=extra)
    )
    assert credentials == (account.auth, account.login, account.secret)
    assert [] == caplog.messages
    ConnectionSettings.from_connection(connection(extra=extra))
    assert 1 == len(caplog.messages)


def test_api_token_and_password_are_deprecated_and_oauth_is_not() -> None:
    """The warning about API tokens has the date on which they end."""
    assert "2027-04-30" in (ConnectionSettings.from_connection(connection()).deprecation or "")
    assert "add /token to the e-mail address" in (
        ConnectionSettings.from_connection(connection(login="agent@example.com")).deprecation or ""
    )
    assert ConnectionSettings.from_connection(connection(login="my_client")).deprecation is None
    assert ConnectionSettings.from_connection(connection(login=None)).deprecation is None


def test_secrets_are_listed_in_every_encoding_and_not_in_the_repr() -> None:
    """The encodings are those of requests, URLs and logs."""
    account = ConnectionSettings.from_connection(connection(password="pä ss/w+rd"))
    encoded = base64.b64encode("agent@example.com/token:pä ss/w+rd".encode()).decode()
    variants = {"pä ss/w+rd", "p%C3%A4%20ss%2Fw%2Brd", "p%C3%A4+ss%2Fw%2Brd", r"p\u00e4 ss/w+rd"}
    assert variants | {encoded} == set(account.secrets())
    assert "ss/w" not in repr(account)


def test_password_of_a_proxy_is_a_secret_too() -> None:
    """It is part of a URL, where it may be percent-encoded."""
    account = ConnectionSettings.from_connection(
        connection(extra='{"proxies": {"https": "http://me:in%2Fvented@proxy:3128"}}')
    )
    assert {"in/vented", "in%2Fvented"} <= set(account.secrets())
    assert "vented" not in repr(account).replace("invented", "")
