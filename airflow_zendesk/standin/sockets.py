"""Answers on the wire: the only place of the stand-in that knows HTTP's bytes, threads and sockets."""

import contextlib
import gzip
import socket
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from socketserver import TCPServer

from airflow_zendesk.standin.messages import Answer

_CHUNK_BYTES = 16_384
_Connection = socket.socket | tuple[bytes, socket.socket]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def do_GET(self) -> None:
        answer = self.server.answer(self.command, self.path, self.headers["Authorization"])
        write_answer(self.wfile, answer, gzipped="gzip" in self.headers.get("Accept-Encoding", ""))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is inherited
        """Stay quiet: requests are remembered, not printed."""


def write_answer(out: BufferedIOBase, answer: Answer, *, gzipped: bool) -> None:
    """Put an answer on the wire: in chunks of gzip to clients that accept it, as Zendesk does, else plain."""
    body, headers = answer.body, dict(answer.headers)
    if gzipped:
        packed = gzip.compress(body, compresslevel=1, mtime=0)
        headers |= {"Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}
        chunks = [packed[start : start + _CHUNK_BYTES] for start in range(0, len(packed), _CHUNK_BYTES)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])
    else:
        headers["Content-Length"] = str(len(body))
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    out.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)


class Server(ThreadingHTTPServer):
    """Threads that end with the process, and a stop that leaves no connection open, not even an idle one."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, answer: Callable[[str, str, str | None], Answer]) -> None:
        self.answer = answer
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
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        assert isinstance(request, socket.socket)  # the other kind is for datagrams
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
