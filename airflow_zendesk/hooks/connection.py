"""Read an Airflow connection to a Zendesk account.

Only the fields listed here are read. In particular, an extra never becomes an HTTP header, as it does in ``HttpHook``.
"""

import base64
import json
import logging
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, get_args
from urllib.parse import quote, quote_plus, unquote, urlsplit

from airflow.sdk import Connection

from airflow_zendesk.exceptions import SettingsError
from airflow_zendesk.zendesk.oauth import is_token

logger = logging.getLogger(__name__)

Auth = Literal["basic", "bearer", "client_credentials"]

_SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ZENDESK = ".zendesk.com"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_HTTPS_PORT = 443
EXTRAS = {"auth", "timeout", "max_page_mebibytes", "requests_per_minute", "verify", "proxies", "hash_key"}
#: Hashes under shorter keys could be reversed by trying all keys.
_MIN_HASH_KEY_LENGTH = 32
#: The connection type of Apache's own Zendesk provider, and its extras.
_APACHE_TYPE, _APACHE_EXTRAS = "zendesk", {"use_token", "token", "oauth_token"}

#: Seconds for one request; the slowest pages take most of a minute.
DEFAULT_TIMEOUT = 120.0
#: Several times the largest page expected: 20,000 comments in one second, which Zendesk returns as one page.
DEFAULT_MAX_PAGE_MEBIBYTES = 256.0

_NEEDED = {
    "basic": "a login and a password; for an API token, the login is the e-mail address followed by /token",
    "bearer": "an access token in the password field, without spaces or line breaks",
    "client_credentials": "the OAuth client's identifier as login and its secret as password",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """The settings of a connection to a Zendesk account.

    Args:
        base_url: scheme and host, without a path.
        auth: ``basic``, ``bearer`` (an OAuth access token) or ``client_credentials`` (an OAuth client).
        login: e-mail address, followed by ``/token`` for an API token; or the client's identifier; or empty.
        secret: password, API token, access token or client secret.
        timeout: seconds for one request, from connecting to the last byte.
        max_page_bytes: the largest body of a response, compressed or not.
        requests_per_minute: the most requests of a run; None for Zendesk's own limit.
        verify: path of a CA bundle, or True for the system's; never False.
        proxies: proxy URL by scheme.
        hash_key: the key for hashed fields.
    """

    base_url: str
    auth: Auth
    login: str
    secret: str = field(repr=False)
    timeout: float = DEFAULT_TIMEOUT
    max_page_bytes: int = int(DEFAULT_MAX_PAGE_MEBIBYTES * 2**20)
    requests_per_minute: int | None = None
    verify: str | bool = True
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    hash_key: str | None = field(default=None, repr=False)

    @classmethod
    def from_connection(cls, connection: Connection) -> Self:
        """Read and validate the connection.

        Raises:
            SettingsError: a field is missing or invalid, or TLS verification is switched off.
        """
        name = f"The connection {connection.conn_id!r}"
        extra = _extra(connection, name)
        known = EXTRAS | (_APACHE_EXTRAS if connection.conn_type == _APACHE_TYPE else set())
        if unknown := sorted(extra.keys() - known):
            logger.warning("%s has unknown extras, which are ignored: %s", name, ", ".join(unknown))
        auth, login, secret = _credentials(connection, extra, name)
        max_requests = _positive(extra, "requests_per_minute", math.inf, name)
        return cls(
            base_url=_base_url(connection, name),
            auth=auth,
            login=login,
            secret=secret,
            timeout=_positive(extra, "timeout", DEFAULT_TIMEOUT, name),
            max_page_bytes=int(_positive(extra, "max_page_mebibytes", DEFAULT_MAX_PAGE_MEBIBYTES, name) * 2**20),
            requests_per_minute=None if math.isinf(max_requests) else math.ceil(max_requests),
            verify=_verify(extra.get("verify"), name),
            proxies=_proxies(extra.get("proxies") or {}, name),
            hash_key=_hash_key(extra.get("hash_key"), name),
        )

    @property
    def host(self) -> str:
        """The host; a dataset stores it as the name of its account."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def deprecation(self) -> str | None:
        """A warning if Zendesk is removing this kind of credentials, or None."""
        if self.auth != "basic":
            return None
        if self.login.endswith("/token"):
            return (
                "This connection uses an API token. Zendesk switches all API tokens off on 2027-04-30, and before that "
                "every token that is idle for 30 days. Change to an OAuth client, as described in docs/connect.md."
            )
        return (
            "This connection uses a password, which Zendesk no longer accepts since January 2026. Change to an OAuth "
            "client, as described in docs/connect.md; if the password is an API token, add /token to the e-mail "
            "address."
        )

    def secrets(self) -> Iterator[str]:
        """The secrets in every encoding in which they are sent or could be printed."""
        yield from secret_variants(self.secret)
        yield base64.b64encode(f"{self.login}:{self.secret}".encode()).decode()
        if self.hash_key:
            yield from secret_variants(self.hash_key)
        for proxy in self.proxies.values():
            if password := urlsplit(proxy).password:
                yield from secret_variants(unquote(password))


def secret_variants(secret: str) -> Iterator[str]:
    """A secret as it is, and as it appears in a URL, a JSON body or a log."""
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]


def _extra(connection: Connection, name: str) -> dict[str, Any]:
    extra: Any = connection.extra_dejson
    # Airflow returns an empty dict for an extra that it cannot parse.
    if not isinstance(extra, dict) or (not extra and "".join((connection.extra or "").split()) not in {"", "{}"}):
        raise SettingsError(f"{name} has an extra that is not a JSON object. Correct it.")
    return extra


def _credentials(connection: Connection, extra: Mapping[str, Any], name: str) -> tuple[Auth, str, str]:
    login, secret = connection.login or "", connection.password or ""
    # The connection form saves "auto" for no choice.
    chosen: Auth | None = None if extra.get("auth") in ("", "auto") else extra.get("auth")
    if connection.conn_type == _APACHE_TYPE and chosen is None:
        # The precedence of that provider, which has no OAuth clients: the login is always a user's.
        chosen = "basic"
        if extra.get("use_token") or extra.get("token"):
            login = f"{login.removesuffix('/token')}/token"
            secret = secret if extra.get("use_token") else str(extra["token"])
        elif extra.get("oauth_token"):
            secret, chosen = str(extra["oauth_token"]), "bearer"
    if chosen is None:
        chosen = "basic" if "@" in login else "client_credentials" if login else "bearer"
    if chosen not in get_args(Auth):
        raise SettingsError(f"{name}: the extra auth must be one of {', '.join(get_args(Auth))}.")
    _refuse_whitespace(login, "login", chosen, name)
    _refuse_whitespace(secret, "password", chosen, name)
    if not secret or (chosen != "bearer" and not login) or (chosen == "bearer" and not is_token(secret)):
        raise SettingsError(f"{name} needs {_NEEDED[chosen]}.")
    return chosen, login, secret


def _refuse_whitespace(value: str, field_name: str, auth: Auth, name: str) -> None:
    """Passwords may contain spaces; nothing may start or end with one, and an OAuth client contains none.

    Nothing contains line breaks, control characters or characters without width, such as U+200B.
    """
    invisible = {"Cc", "Cf", "Zl", "Zp", "Zs"}
    is_padded = value != value.strip() or any(unicodedata.category(c) in invisible for c in value.replace(" ", ""))
    if is_padded or (auth == "client_credentials" and len(value.split()) > 1):
        raise SettingsError(
            f"{name} has whitespace in its {field_name}, probably pasted with it. Remove spaces and line breaks."
        )


def _base_url(connection: Connection, name: str) -> str:
    advice = "Use the account's subdomain, like acme, or its address, like acme.zendesk.com"
    scheme, _, host = (connection.host or "").strip().lower().rpartition("://")
    host = host.rstrip("/")
    if not host:
        raise SettingsError(f"{name} has no host. {advice}.")
    try:
        url = urlsplit(f"{scheme or (connection.schema if connection.schema == 'http' else 'https')}://{host}")
        hostname, port = url.hostname or "", url.port or connection.port
    except ValueError:  # a port that is not a number, or half of an IPv6 address
        raise SettingsError(f"{name} has an invalid host. {advice}.") from None
    if "@" in url.netloc or url.path or url.query or url.fragment:
        raise SettingsError(f"{name} has more than a host in its host field. {advice}.")
    if hostname in _LOOPBACK:
        return f"{url.scheme}://{f'[{hostname}]' if ':' in hostname else hostname}{f':{port}' if port else ''}"
    if url.scheme != "https":
        raise SettingsError(f"{name} uses {url.scheme}. Use https: credentials are never sent without encryption.")
    subdomain = hostname.removesuffix(_ZENDESK)
    if not _SUBDOMAIN.fullmatch(subdomain):
        raise SettingsError(f"{name} has a host that is not a Zendesk account. {advice}.")
    if port and port != _HTTPS_PORT:
        raise SettingsError(f"{name} has the port {port}, but Zendesk uses {_HTTPS_PORT} only. Remove the port.")
    return f"https://{subdomain}{_ZENDESK}"


def _verify(verify: Any, name: str) -> str | bool:
    if verify is None or verify is True or verify == "":
        return True
    if isinstance(verify, str) and Path(verify).exists():
        return verify
    raise SettingsError(
        f"{name}: the extra verify must be the path of a CA bundle on the worker. TLS verification cannot be disabled."
    )


def _proxies(proxies: Any, name: str) -> dict[str, str]:
    if isinstance(proxies, dict) and all(isinstance(url, str) and "://" in url for url in proxies.values()):
        return proxies
    raise SettingsError(f'{name}: the extra proxies must be URLs by scheme, like {{"https": "http://proxy:3128"}}.')


def _hash_key(key: Any, name: str) -> str | None:
    if key is None or key == "":
        return None
    if isinstance(key, str) and len(key) >= _MIN_HASH_KEY_LENGTH:
        return key
    raise SettingsError(f"{name}: the extra hash_key must be a text of at least {_MIN_HASH_KEY_LENGTH} characters.")


def _positive(extra: Mapping[str, Any], key: str, default: float, name: str) -> float:
    value = extra.get(key)
    if value is None or value == "":
        return default
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0.0
    if not 0 < number < math.inf:
        raise SettingsError(f"{name}: the extra {key} must be a positive number.")
    return number
