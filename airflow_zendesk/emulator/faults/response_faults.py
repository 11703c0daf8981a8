"""Response faults: error statuses, responses that are not a page, damaged bodies. They map a response to another."""

import gzip
import json
import zlib
from dataclasses import replace
from email.utils import formatdate, parsedate_to_datetime

from airflow_zendesk.emulator.error_bodies import ERROR_BODIES, HTML, INVALID_CURSOR, JSON
from airflow_zendesk.emulator.messages import HttpResponse

_MEBIBYTE = 2**20


def status(
    response: HttpResponse, *, status: int = 500, retry_after: int | str | None = None, as_date: bool = False
) -> HttpResponse:
    """The response has this status and Zendesk's body for it; `retry_after` is sent in seconds, or as a date."""
    content_type, body = ERROR_BODIES.get(status, (JSON, "{}"))
    headers = response.headers | {"Content-Type": content_type}
    if as_date and isinstance(retry_after, int):
        at = parsedate_to_datetime(headers["Date"]).timestamp() + retry_after
        headers["Retry-After"] = formatdate(at, usegmt=True)
    elif retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return HttpResponse(status, headers, body.encode())


def cursor_expired(response: HttpResponse) -> HttpResponse:
    """The response is a 400, because the cursor has expired."""
    return HttpResponse(400, response.headers | {"Content-Type": JSON}, json.dumps(INVALID_CURSOR).encode())


def redirect(
    response: HttpResponse, *, status: int = 302, location: str = "https://elsewhere.example.com/"
) -> HttpResponse:
    """The response redirects to another URL."""
    return HttpResponse(status, response.headers | {"Location": location, "Content-Type": HTML}, b"<html>Moved</html>")


def html(response: HttpResponse) -> HttpResponse:
    """The response is a web page, such as the login page of a proxy."""
    page = "<!DOCTYPE html><html><body><h1>Sign in to continue</h1></body></html>"
    return HttpResponse(200, response.headers | {"Content-Type": HTML}, page.encode())


def date(response: HttpResponse, *, value: str | None = None) -> HttpResponse:
    """The `Date` header has another value, or is missing."""
    headers = {name: text for name, text in response.headers.items() if name != "Date"}
    return replace(response, headers=headers if value is None else headers | {"Date": value})


def cut_json(response: HttpResponse) -> HttpResponse:
    """The JSON ends in the middle, although the HTTP response is complete."""
    return replace(response, body=response.body[: len(response.body) // 2])


def cut_gzip(response: HttpResponse) -> HttpResponse:
    """The compressed body ends in the middle, although the HTTP response is complete."""
    packed = gzip.compress(response.body, mtime=0)
    return _encoded(response, packed[: len(packed) // 2], "gzip")


def double_gzip(response: HttpResponse) -> HttpResponse:
    """The body is compressed twice, as in a decompression bomb."""
    return _encoded(response, gzip.compress(gzip.compress(response.body, mtime=0), mtime=0), "gzip, gzip")


def gzip_bomb(response: HttpResponse, *, mebibytes: int = 300) -> HttpResponse:
    """The JSON is followed by this many mebibytes of spaces, which compress to almost nothing."""
    packer = zlib.compressobj(level=1, wbits=31)
    packed = [packer.compress(response.body), *(packer.compress(b" " * _MEBIBYTE) for _ in range(mebibytes))]
    return _encoded(response, b"".join([*packed, packer.flush()]), "gzip")


def oversized(response: HttpResponse, *, mebibytes: int = 300) -> HttpResponse:
    """The JSON has an extra key of this many mebibytes, and is not compressed."""
    return _encoded(response, response.body[:-1] + b',"more":"' + b"x" * (mebibytes * _MEBIBYTE) + b'"}', "identity")


def _encoded(response: HttpResponse, body: bytes, encoding: str) -> HttpResponse:
    """Return a response whose body is sent as it is."""
    return replace(response, headers=response.headers | {"Content-Encoding": encoding}, body=body)
