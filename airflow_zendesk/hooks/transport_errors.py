"""The errors of requests and urllib3, translated into errors of this package that name the cause."""

import ssl
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import requests
import urllib3

from airflow_zendesk.exceptions import PageTimeoutError, SettingsError, TransportError

#: Causes of a connection that failed, the more specific first.
_CAUSES: dict[type[BaseException], str] = {
    urllib3.exceptions.NameResolutionError: "the host name cannot be resolved",
    urllib3.exceptions.ProxyError: "the proxy cannot be reached",
    ConnectionRefusedError: "the connection was refused",
    ConnectionResetError: "the connection was reset",
    ssl.SSLError: "the TLS handshake failed",
    urllib3.exceptions.ConnectTimeoutError: "the host cannot be reached in time",
}


@contextmanager
def translate_transport_errors(path: str, timeout: float, passed: threading.Event) -> Iterator[None]:
    """Translate the errors of the libraries, without their texts, which quote hosts, proxies and bodies."""
    timed_out = PageTimeoutError(path, f"it took longer than {timeout:g} s")
    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError, zlib.error, OSError) as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise SettingsError(
                f"The TLS certificate of the server for {path} is not trusted on this worker. Check the connection's "
                "host, or set the extra verify to the path of your network's CA bundle."
            ) from None
        # A connect timeout does not mean that the page was too large.
        late = passed.is_set() or isinstance(error, requests.Timeout)
        if late and not isinstance(error, requests.ConnectTimeout):
            raise timed_out from None
        raise TransportError(path, _cause(error)) from None
    # A socket that was shut within the headers, or within the size of a chunk, looks like a short response.
    if passed.is_set():
        raise timed_out


def _cause(error: BaseException) -> str:
    """The cause, from the most specific known error; only its class is used, because its text quotes the host."""
    chain: list[BaseException] = []
    pending = [error]
    while pending:
        each = pending.pop()
        if each not in chain:
            chain.append(each)
            nested = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
            pending += [inner for inner in nested if isinstance(inner, BaseException)]
    for cls, cause in _CAUSES.items():
        if any(isinstance(each, cls) for each in chain):
            return f"{cause} ({type(error).__name__})"
    return type(error).__name__
