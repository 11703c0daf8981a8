"""One request and its answer, whole or not at all: status, headers and a body within bounds, or a named error."""

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

from airflow_zendesk.exceptions import OversizedAnswerError, PageTimeoutError, TransportError

_CONNECT_SECONDS = 10.0
_CHUNK_BYTES = 65_536
_GZIP = 31  # zlib's window bits for a gzip header and trailer


@dataclass(frozen=True, slots=True)
class Response:
    """What came back; ``headers`` finds names whatever their case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class DeadlineAdapter(HTTPAdapter):
    """Sends requests over sockets that a deadline can shut.

    A read timeout starts anew with every byte, so a server that drips can hold a task for ever. Here a timer shuts the
    socket under the blocked read, in whichever phase the request is.
    """

    def __init__(self, **options: Any) -> None:
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        super().__init__(**options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pool manager; its connections register their sockets."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _pool_classes(self._sockets)

    def proxy_manager_for(self, proxy: str, **options: Any) -> urllib3.ProxyManager:
        """Make the pool manager of a proxy; its connections register their sockets."""
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _pool_classes(self._sockets)
        return manager

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[threading.Event]:
        """Shut the sockets after so many seconds; the event says whether that happened."""
        passed = threading.Event()

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


def _pool_classes(sockets: "weakref.WeakSet[socket.socket]") -> dict[str, type[HTTPConnectionPool]]:
    class Connection(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

    class SecureConnection(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

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
        TransportError: the connection or the answer broke.
        OversizedAnswerError: the body, compressed or not, has more than ``max_bytes``.
    """
    path = urlsplit(url).path
    adapter = session.get_adapter(url)
    assert isinstance(adapter, DeadlineAdapter)
    with (
        adapter.deadline(timeout) as passed,
        _named_faults(path, timeout, passed),
        session.request(
            method,
            url,
            params=params,
            json=json,
            timeout=(min(_CONNECT_SECONDS, timeout), timeout),
            stream=True,
            allow_redirects=False,
            # Given here too, or else REQUESTS_CA_BUNDLE would win over the connection's own bundle.
            verify=session.verify,
        ) as response,
    ):
        return Response(response.status_code, response.headers, _read(response, path, max_bytes))


@contextmanager
def _named_faults(path: str, timeout: float, passed: threading.Event) -> Iterator[None]:
    """Give what goes wrong in the libraries below one of our names; their texts quote hosts, proxies and bodies."""
    too_late = PageTimeoutError(path, f"it took longer than {timeout:g} s")
    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError, zlib.error, OSError) as error:
        if passed.is_set() or isinstance(error, requests.Timeout):
            raise too_late from None
        raise TransportError(path, type(error).__name__) from None
    # A connection that is shut among the headers, or in the size of a chunk, looks like a short answer.
    if passed.is_set():
        raise too_late


def _read(response: requests.Response, path: str, max_bytes: int) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"gzip", "identity", ""}:
        raise TransportError(path, f"a content encoding that was not asked for ({encoding[:40]})")
    chunks = response.raw.stream(_CHUNK_BYTES, decode_content=False)
    if encoding == "gzip":
        chunks = _gunzip(chunks)
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            raise OversizedAnswerError(path, max_bytes)
    return bytes(body)


def _gunzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Inflate one gzip stream in small pieces, so that a bomb is found while it is small."""
    inflater = zlib.decompressobj(_GZIP)
    begun = False
    for chunk in chunks:
        begun = True
        waiting = chunk
        while waiting:
            yield inflater.decompress(waiting, _CHUNK_BYTES)
            waiting = inflater.unconsumed_tail
    if begun and (not inflater.eof or inflater.unused_data):
        raise zlib.error("the gzip stream is cut, or goes on after its end")
