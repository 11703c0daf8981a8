"""One request and its answer, whole or not at all: status, headers and a body within bounds, or a named error."""

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

from airflow_zendesk.exceptions import OversizedResponseError, PageTimeoutError, SettingsError, TransportError

_CONNECT_SECONDS = 10.0
_CHUNK_BYTES = 65_536
_GZIP = 31  # zlib's window bits for a gzip header and trailer
#: Encodings that are told by name when they come unasked; another header's text could be anything.
_ENCODINGS = {"br", "compress", "deflate", "gzip", "zstd"}


@dataclass(frozen=True, slots=True)
class Response:
    """What came back; ``headers`` finds names whatever their case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Session(requests.Session):
    """A session for which no answer is a redirect.

    ``allow_redirects=False`` is not enough: requests would still read the body of a redirect, all of it, to look where
    it leads.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere."""


class DeadlineAdapter(HTTPAdapter):
    """Sends requests over sockets that a deadline can shut.

    A read timeout starts anew with every byte, so a server that drips can hold a task for ever. Here a timer shuts the
    socket under the blocked read, in whichever phase the request is.
    """

    def __init__(self, **options: Any) -> None:
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._passed = threading.Event()
        super().__init__(**options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pool manager; its connections register their sockets."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _pool_classes(self)

    def proxy_manager_for(self, proxy: str, **options: Any) -> urllib3.ProxyManager:
        """Make the pool manager of a proxy; its connections register their sockets."""
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _pool_classes(self)
        return manager

    def watch(self, new_socket: socket.socket) -> None:
        """Let the deadline shut this socket too.

        Raises:
            TimeoutError: it passed while the socket was being opened.
        """
        self._sockets.add(new_socket)
        if self._passed.is_set():
            new_socket.close()
            raise TimeoutError

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[threading.Event]:
        """Shut the sockets after so many seconds; the event says whether that happened."""
        self._passed = passed = threading.Event()

        def shut() -> None:
            passed.set()
            for open_socket in list(self._sockets):
                try:
                    # Not SSLSocket's own method, which would take the TLS state from under the reading thread.
                    socket.socket.shutdown(open_socket, socket.SHUT_RDWR)
                except OSError:  # closed meanwhile
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
    """An answer whose headers are whole, or none: urllib3 would log what it cannot read of them, and go on."""

    def begin(self) -> None:
        super().begin()
        try:
            assert_header_parsing(self.msg)
        except urllib3.exceptions.HeaderParsingError:
            raise http.client.HTTPException("headers that cannot be read") from None


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
            # A proxy may drip its answer to CONNECT, before there is any TLS.
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
    """Send one request and read all of its answer. A redirect is an answer too: it is never followed.

    Raises:
        PageTimeoutError: there was no whole answer within ``timeout`` seconds.
        TransportError: there was no connection, or it or the answer broke.
        OversizedResponseError: the body, compressed or not, has more than ``max_bytes``.
        SettingsError: the server's TLS certificate is not one that is trusted here.
    """
    path = urlsplit(url).path
    adapter = session.get_adapter(url)
    assert isinstance(adapter, DeadlineAdapter)
    # Before the clock runs: the session may have to fetch a token first, by a request of its own.
    request = session.prepare_request(requests.Request(method, url, params=params, json=json))
    # verify is given here too, or else REQUESTS_CA_BUNDLE would win over the connection's own bundle.
    settings = session.merge_environment_settings(url, {}, stream=True, verify=session.verify, cert=None)
    with (
        adapter.deadline(timeout) as passed,
        _translate_errors(path, timeout, passed),
        session.send(
            request, timeout=(min(_CONNECT_SECONDS, timeout), timeout), allow_redirects=False, **settings
        ) as response,
    ):
        return Response(response.status_code, response.headers, _read(response, path, max_bytes))


@contextmanager
def _translate_errors(path: str, timeout: float, passed: threading.Event) -> Iterator[None]:
    """Give what goes wrong in the libraries below one of our names; their texts quote hosts, proxies and bodies."""
    too_late = PageTimeoutError(path, f"it took longer than {timeout:g} s")
    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError, zlib.error, OSError) as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise SettingsError(
                f"The TLS certificate that answers to {path} is not trusted on this worker: check the connection's "
                "host, or name the CA bundle of your network in the extra verify."
            ) from None
        # No connection is no page that was too large.
        late = passed.is_set() or isinstance(error, requests.Timeout)
        if late and not isinstance(error, requests.ConnectTimeout):
            raise too_late from None
        raise TransportError(path, type(error).__name__) from None
    # A connection that is shut among the headers, or in the size of a chunk, looks like a short answer.
    if passed.is_set():
        raise too_late


def _read(response: requests.Response, path: str, max_bytes: int) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"gzip", "identity", ""}:
        layers = [layer.strip() for layer in encoding.split(",")]
        named = encoding if len(layers) <= len(_ENCODINGS) and set(layers) <= _ENCODINGS else "an unknown one"
        raise TransportError(path, f"a content encoding that was not asked for ({named})")
    chunks = _bounded(response.raw.stream(_CHUNK_BYTES, decode_content=False), path, max_bytes)
    if encoding == "gzip":
        chunks = _bounded(_gunzip(chunks), path, max_bytes)
    return b"".join(chunks)


def _bounded(chunks: Iterator[bytes], path: str, max_bytes: int) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > max_bytes:
            raise OversizedResponseError(path, max_bytes)
        yield chunk


def _gunzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Inflate one gzip stream in small pieces, so that a bomb is found while it is small."""
    inflater = zlib.decompressobj(_GZIP)
    begun = False
    for chunk in chunks:
        begun = True
        waiting = chunk
        while waiting:
            # What comes after the end would be collected without a bound.
            if inflater.eof:
                raise zlib.error("the gzip stream goes on after its end")
            yield inflater.decompress(waiting, _CHUNK_BYTES)
            waiting = inflater.unconsumed_tail or inflater.unused_data
    if begun and not inflater.eof:
        raise zlib.error("the gzip stream is cut")
