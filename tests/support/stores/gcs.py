"""A Google Cloud Storage on loopback with generations and preconditions, as far as gcsfs and our store use them.

The emulator on PyPI ignores preconditions. The responses follow
https://cloud.google.com/storage/docs/json_api/v1/objects and .../docs/request-preconditions.
"""

import base64
import hashlib
import itertools
import json
import re
import threading
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_OBJECTS = re.compile(r"/(?P<kind>upload/|download/|)storage/v1/b/(?P<bucket>[^/]+)/o(?:/(?P<name>[^/]+))?")


@dataclass
class _Buckets:
    """The objects by bucket and name, each with its generation; the lock orders concurrent writes."""

    objects: dict[str, dict[str, tuple[int, bytes]]] = field(default_factory=dict)
    generations: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1_700_000_000_000_001))
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    buckets: _Buckets

    def do_GET(self) -> None:
        found = _OBJECTS.fullmatch(urllib.parse.urlsplit(self.path).path)
        if found is None:
            bucket = self.path.partition("/storage/v1/b/")[2].partition("?")[0]
            self._answer(200, {"name": bucket}) if bucket in self.buckets.objects else self._refuse(404)
            return
        bucket, name = found["bucket"], found["name"] and urllib.parse.unquote(found["name"])
        stored = self.buckets.objects.get(bucket)
        if stored is None or (name and name not in stored):
            self._refuse(404)
        elif not name:
            self._answer(200, self._listing(bucket))
        elif self._query("alt") == "media":
            self._send_content(stored[name][1])
        else:
            self._answer(200, _resource(bucket, name, *stored[name]))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        found = _OBJECTS.fullmatch(urllib.parse.urlsplit(self.path).path)
        if found is None:
            name = json.loads(body)["name"]
            self.buckets.objects.setdefault(name, {})
            self._answer(200, {"name": name})
            return
        name, content = self._query("name"), body
        if self._query("uploadType") == "multipart":
            name, content = _parts(body)
        elif self._query("uploadType") != "media":
            self._refuse(501)
            return
        stored = self.buckets.objects.get(found["bucket"])
        condition = self._query("ifGenerationMatch")
        if stored is None or name is None:
            self._refuse(404)
            return
        with self.buckets.lock:
            there = stored[name][0] if name in stored else 0
            if condition is None or int(condition) == there:
                stored[name] = next(self.buckets.generations), content
                self._answer(200, _resource(found["bucket"], name, *stored[name]))
                return
        self._refuse(412)

    def do_DELETE(self) -> None:
        found = _OBJECTS.fullmatch(urllib.parse.urlsplit(self.path).path)
        assert found
        gone = self.buckets.objects.get(found["bucket"], {}).pop(urllib.parse.unquote(found["name"]), None)
        self._send(204, b"") if gone else self._refuse(404)

    def _listing(self, bucket: str) -> dict[str, Any]:
        prefix, delimiter = self._query("prefix") or "", self._query("delimiter")
        items, prefixes = [], set()
        for name, version in sorted(self.buckets.objects[bucket].items()):
            rest = name.removeprefix(prefix)
            if name.startswith(prefix):
                if delimiter and delimiter in rest:
                    prefixes.add(prefix + rest.partition(delimiter)[0] + delimiter)
                else:
                    items.append(_resource(bucket, name, *version))
        return {"kind": "storage#objects", "items": items, "prefixes": sorted(prefixes)}

    def _send_content(self, content: bytes) -> None:
        if (asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))) and content:
            first, last = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
            if first > last:
                self._refuse(416)
            else:
                self._send(206, content[first : last + 1], {"Content-Range": f"bytes {first}-{last}/{len(content)}"})
        else:
            self._send(200, content)

    def _query(self, name: str) -> str | None:
        return urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get(name, [None])[0]

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int) -> None:
        self._answer(status, {"error": {"code": status, "message": "refused"}})

    def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


def _resource(bucket: str, name: str, generation: int, content: bytes) -> dict[str, Any]:
    return {
        "kind": "storage#object",
        "bucket": bucket,
        "name": name,
        "generation": str(generation),
        "size": str(len(content)),
        "md5Hash": base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode(),
    }


def _parts(body: bytes) -> tuple[str, bytes]:
    """The name in the first part of a multipart body, and the bytes of the second."""
    boundary = body.partition(b"\n")[0].strip()
    _, metadata, content, _ = body.split(boundary)
    return json.loads(metadata.partition(b"\n\n")[2])["name"], content.partition(b"\n\n")[2].removesuffix(b"\n")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Ignore clients that disconnect, which is part of the tests."""


class GcsFake:
    """A context manager that runs the server."""

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"buckets": _Buckets()})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def make_bucket(url: str, name: str) -> None:
    """Create a bucket in the Google Cloud Storage at that address."""
    request = urllib.request.Request(
        f"{url}/storage/v1/b?project=invented",
        json.dumps({"name": name}).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request).close()
