"""Send one request and read its whole response within a deadline and a size limit, or raise a ``ZendeskError``.

The public API of the libraries can neither shut a socket in every phase of a request nor refuse headers that cannot be
parsed. So private or undocumented names are used: ``_new_conn``, ``ConnectionCls``, ``pool_classes_by_scheme`` and
``assert_header_parsing`` of urllib3; ``_tunnel``, ``response_class`` and ``HTTPResponse.begin`` of http.client; and
``get_redirect_target`` of requests. ``test_private_names_of_the_libraries_are_used`` fails if an upgrade changes one.
"""

import http.client
import socket
import threading
import weakref
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.response import assert_header_parsing

from airflow_zendesk.exceptions import OversizedResponseError, TransportError
from airflow_zendesk.hooks.transport_errors import translate_transport_errors

_CONNECT_SECONDS = 10.0
_CHUNK_BYTES = 65_536
_GZIP = 31  # zlib's window bits for a gzip header and trailer
#: Encodings that an error may name; any other header text could contain anything.
_ENCODINGS = {"br", "compress", "deflate", "gzip", "zstd"}


@dataclass(frozen=True, slots=True)
class Response:
    """A response; ``headers`` must be case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Session(requests.Session):
    """A session without redirects; with ``allow_redirects=False`` alone, requests reads the body of one to its end."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None: a redirect has no target."""


class DeadlineAdapter(HTTPAdapter):
    """An adapter with a deadline for the whole request.

    A read timeout restarts with every byte, so a server that sends slowly could block a task forever. Here a timer
    shuts the socket under the blocked read, in any phase of the request.
    """

    def __init__(self, **options: Any) -> None:
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._passed = threading.Event()
        super().__init__(**options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Create the pool manager with connections that register their sockets."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _pool_classes(self)

    def proxy_manager_for(self, proxy: str, **options: Any) -> urllib3.ProxyManager:
        """Create the pool manager of a proxy with connections that register their sockets."""
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _pool_classes(self)
        return manager

    def watch(self, new_socket: socket.socket) -> None:
        """Register a socket, so that the deadline can shut it.

        Raises:
            TimeoutError: the deadline passed while the socket was being opened.
        """
        self._sockets.add(new_socket)
        if self._passed.is_set():
            new_socket.close()
            raise TimeoutError

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[threading.Event]:
        """Shut all registered sockets after a number of seconds; the event is set if that happens."""
        self._passed = passed = threading.Event()

        def shut() -> None:
            passed.set()
            for open_socket in list(self._sockets):
                try:
                    # Not SSLSocket's own method, which would discard the TLS state that the reading thread is using.
                    socket.socket.shutdown(open_socket, socket.SHUT_RDWR)
                except OSError:  # already closed
                    continue

        timer = threading.Timer(seconds, shut)
        timer.daemon = True
        timer.start()
        try:
            yield passed
        finally:
            timer.cancel()
            self._passed = threading.Event()


class _StrictResponse(http.client.HTTPResponse):
    """A response that raises if its headers cannot be parsed; urllib3 would only log it."""

    def begin(self) -> None:
        super().begin()
        try:
            assert_header_parsing(self.msg)
        except urllib3.exceptions.HeaderParsingError:
            raise http.client.HTTPException("the headers cannot be parsed") from None


def _pool_classes(adapter: DeadlineAdapter) -> dict[str, type[HTTPConnectionPool]]:
    class Connection(HTTPConnection):
        response_class = _StrictResponse

        def _new_conn(self) -> socket.socket:
            new_socket = super()._new_conn()
            adapter.watch(new_socket)
            return new_socket

    class SecureConnection(HTTPSConnection):
        response_class = _StrictResponse

        def _new_conn(self) -> socket.socket:
            new_socket = super()._new_conn()
            adapter.watch(new_socket)
            return new_socket

        def _tunnel(self) -> None:
            # A proxy may respond to CONNECT slowly, before TLS starts.
            super()._tunnel()
            adapter.watch(self.sock)

        def connect(self) -> None:
            super().connect()
            adapter.watch(self.sock)

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}


def exchange(
    session: requests.Session,
    method: str,
    url: str,
    *,
    params: Mapping[str, str | int] | None = None,
    json: Mapping[str, str] | None = None,
    timeout: float,
    max_bytes: int,
) -> Response:
    """Send one request and read the whole response. Redirects are returned, never followed.

    Raises:
        PageTimeoutError: the response was not complete within ``timeout`` seconds.
        TransportError: no connection, or the connection or the response broke.
        OversizedResponseError: the body, compressed or not, has more than ``max_bytes``.
        SettingsError: the server's TLS certificate is not trusted.
    """
    path = urlsplit(url).path
    adapter = session.get_adapter(url)
    assert isinstance(adapter, DeadlineAdapter)
    # Before the deadline starts: the session may first fetch a token, with a request of its own.
    request = session.prepare_request(requests.Request(method, url, params=params, json=json))
    # verify is passed here too; otherwise REQUESTS_CA_BUNDLE would take precedence over the connection's bundle.
    settings = session.merge_environment_settings(url, {}, stream=True, verify=session.verify, cert=None)
    with (
        adapter.deadline(timeout) as passed,
        translate_transport_errors(path, timeout, passed),
        session.send(
            request, timeout=(min(_CONNECT_SECONDS, timeout), timeout), allow_redirects=False, **settings
        ) as response,
    ):
        return Response(response.status_code, response.headers, _read(response, path, max_bytes))


def _read(response: requests.Response, path: str, max_bytes: int) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"gzip", "identity", ""}:
        layers = [layer.strip() for layer in encoding.split(",")]
        known = encoding if len(layers) <= len(_ENCODINGS) and set(layers) <= _ENCODINGS else "an unknown one"
        raise TransportError(path, f"a content encoding that was not requested ({known})")
    chunks = _limited(response.raw.stream(_CHUNK_BYTES, decode_content=False), path, max_bytes)
    if encoding == "gzip":
        chunks = _limited(_gunzip(chunks), path, max_bytes)
    return b"".join(chunks)


def _limited(chunks: Iterator[bytes], path: str, max_bytes: int) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > max_bytes:
            raise OversizedResponseError(path, max_bytes)
        yield chunk


def _gunzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress one gzip stream in small chunks, so that a decompression bomb is stopped early."""
    inflater = zlib.decompressobj(_GZIP)
    started = False
    for chunk in chunks:
        started = True
        compressed = chunk
        while compressed:
            # zlib would collect data after the end of the stream without a limit.
            if inflater.eof:
                raise zlib.error("data after the end of the gzip stream")
            yield inflater.decompress(compressed, _CHUNK_BYTES)
            compressed = inflater.unconsumed_tail or inflater.unused_data
    if started and not inflater.eof:
        raise zlib.error("the gzip stream is truncated")
