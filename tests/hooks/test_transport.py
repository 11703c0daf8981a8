"""Sending one request and reading its whole response."""

import contextlib
import gzip
import http.client
import logging
import os
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import pytest
import requests
import urllib3
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.auth import AuthBase

from airflow_zendesk.exceptions import OversizedResponseError, PageTimeoutError, TransportError, ZendeskError
from airflow_zendesk.hooks import transport
from tests.support.scripted_server import Reply, ScriptedServer, scripted_server

TIMEOUT = 0.5
Behaviour = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """A session like that of the hook, without credentials."""
    with transport.Session() as session:
        session.mount("http://", transport.DeadlineAdapter())
        session.mount("https://", transport.DeadlineAdapter())
        yield session


def get(session: requests.Session, server: ScriptedServer, timeout: float = TIMEOUT) -> transport.Response:
    """Request a path, which errors may name, with a query, which they may not."""
    return transport.exchange(
        session, "GET", server.url + "/path", params={"q": "query"}, timeout=timeout, max_bytes=10_000
    )


def test_response_is_read_completely(session: requests.Session) -> None:
    """Headers are case-insensitive, and the body may be compressed."""
    compressed = Reply(gzip.compress(b"hello"), 404, {"Content-Encoding": "GZIP", "X-Some": "thing"})
    with scripted_server(compressed, Reply(b"plain"), Reply(b"", 503, {"Content-Encoding": "gzip"})) as server:
        answer = get(session, server)
        assert (404, "thing", b"hello") == (answer.status, answer.headers["x-sOME"], answer.body)
        assert b"plain" == get(session, server).body
        assert (503, b"") == (get(session, server).status, get(session, server).body)
    assert "/path?q=query" == server.paths[0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/elsewhere", "http://127.0.0.1:9/", "//elsewhere", "http://[", "\xff"])
def test_redirects_are_returned_and_not_followed(session: requests.Session, status: int, location: str) -> None:
    """No request is sent elsewhere, whoever uses the session."""
    with scripted_server(Reply(b"body", status, {"Location": location})) as server:
        assert (status, b"body") == (get(session, server).status, get(session, server).body)
        assert status == session.get(server.url, timeout=TIMEOUT, allow_redirects=True).status_code
    assert 3 == len(server.paths)


def test_body_of_a_redirect_is_limited_too(session: requests.Session) -> None:
    """By default, requests would read all of it."""
    bomb = Reply(gzip.compress(bytes(20_000_000)), 302, {"Location": "/elsewhere", "Content-Encoding": "gzip"})
    with scripted_server(bomb) as server, pytest.raises(OversizedResponseError):
        get(session, server)


def test_private_names_of_the_libraries_are_used(session: requests.Session) -> None:
    """An upgrade that renames one, or stops using it, would switch the deadline or the check of headers off."""
    assert callable(urllib3.connection.HTTPConnection._new_conn)
    assert callable(urllib3.connection.HTTPSConnection._new_conn)
    assert hasattr(http.client.HTTPConnection, "_tunnel")
    for scheme in ("http://", "https://"):
        adapter = session.get_adapter(scheme)
        assert isinstance(adapter, transport.DeadlineAdapter)
        assert adapter.poolmanager.pool_classes_by_scheme.keys() == {"http", "https"}
        pool = adapter.poolmanager.connection_from_url(f"{scheme}127.0.0.1:9")
        assert pool.ConnectionCls.response_class is transport._StrictResponse
        assert isinstance(pool._new_conn(), pool.ConnectionCls)
    with scripted_server(Reply(b"ok"), Reply(b"", 302, {"Location": "/elsewhere"})) as server:
        adapter = session.get_adapter(server.url)
        assert isinstance(adapter, transport.DeadlineAdapter)
        response = session.get(server.url, timeout=TIMEOUT, stream=True)
        assert isinstance(response.raw._original_response, transport._StrictResponse)
        assert 1 == len(adapter._sockets)
        assert b"ok" == response.content
        assert [] == session.get(server.url, timeout=TIMEOUT).history


def drip_headers(handler: BaseHTTPRequestHandler) -> None:
    """Send an endless header, a byte at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    drip(handler)


def drip_body(handler: BaseHTTPRequestHandler) -> None:
    """Send a body of 1,000 bytes, a byte at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    drip(handler)


def drip_chunks(handler: BaseHTTPRequestHandler) -> None:
    """Send the size of a chunk, a byte at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    drip(handler)


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Send a byte before each read timeout."""
    for _ in range(200):
        handler.wfile.write(b"0")
        time.sleep(0.05)


def hang(_: BaseHTTPRequestHandler) -> None:
    """Send nothing."""
    time.sleep(4 * TIMEOUT)


@pytest.mark.parametrize("slow", [drip_headers, drip_body, drip_chunks, hang])
def test_deadline_applies_in_every_phase(session: requests.Session, slow: Behaviour) -> None:
    """A server that is slow or hangs costs no more than the timeout, and the next request works."""
    with scripted_server(slow, Reply(b"ok")) as server:
        started = time.monotonic()
        with pytest.raises(PageTimeoutError, match=r"it took longer than 0\.5 s"):
            get(session, server)
        assert time.monotonic() - started < 5 * TIMEOUT
        assert b"ok" == get(session, server).body


def test_deadline_applies_before_the_proxy_has_connected(session: requests.Session) -> None:
    """The proxy may answer CONNECT slowly, before TLS starts."""
    finished = []

    def drip_to_the_end(handler: BaseHTTPRequestHandler) -> None:
        drip_headers(handler)
        finished.append(handler.path)

    with scripted_server(drip_to_the_end) as proxy:
        session.proxies["https"] = proxy.url
        with pytest.raises(PageTimeoutError):
            get(session, ScriptedServer("https://127.0.0.1:9"))
    assert ["127.0.0.1:9"] == proxy.paths
    assert [] == finished, "the server finished before the deadline"


def test_deadline_that_passes_while_connecting_closes_the_socket(session: requests.Session) -> None:
    """When it passed, there was no socket to shut."""
    with scripted_server(Reply(b"ok")) as server:
        adapter = session.get_adapter(server.url)
        assert isinstance(adapter, transport.DeadlineAdapter)
        with adapter.deadline(0) as passed:
            assert passed.wait(5)
            with pytest.raises(requests.ConnectionError):
                session.get(server.url, timeout=TIMEOUT)
        assert [] == server.paths
        assert 200 == session.get(server.url, timeout=30).status_code, "the deadline applies to its own request only"
        assert b"ok" == get(session, server).body


def test_deadline_starts_when_the_request_is_prepared(session: requests.Session) -> None:
    """Preparing may fetch a token, with a deadline of its own."""
    timers: list[threading.Thread] = []

    class Slow(AuthBase):
        def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
            timers.extend(thread for thread in threading.enumerate() if isinstance(thread, threading.Timer))
            request.headers["Authorization"] = "Bearer invented-token"
            return request

    session.auth = Slow()
    with scripted_server(Reply(b"ok")) as server:
        assert b"ok" == get(session, server).body
    assert "Bearer invented-token" == server.headers[0]["Authorization"]
    assert [] == timers


def test_connect_timeout_is_not_a_page_timeout(session: requests.Session) -> None:
    """A smaller page would not help."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.create_connection(full.getsockname()):
        server = ScriptedServer("http://127.0.0.1:{1}".format(*full.getsockname()))
        with pytest.raises(TransportError, match="ConnectTimeout"):
            get(session, server)


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Reset the connection after the first bytes of the body."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome")
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    os.close(handler.connection.detach())


def close_at_once(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without a response."""
    handler.close_connection = True


def cut_chunks(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection before the last chunk."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n")
    handler.close_connection = True


def cut_length(handler: BaseHTTPRequestHandler) -> None:
    """Send fewer bytes than Content-Length says."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome")
    handler.close_connection = True


def cut_headers(handler: BaseHTTPRequestHandler) -> None:
    """Send a line among the headers that is not a header."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nDate: Fri\r\nquery without a colon\r\nContent-Length: 0\r\n\r\n")
    handler.close_connection = True


def endless_headers(handler: BaseHTTPRequestHandler) -> None:
    """Send more headers than http.client accepts."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X-Query: query\r\n" * 200 + b"Content-Length: 0\r\n\r\n")


@pytest.mark.parametrize("broken", [reset, close_at_once, cut_chunks, cut_length, cut_headers, endless_headers])
def test_broken_connection_is_a_transport_error(
    session: requests.Session, broken: Behaviour, caplog: pytest.LogCaptureFixture
) -> None:
    """The message names the kind of error; nothing of the response is returned, quoted or logged."""
    with scripted_server(broken, Reply(b"ok")) as server:
        with (
            caplog.at_level(logging.INFO),
            pytest.raises(TransportError, match=r"from /path: (the connection was reset \()?\w+\)?\.") as caught,
        ):
            get(session, server)
        assert caught.value.retryable
        assert "query" not in str(caught.value)
        assert [] == caplog.messages
        assert b"ok" == get(session, server).body


def test_refused_connection_is_a_transport_error(session: requests.Session) -> None:
    """Nothing listens on the port."""
    with scripted_server(Reply()) as server:
        pass
    with pytest.raises(TransportError, match="ConnectionError"):
        get(session, server)


@pytest.mark.parametrize(
    "body",
    [gzip.compress(b"hello" * 100)[:-4], gzip.compress(b"hello") + b"more", b"no gzip", zlib.compress(b"hello")],
    ids=["truncated", "trailing data", "not gzip", "zlib"],
)
def test_broken_gzip_is_a_transport_error(session: requests.Session, body: bytes) -> None:
    """The stream is truncated, has data after its end, or is not gzip."""
    with scripted_server(Reply(body, headers={"Content-Encoding": "gzip"})) as server, pytest.raises(TransportError):
        get(session, server)


def test_encoding_that_was_not_requested_is_refused(session: requests.Session) -> None:
    """Two layers of gzip are the usual decompression bomb. An unknown name is not repeated."""
    for encoding, named in (("gzip, gzip", "gzip, gzip"), ("BR", "br"), ("invented-token", "an unknown one")):
        with (
            scripted_server(Reply(b"", headers={"Content-Encoding": encoding})) as server,
            pytest.raises(TransportError, match=rf"not requested \({named}\)"),
        ):
            get(session, server)


def test_oversized_body_is_refused_early(session: requests.Session) -> None:
    """The limit is exact for plain and compressed bodies, and a decompression bomb is not decompressed."""
    bomb = gzip.compress(bytes(200_000_000), 9)
    # Empty gzip blocks: the compressed size is limited, however small the content is.
    empty = gzip.compress(b"")
    nothing = empty[:10] + b"\0\0\0\xff\xff" * 2_000 + empty[10:]
    assert b"" == gzip.decompress(nothing)
    packed = {"Content-Encoding": "gzip"}
    with scripted_server(
        Reply(bytes(10_000)), Reply(bytes(10_001)), Reply(bomb, headers=packed), Reply(nothing, headers=packed)
    ) as server:
        assert 10_000 == len(get(session, server).body)
        for _ in range(3):
            with pytest.raises(OversizedResponseError, match="returned more than"):
                get(session, server, timeout=30)


pieces = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 Found\r\n", b"HTTP/9.9 x\r\n", b"Location: http://[\r\n",
        b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"Content-Length: -1\r\n",
        b"Content-Encoding: gzip\r\n", b"\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n", b"ffffffffff\r\n", b": x\r\n",
        gzip.compress(b"hello"), b"hello",
    ]
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(pieces | st.binary(max_size=20), max_size=8))
def test_any_bytes_are_a_response_or_a_named_error(sent: list[bytes]) -> None:
    """Law: ``exchange`` raises no other exception."""

    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"".join(sent))
        handler.close_connection = True

    with transport.Session() as session, scripted_server(write) as server:
        session.mount("http://", transport.DeadlineAdapter())
        with contextlib.suppress(ZendeskError):
            assert get(session, server, timeout=30).status
