"""One request and its answer, whole or not at all."""

import gzip
import os
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import pytest
import requests

from airflow_zendesk.exceptions import OversizedAnswerError, PageTimeoutError, TransportError
from airflow_zendesk.hooks import transport
from tests.scripted import Reply, Scripted, scripted

TIMEOUT = 0.5
Behaviour = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """A session with the adapter that the hook uses."""
    with requests.Session() as session:
        session.mount("http://", transport.DeadlineAdapter())
        yield session


def get(session: requests.Session, server: Scripted, max_bytes: int = 10_000) -> transport.Response:
    """Ask for a path that may stand in errors, with a query that may not."""
    return transport.exchange(
        session, "GET", server.url + "/path", params={"q": "query"}, timeout=TIMEOUT, max_bytes=max_bytes
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


def test_redirects_are_answers(session: requests.Session) -> None:
    """Nothing is ever sent anywhere else."""
    with scripted(Reply(b"", 302, {"Location": "/elsewhere"})) as server:
        assert 302 == get(session, server).status
    assert 1 == len(server.paths)


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


@pytest.mark.parametrize("broken", [reset, close_at_once, cut_chunks, cut_length])
def test_broken_connection_is_a_named_fault(session: requests.Session, broken: Behaviour) -> None:
    """Whatever came before is not taken for the body; the message names the fault and quotes nothing."""
    with scripted(broken, Reply(b"ok")) as server:
        with pytest.raises(TransportError, match=r"No whole answer from /path: \w+\.") as caught:
            get(session, server)
        assert caught.value.retryable
        assert "query" not in str(caught.value)
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
    """Two layers of gzip above all: that is how a bomb is built."""
    with (
        scripted(Reply(b"", headers={"Content-Encoding": "gzip, gzip"})) as server,
        pytest.raises(TransportError, match=r"not asked for \(gzip, gzip\)"),
    ):
        get(session, server)


def test_body_beyond_the_bound_is_refused_while_it_is_small(session: requests.Session) -> None:
    """Plain or inflated: the bound holds to the byte, and a bomb is not unpacked."""
    bomb = gzip.compress(bytes(200_000_000), 9)
    with scripted(
        Reply(bytes(10_000)), Reply(bytes(10_001)), Reply(bomb, headers={"Content-Encoding": "gzip"})
    ) as server:
        assert 10_000 == len(get(session, server).body)
        for _ in range(2):
            with pytest.raises(OversizedAnswerError, match="answered more than"):
                get(session, server)
