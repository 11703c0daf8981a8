"""The HTTP server: the only module of the emulator that handles bytes, threads and sockets."""

import contextlib
import gzip
import http.client
import os
import select
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

from airflow_zendesk.emulator.messages import Disconnect, HttpResponse, Pause, RawRequest, ServerAction

_CHUNK_BYTES = 16_384
_Connection = socket.socket | tuple[bytes, socket.socket]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "HttpServer"

    def do_GET(self) -> None:
        self._respond(b"")

    def do_POST(self) -> None:
        self._respond(self.rfile.read(int(self.headers["Content-Length"] or 0)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is inherited
        """Print nothing: requests are logged in memory."""

    def _respond(self, body: bytes) -> None:
        accepts_gzip = "gzip" in self.headers.get("Accept-Encoding", "")
        request = RawRequest(self.command, self.path, self.headers["Authorization"], body, accepts_gzip)
        for action in self.server.respond(request):
            if isinstance(action, bytes):
                self.wfile.write(action)
            elif isinstance(action, Pause):
                self._pause(action.seconds)
            else:
                self._disconnect(action)

    def _pause(self, seconds: float) -> None:
        """Wait until the time is over, the client disconnects or the server stops (both make the socket readable)."""
        readable, _, _ = select.select([self.connection], [], [], seconds)
        if readable:
            raise ConnectionAbortedError

    def _disconnect(self, how: Disconnect) -> None:
        self.close_connection = True
        if how is not Disconnect.CLOSE:
            self.server.resets_next = how is Disconnect.RESET_NEXT_TOO
            reset(self.connection)


def head_and_body(response: HttpResponse, *, gzipped: bool) -> tuple[bytes, bytes]:
    """Encode a response: as chunks of gzip if the client accepts it, as Zendesk does, else uncompressed."""
    body, headers = response.body, dict(response.headers)
    if gzipped and "Content-Encoding" not in headers:
        packed = gzip.compress(body, compresslevel=1, mtime=0)
        headers |= {"Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}
        chunks = [packed[start : start + _CHUNK_BYTES] for start in range(0, len(packed), _CHUNK_BYTES)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])
    else:
        headers["Content-Length"] = str(len(body))
    lines = [f"HTTP/1.1 {response.status} {http.client.responses.get(response.status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1"), body


def reset(connection: socket.socket) -> None:
    """Close a connection with a reset, even if other objects still refer to it."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    os.close(connection.detach())


class HttpServer(ThreadingHTTPServer):
    """An HTTP server whose threads end with the process, and whose stop closes all connections, even idle ones."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, respond: Callable[[RawRequest], Iterable[ServerAction]]) -> None:
        self.respond = respond
        #: Whether the next connection is reset as soon as it is accepted.
        self.resets_next = False
        self._listener = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._connections: dict[threading.Thread, socket.socket] = {}
        super().__init__(("127.0.0.1", port), _Handler)

    def start(self) -> None:
        """Start to listen, in a thread."""
        self._listener.start()

    def stop(self) -> None:
        """Stop to listen, close all connections, and wait until the last thread has ended."""
        self.shutdown()
        self._listener.join()
        for thread, connection in list(self._connections.items()):
            with contextlib.suppress(OSError):  # the client may have disconnected already
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()
        self.server_close()

    def server_bind(self) -> None:
        """Bind without the host name lookup of HTTPServer, which may be slow."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.socket.getsockname()[1]

    def process_request(self, request: _Connection, client_address: object) -> None:
        """Serve a client in a thread that is stored with its socket, so that `stop` can end it."""
        assert isinstance(request, socket.socket)  # the other kind is for datagrams
        if self.resets_next:
            self.resets_next = False
            reset(request)
            return
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self._connections[thread] = request
        thread.start()

    def process_request_thread(self, request: _Connection, client_address: object) -> None:
        """Serve the client until one side closes the connection."""
        super().process_request_thread(request, client_address)
        del self._connections[threading.current_thread()]

    def handle_error(self, request: _Connection, client_address: object) -> None:
        """Ignore clients that disconnect; report other errors."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
