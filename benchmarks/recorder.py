"""A caching proxy in front of the emulator: each page is computed once, and then served from a file.

The emulator needs longer for a page than any client. Recordings are kept between runs; they are those of one version of
the emulator, so a change of its code starts new ones.
"""

import gzip
import hashlib
import http.client
import json
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import numpy as np
import numpy.typing as npt

import airflow_zendesk.emulator
from airflow_zendesk.emulator import Simulator, ZendeskEmulator
from airflow_zendesk.emulator.messages import RawRequest
from airflow_zendesk.emulator.sockets import HttpServer

#: A fixed port, because the URL of the next page is part of a recorded response.
PORT = 8977
URL = f"http://127.0.0.1:{PORT}"
#: Headers of the connection between the proxy and the emulator.
_CONNECTION_HEADERS = {"Transfer-Encoding", "Content-Length", "Connection"}


class Recorder:
    """Serves an emulated Zendesk without a rate limit; a context manager.

    The attributes `requests` and `recorded` count the requests, and those of them that had to be computed.
    """

    def __init__(self, folder: Path, events_per_day: int) -> None:
        sources = sorted(Path(airflow_zendesk.emulator.__path__[0]).glob("*.py"))
        version = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
        self._folder = folder / f"{events_per_day}-{version}"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._emulator = ZendeskEmulator(Simulator(events_per_day=events_per_day))
        self._stack = ExitStack()
        self.reset()

    def __enter__(self) -> Self:
        self._stack.enter_context(self._emulator)
        server = HttpServer(PORT, self._respond)
        server.start()
        self._stack.callback(server.stop)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def reset(self) -> None:
        """Set the counters to zero."""
        self.requests = self.recorded = 0

    def connection(self) -> dict[str, str]:
        """Return the Airflow connection to this server."""
        return self._emulator.connection() | {"host": URL}

    def expected_ids(self, start: int, end: int) -> npt.NDArray[np.int64]:
        """Return the ids of the source in [start, end), in order."""
        query = f"resource=ticket_events&start={start}&end={end}"
        with urllib.request.urlopen(f"{URL}/emulator/expected_ids?{query}") as response:  # noqa: S310 - loopback
            return np.unique(np.array(json.loads(gzip.decompress(response.read()))["ids"], dtype=np.int64))

    def _respond(self, request: RawRequest) -> Iterator[bytes]:
        """Equal parameters in another order are the same request; credentials are not checked again."""
        parts = urlsplit(request.target)
        name = parts.path.strip("/").removesuffix(".json").replace("/", "_")
        path = self._folder / f"{name}?{urlencode(sorted(parse_qsl(parts.query)))}"
        self.requests += 1
        if not path.exists():
            self.recorded += 1
            unfinished = path.with_name("unfinished")
            unfinished.write_bytes(self._record(request))
            unfinished.rename(path)
        yield path.read_bytes()

    def _record(self, request: RawRequest) -> bytes:
        """Return the emulator's response with the URL of this server, compressed at the emulator's level."""
        headers = {"Accept-Encoding": "gzip", "Authorization": request.authorization or ""}
        upstream = urllib.request.Request(self._emulator.url + request.target, headers=headers)  # noqa: S310 - loopback
        with urllib.request.urlopen(upstream) as response:  # noqa: S310
            assert response.status == http.client.OK
            content = gzip.decompress(response.read()).replace(self._emulator.url.encode(), URL.encode())
            kept = [(name, text) for name, text in response.headers.items() if name not in _CONNECTION_HEADERS]
        body = gzip.compress(content, compresslevel=1, mtime=0)
        lines = ["HTTP/1.1 200 OK", *(f"{name}: {text}" for name, text in kept), f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode("latin-1") + body
