"""A web server on loopback that sends given replies in turn, and records the requests."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """One response. Its Date is fixed, and long after any window of the tests."""

    body: bytes | dict[str, Any] = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """The bytes of the body."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    """Send the reply to a request."""
    content = reply.content()
    handler.send_response_only(reply.status)
    headers = {"Date": "Fri, 01 Jan 2027 00:00:00 GMT", "Content-Type": "application/json"} | reply.headers
    for name, value in {**headers, "Content-Length": str(len(content))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(content)


@dataclass
class ScriptedServer:
    """The server: its URL, and the path with query, the headers and the body of each request so far."""

    url: str
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def connection(
        self,
        *,
        conn_type: str = "zendesk_export",
        login: str = "agent@example.com/token",
        password: str = "invented-token",
        **extra: Any,
    ) -> str:
        """An Airflow connection to this server, as JSON."""
        return json.dumps(
            {"conn_type": conn_type, "host": self.url, "login": login, "password": password, "extra": extra}
        )


@contextmanager
def scripted_server(
    *replies: Reply | Callable[[BaseHTTPRequestHandler], None], tls: ssl.SSLContext | None = None
) -> Iterator[ScriptedServer]:
    """Serve the replies one after the other, and the last one for ever. A callable writes its own response."""
    pending = list(replies)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # headers and body are two writes, and the second would wait 40 ms

        def do_GET(self) -> None:
            server.paths.append(self.path)
            server.headers.append(dict(self.headers.items()))
            server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
            reply = pending.pop(0) if len(pending) > 1 else pending[0]
            if callable(reply):
                reply(self)
            else:
                send(self, reply)

        do_POST = do_CONNECT = do_GET  # noqa: N815  the names are inherited

    class Listener(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: Any) -> None:
            """Ignore clients that disconnect, which is part of the tests."""

    with Listener(("127.0.0.1", 0), Handler) as listener:
        server = ScriptedServer(f"http{'s' * bool(tls)}://127.0.0.1:{listener.server_address[1]}")
        if tls:
            listener.socket = tls.wrap_socket(listener.socket, server_side=True)
        threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield server
        finally:
            listener.shutdown()


def page(*ids_and_times: tuple[int, int], end_time: int | None, end_of_stream: bool = True, **members: Any) -> Reply:
    """A page of ticket events with these ids and unix seconds."""
    events = [{"id": id_, "timestamp": time, **members} for id_, time in ids_and_times]
    return Reply({"ticket_events": events, "count": len(events), "end_time": end_time, "end_of_stream": end_of_stream})
