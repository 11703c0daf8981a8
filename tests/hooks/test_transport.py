"""One request and its answer, whole or not at all."""

import contextlib
import gzip
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
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.auth import AuthBase

from airflow_zendesk.exceptions import OversizedResponseError, PageTimeoutError, TransportError, ZendeskError
from airflow_zendesk.hooks import transport
from tests.support.scripted import Reply, Scripted, scripted

TIMEOUT = 0.5
Behaviour = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """A session like the hook's, without credentials."""
    with transport.Session() as session:
        session.mount("http://", transport.DeadlineAdapter())
        session.mount("https://", transport.DeadlineAdapter())
        yield session


def get(session: requests.Session, server: Scripted, timeout: float = TIMEOUT) -> transport.Response:
    """Ask for a path that may stand in errors, with a query that may not; answers are small."""
    return transport.exchange(
        session, "GET", server.url + "/path", params={"q": "query"}, timeout=timeout, max_bytes=10_000
    )


def test_answer_is_read_whole(session: requests.Session) -> None:
    """Status, headers whatever their case, and the body, compressed or not."""
    compressed = Reply(gzip.compress(b"hello"), 404, {"Content-Encoding": "GZIP", "X-Some": "thing"})
    with scripted(compressed, Reply(b"plain"), Reply(b"", 503, {"Content-Encoding": "gzip"})) as server:
        answer = get(session, server)
        assert (404, "thing", b"hello") == (answer.status, answer.headers["x-sOME"], answer.body)
        assert b"plain" == get(session, server).body
        assert (503, b"") == (get(session, server).status, get(session, server).body)
    assert "/path?q=query" == server.paths[0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/elsewhere", "http://127.0.0.1:9/", "//elsewhere", "http://[", "\xff"])
def test_redirects_are_answers(session: requests.Session, status: int, location: str) -> None:
    """Nothing is ever sent anywhere else, whoever uses the session."""
    with scripted(Reply(b"body", status, {"Location": location})) as server:
        assert (status, b"body") == (get(session, server).status, get(session, server).body)
        assert status == session.get(server.url, timeout=TIMEOUT, allow_redirects=True).status_code
    assert 3 == len(server.paths)


def test_body_of_a_redirect_is_bounded_too(session: requests.Session) -> None:
    """To requests a redirect's body is of no interest, and it would read all of it."""
    bomb = Reply(gzip.compress(bytes(20_000_000)), 302, {"Location": "/elsewhere", "Content-Encoding": "gzip"})
    with scripted(bomb) as server, pytest.raises(OversizedResponseError):
        get(session, server)


def drip_headers(handler: BaseHTTPRequestHandler) -> None:
    """A header that never ends, a byte at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    drip(handler)


def drip_body(handler: BaseHTTPRequestHandler) -> None:
    """A body of a thousand bytes, a byte at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    drip(handler)


def drip_chunks(handler: BaseHTTPRequestHandler) -> None:
    """A chunk whose size comes a byte at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    drip(handler)


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Keep every read timeout from passing."""
    for _ in range(200):
        handler.wfile.write(b"0")
        time.sleep(0.05)


def hang(_: BaseHTTPRequestHandler) -> None:
    """Say nothing."""
    time.sleep(4 * TIMEOUT)


@pytest.mark.parametrize("slow", [drip_headers, drip_body, drip_chunks, hang])
def test_deadline_holds_in_every_phase(session: requests.Session, slow: Behaviour) -> None:
    """A server that drips or hangs costs the timeout, not more; the next request works."""
    with scripted(slow, Reply(b"ok")) as server:
        started = time.monotonic()
        with pytest.raises(PageTimeoutError, match=r"it took longer than 0\.5 s"):
            get(session, server)
        assert time.monotonic() - started < 5 * TIMEOUT
        assert b"ok" == get(session, server).body


def test_deadline_holds_before_the_proxy_has_connected(session: requests.Session) -> None:
    """Its answer to CONNECT may drip, and there is no TLS yet whose handshake would have an end."""
    finished = []

    def drip_to_the_end(handler: BaseHTTPRequestHandler) -> None:
        drip_headers(handler)
        finished.append(handler.path)

    with scripted(drip_to_the_end) as proxy:
        session.proxies["https"] = proxy.url
        with pytest.raises(PageTimeoutError):
            get(session, Scripted("https://127.0.0.1:9"))
    assert ["127.0.0.1:9"] == proxy.paths
    assert [] == finished, "the drip ended, and not the waiting for it"


def test_deadline_that_passes_while_connecting_is_not_forgotten(session: requests.Session) -> None:
    """There was no socket yet to be shut; the first one is refused."""
    with scripted(Reply(b"ok")) as server:
        adapter = session.get_adapter(server.url)
        assert isinstance(adapter, transport.DeadlineAdapter)
        with adapter.deadline(0) as passed:
            assert passed.wait(5)
            with pytest.raises(requests.ConnectionError):
                session.get(server.url, timeout=TIMEOUT)
        assert [] == server.paths
        assert 200 == session.get(server.url, timeout=30).status_code, "it holds for its own request alone"
        assert b"ok" == get(session, server).body


def test_deadline_begins_when_the_request_is_ready(session: requests.Session) -> None:
    """A token may have to be fetched first, which has a deadline of its own."""
    timers: list[threading.Thread] = []

    class Slow(AuthBase):
        def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
            timers.extend(thread for thread in threading.enumerate() if isinstance(thread, threading.Timer))
            request.headers["Authorization"] = "Bearer invented-token"
            return request

    session.auth = Slow()
    with scripted(Reply(b"ok")) as server:
        assert b"ok" == get(session, server).body
    assert "Bearer invented-token" == server.headers[0]["Authorization"]
    assert [] == timers


def test_connection_that_does_not_come_about_is_no_page_that_is_too_slow(session: requests.Session) -> None:
    """Smaller pages would not help."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.create_connection(full.getsockname()):
        server = Scripted("http://127.0.0.1:{1}".format(*full.getsockname()))
        with pytest.raises(TransportError, match="ConnectTimeout"):
            get(session, server)


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection with a reset after the first bytes of the body."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome")
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    os.close(handler.connection.detach())


def close_at_once(handler: BaseHTTPRequestHandler) -> None:
    """Answer nothing at all."""
    handler.close_connection = True


def cut_chunks(handler: BaseHTTPRequestHandler) -> None:
    """End a chunked body without its end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n")
    handler.close_connection = True


def cut_length(handler: BaseHTTPRequestHandler) -> None:
    """Promise more bytes than come."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome")
    handler.close_connection = True


def cut_headers(handler: BaseHTTPRequestHandler) -> None:
    """Go on in the middle of the headers with something else."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nDate: Fri\r\nquery without a colon\r\nContent-Length: 0\r\n\r\n")
    handler.close_connection = True


def endless_headers(handler: BaseHTTPRequestHandler) -> None:
    """More headers than anybody sends."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X-Query: query\r\n" * 200 + b"Content-Length: 0\r\n\r\n")


@pytest.mark.parametrize("broken", [reset, close_at_once, cut_chunks, cut_length, cut_headers, endless_headers])
def test_broken_connection_is_a_named_fault(
    session: requests.Session, broken: Behaviour, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever came before is not taken for the body; the message names the fault, and nothing is quoted or logged."""
    with scripted(broken, Reply(b"ok")) as server:
        with (
            caplog.at_level(logging.INFO),
            pytest.raises(TransportError, match=r"No complete response from /path: \w+\.") as caught,
        ):
            get(session, server)
        assert caught.value.retryable
        assert "query" not in str(caught.value)
        assert [] == caplog.messages
        assert b"ok" == get(session, server).body


def test_refused_connection_is_a_named_fault(session: requests.Session) -> None:
    """Nobody listens there any more."""
    with scripted(Reply()) as server:
        pass
    with pytest.raises(TransportError, match="ConnectionError"):
        get(session, server)


@pytest.mark.parametrize(
    "body",
    [gzip.compress(b"hello" * 100)[:-4], gzip.compress(b"hello") + b"more", b"no gzip", zlib.compress(b"hello")],
    ids=["cut", "goes on", "none", "zlib"],
)
def test_broken_gzip_is_a_named_fault(session: requests.Session, body: bytes) -> None:
    """A cut stream, one that goes on after its end, and what is none."""
    with scripted(Reply(body, headers={"Content-Encoding": "gzip"})) as server, pytest.raises(TransportError):
        get(session, server)


def test_encoding_that_was_not_asked_for_is_refused(session: requests.Session) -> None:
    """Two layers of gzip above all: that is how a bomb is built. A name that nobody knows is not repeated."""
    for encoding, named in (("gzip, gzip", "gzip, gzip"), ("BR", "br"), ("invented-token", "an unknown one")):
        with (
            scripted(Reply(b"", headers={"Content-Encoding": encoding})) as server,
            pytest.raises(TransportError, match=rf"not asked for \({named}\)"),
        ):
            get(session, server)


def test_body_beyond_the_bound_is_refused_while_it_is_small(session: requests.Session) -> None:
    """Plain or inflated: the bound holds to the byte, and a bomb is not unpacked."""
    bomb = gzip.compress(bytes(200_000_000), 9)
    # Blocks of gzip that hold nothing: what comes over the wire is bounded, however little it becomes.
    empty = gzip.compress(b"")
    nothing = empty[:10] + b"\0\0\0\xff\xff" * 2_000 + empty[10:]
    assert b"" == gzip.decompress(nothing)
    packed = {"Content-Encoding": "gzip"}
    with scripted(
        Reply(bytes(10_000)), Reply(bytes(10_001)), Reply(bomb, headers=packed), Reply(nothing, headers=packed)
    ) as server:
        assert 10_000 == len(get(session, server).body)
        for _ in range(3):
            with pytest.raises(OversizedResponseError, match="answered more than"):
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
def test_whatever_comes_is_an_answer_or_a_named_error(sent: list[bytes]) -> None:
    """Law: no other exception leaves the door."""

    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"".join(sent))
        handler.close_connection = True

    with transport.Session() as session, scripted(write) as server:
        session.mount("http://", transport.DeadlineAdapter())
        with contextlib.suppress(ZendeskError):
            assert get(session, server, timeout=30).status
