"""An Airflow connection, read as a Zendesk account: where it is, who asks, and how.

Only what is listed here is taken from the connection; above all, an extra never becomes an HTTP header.
"""

import base64
import json
import logging
import math
import re
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
EXTRAS = {"auth", "timeout", "max_page_mebibytes", "requests_per_minute", "verify", "proxies", "hash_key"}
#: Shorter ones could be found by trying.
_SHORTEST_HASH_KEY = 32
#: The extras of connections of Apache's own Zendesk provider, whose type is ``zendesk``.
_APACHE_TYPE, _APACHE_EXTRAS = "zendesk", {"use_token", "token", "oauth_token"}

#: Seconds that one request may take in all; the slowest honest pages take most of a minute.
DEFAULT_TIMEOUT = 120.0
#: Twenty thousand comments in one second, which Zendesk answers as one page, fit several times.
DEFAULT_MAX_PAGE_MEBIBYTES = 256.0

_NEEDED = {
    "basic": "a login and a password; for an API token, the login is the e-mail address with /token behind it",
    "bearer": "an access token in the password field, without spaces or line breaks",
    "client_credentials": "the client's identifier as login and its secret as password",
}


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """Where an account is, and who asks.

    Args:
        base_url: scheme and host, nothing behind.
        auth: ``basic``, ``bearer`` (an OAuth access token) or ``client_credentials`` (an OAuth client's).
        login: e-mail address, with ``/token`` behind it for an API token; or the client's identifier; or nothing.
        secret: password, API token, access token or client secret.
        timeout: seconds that one request may take in all.
        max_page_bytes: how large one answer may be, compressed or not.
        requests_per_minute: how many requests a run may send; None for all that Zendesk allows.
        verify: path of a CA bundle, or True for the system's; never False.
        proxies: proxy URL by scheme.
        hash_key: the key of hashed fields.
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
    def of(cls, connection: Connection) -> Self:
        """Read the connection.

        Raises:
            SettingsError: something is missing or of no use, or TLS verification is switched off.
        """
        name = f"The connection {connection.conn_id!r}"
        extra = _extra(connection, name)
        known = EXTRAS | (_APACHE_EXTRAS if connection.conn_type == _APACHE_TYPE else set())
        if unknown := sorted(extra.keys() - known):
            logger.warning("%s has extras that are not used: %s", name, ", ".join(unknown))
        auth, login, secret = _credentials(connection, extra, name)
        cap = _positive(extra, "requests_per_minute", math.inf, name)
        return cls(
            base_url=_base_url(connection, name),
            auth=auth,
            login=login,
            secret=secret,
            timeout=_positive(extra, "timeout", DEFAULT_TIMEOUT, name),
            max_page_bytes=int(_positive(extra, "max_page_mebibytes", DEFAULT_MAX_PAGE_MEBIBYTES, name) * 2**20),
            requests_per_minute=None if math.isinf(cap) else math.ceil(cap),
            verify=_verify(extra.get("verify"), name),
            proxies=_proxies(extra.get("proxies") or {}, name),
            hash_key=_hash_key(extra.get("hash_key"), name),
        )

    @property
    def name(self) -> str:
        """The host: the name under which a dataset remembers its account."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def remark(self) -> str | None:
        """What the owner of these credentials should know about their future."""
        if self.auth != "basic":
            return None
        if self.login.endswith("/token"):
            return (
                "This connection uses an API token. Zendesk switches all of them off on 2027-04-30, and those that are "
                "idle for 30 days before: change to an OAuth client, as the README says."
            )
        return (
            "This connection uses a password, which Zendesk has not taken since January 2026. If it is an API token, "
            "put /token behind the e-mail address; better, change to an OAuth client, as the README says."
        )

    def secrets(self) -> Iterator[str]:
        """The secrets in every form in which they travel or could be printed."""
        yield from secret_variants(self.secret)
        yield base64.b64encode(f"{self.login}:{self.secret}".encode()).decode()
        if self.hash_key:
            yield from secret_variants(self.hash_key)
        for proxy in self.proxies.values():
            if password := urlsplit(proxy).password:
                yield from secret_variants(unquote(password))


def secret_variants(secret: str) -> Iterator[str]:
    """A secret as it is, and as a URL, a JSON body or a log might show it."""
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]


def _extra(connection: Connection, name: str) -> dict[str, Any]:
    extra: Any = connection.extra_dejson
    # Airflow takes one that it cannot read for an empty one.
    if not isinstance(extra, dict) or (not extra and "".join((connection.extra or "").split()) not in {"", "{}"}):
        raise SettingsError(f"{name}: its extra is no JSON object.")
    return extra


def _credentials(connection: Connection, extra: Mapping[str, Any], name: str) -> tuple[Auth, str, str]:
    login, secret = connection.login or "", connection.password or ""
    chosen: Auth | None = extra.get("auth") or None
    if connection.conn_type == _APACHE_TYPE and chosen is None:
        # In the order of that provider, which knows no OAuth client: what is filled in is a user's.
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
    if not secret or (chosen != "bearer" and not login) or (chosen == "bearer" and not is_token(secret)):
        raise SettingsError(f"{name} needs {_NEEDED[chosen]}.")
    return chosen, login, secret


def _base_url(connection: Connection, name: str) -> str:
    host = (connection.host or "").strip().rstrip("/")
    advice = "the host is the account's subdomain, like acme, or its address, like acme.zendesk.com"
    if not host:
        raise SettingsError(f"{name} has no host: {advice}.")
    default_scheme = connection.schema if connection.schema in {"http", "https"} else "https"
    try:
        url = urlsplit(host.lower() if "://" in host else f"{default_scheme}://{host.lower()}")
        hostname, port = url.hostname or "", url.port or connection.port
    except ValueError:  # no port, or half an IPv6 address
        raise SettingsError(f"{name} has a host that is none: {advice}.") from None
    if "@" in url.netloc or url.path or url.query or url.fragment:
        raise SettingsError(f"{name} has more than a host in its host field: {advice}.")
    if hostname in _LOOPBACK:
        return f"{url.scheme}://{f'[{hostname}]' if ':' in hostname else hostname}{f':{port}' if port else ''}"
    if url.scheme != "https":
        raise SettingsError(f"{name} asks for {url.scheme}: credentials only travel by https.")
    subdomain = hostname.removesuffix(_ZENDESK)
    if not _SUBDOMAIN.fullmatch(subdomain) or port:
        raise SettingsError(f"{name} does not name a Zendesk account: {advice}.")
    return f"https://{subdomain}{_ZENDESK}"


def _verify(verify: Any, name: str) -> str | bool:
    if verify is None or verify is True or verify == "":
        return True
    if isinstance(verify, str) and Path(verify).exists():
        return verify
    raise SettingsError(
        f"{name}: the extra verify must be the path of a CA bundle on the worker; TLS verification is never off."
    )


def _proxies(proxies: Any, name: str) -> dict[str, str]:
    if isinstance(proxies, dict) and all(isinstance(url, str) and "://" in url for url in proxies.values()):
        return proxies
    raise SettingsError(f'{name}: the extra proxies must be URLs by scheme, like {{"https": "http://proxy:3128"}}.')


def _hash_key(key: Any, name: str) -> str | None:
    if key is None or key == "":
        return None
    if isinstance(key, str) and len(key) >= _SHORTEST_HASH_KEY:
        return key
    raise SettingsError(f"{name}: the extra hash_key must be a text of {_SHORTEST_HASH_KEY} characters or more.")


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
