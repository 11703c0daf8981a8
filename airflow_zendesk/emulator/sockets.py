"""Answers on the wire: the only place of the emulator that knows HTTP's bytes, threads and sockets."""

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

from airflow_zendesk.emulator.messages import Act, Answer, Call, Hangup, Pause

_CHUNK_BYTES = 16_384
_Connection = socket.socket | tuple[bytes, socket.socket]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"] or 0)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is inherited
        """Stay quiet: requests are remembered, not printed."""

    def _answer(self, body: bytes) -> None:
        takes_gzip = "gzip" in self.headers.get("Accept-Encoding", "")
        call = Call(self.command, self.path, self.headers["Authorization"], body, takes_gzip)
        for act in self.server.answer(call):
            if isinstance(act, bytes):
                self.wfile.write(act)
            elif isinstance(act, Pause):
                self._pause(act.seconds)
            else:
                self._hang_up(act)

    def _pause(self, seconds: float) -> None:
        """Wait; a client that hangs up, and a server that stops, end it: then there is something to read."""
        readable, _, _ = select.select([self.connection], [], [], seconds)
        if readable:
            raise ConnectionAbortedError

    def _hang_up(self, how: Hangup) -> None:
        self.close_connection = True
        if how is not Hangup.CLOSE:
            self.server.resets_next = how is Hangup.RESET_NEXT_TOO
            reset(self.connection)


def head_and_body(answer: Answer, *, gzipped: bool) -> tuple[bytes, bytes]:
    """An answer as bytes: in chunks of gzip to clients that accept it, as Zendesk does, else plain."""
    body, headers = answer.body, dict(answer.headers)
    if gzipped and "Content-Encoding" not in headers:
        packed = gzip.compress(body, compresslevel=1, mtime=0)
        headers |= {"Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}
        chunks = [packed[start : start + _CHUNK_BYTES] for start in range(0, len(packed), _CHUNK_BYTES)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])
    else:
        headers["Content-Length"] = str(len(body))
    lines = [f"HTTP/1.1 {answer.status} {http.client.responses.get(answer.status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1"), body


def reset(connection: socket.socket) -> None:
    """Close a connection with a reset, whatever others may still hold of it."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    os.close(connection.detach())


class Server(ThreadingHTTPServer):
    """Threads that end with the process, and a stop that leaves no connection open, not even an idle one."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, answer: Callable[[Call], Iterable[Act]]) -> None:
        self.answer = answer
        #: Whether the next connection is reset as soon as it is made.
        self.resets_next = False
        self._listener = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._conversations: dict[threading.Thread, socket.socket] = {}
        super().__init__(("127.0.0.1", port), _Handler)

    def start(self) -> None:
        """Listen, in a thread."""
        self._listener.start()

    def stop(self) -> None:
        """Listen no more, hang up on everybody, and wait until the last thread has gone."""
        self.shutdown()
        self._listener.join()
        for thread, connection in list(self._conversations.items()):
            with contextlib.suppress(OSError):  # the client may have gone already
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()
        self.server_close()

    def server_bind(self) -> None:
        """Bind, without the look-up of a host name that HTTPServer does and that may be slow."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.socket.getsockname()[1]

    def process_request(self, request: _Connection, client_address: object) -> None:
        """Talk to a client in a thread that is known by its socket, so that `stop` can end it."""
        assert isinstance(request, socket.socket)  # the other kind is for datagrams
        if self.resets_next:
            self.resets_next = False
            reset(request)
            return
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self._conversations[thread] = request
        thread.start()

    def process_request_thread(self, request: _Connection, client_address: object) -> None:
        """Talk until one side has had enough."""
        super().process_request_thread(request, client_address)
        del self._conversations[threading.current_thread()]

    def handle_error(self, request: _Connection, client_address: object) -> None:
        """A client that hangs up is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
