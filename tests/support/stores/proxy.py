"""A proxy in front of a storage that loses requests or responses as a test demands."""

import http.client
import socket
import struct
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

#: What happens to an upload: the request is lost; the response is lost; there is no response; the proxy answers with a
#: status; or the proxy first calls a function, such as the upload of a rival, and then the request is lost.
Fault = Literal["lost", "answer lost", "hangs"] | int | Callable[[], object]


@dataclass
class Proxy:
    """The address of the proxy, the uploads so far, and the faults of the next ones.

    An upload is a request that writes an object whose name contains ``watched``.
    """

    url: str
    faults: list[Fault] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    #: The status for uploads with an unsupported header, by the header's name and the start of its value.
    refused: dict[tuple[str, str], int] = field(default_factory=dict)
    watched: str = ".parquet"
    ended: threading.Event = field(default_factory=threading.Event)

    def is_upload(self, method: str, path: str) -> bool:
        """Whether the request writes a watched object."""
        return method in {"PUT", "POST"} and self.watched in path


@contextmanager
def proxy_of(upstream: str) -> Iterator[Proxy]:
    """Run a proxy in front of a store."""

    class Handler(_Handler):
        proxy = Proxy("")

    Handler.upstream = urllib.parse.urlsplit(upstream).netloc
    with _Server(("127.0.0.1", 0), Handler) as server:
        Handler.proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield Handler.proxy
        finally:
            Handler.proxy.ended.set()
            server.shutdown()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        """Ignore clients that disconnect, which is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy
    upstream: str

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault: Fault | None = None
        if self.proxy.is_upload(self.command, self.path):
            self.proxy.uploads.append(self.path)
            for (name, beginning), status in self.proxy.refused.items():
                if name in self.headers and self.headers[name].startswith(beginning):
                    fault = status
            if fault is None and self.proxy.faults:
                fault = self.proxy.faults.pop(0)
        if callable(fault):
            fault()
            fault = "lost"
        if isinstance(fault, int):
            self._answer(fault, Message(), b"")
        elif fault == "lost":
            self._reset()
        elif fault == "hangs":
            self.proxy.ended.wait()
        else:
            response = self._request_upstream(body)
            if fault == "answer lost":
                self._reset()
            else:
                self._answer(*response)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forward  # noqa: N815  names of http.server

    def _request_upstream(self, body: bytes) -> tuple[int, Message, bytes]:
        connection = http.client.HTTPConnection(self.upstream)
        try:
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: Message, content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in {"transfer-encoding", "connection", "content-length"}:
                self.send_header(name, value)
        length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(content)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Log nothing."""
