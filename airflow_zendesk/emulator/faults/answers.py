"""Faults of whole answers: a refusal, a failure, no page at all, a damaged one. Answer in, answer out."""

import gzip
import zlib
from dataclasses import replace
from email.utils import formatdate, parsedate_to_datetime

from airflow_zendesk.emulator.messages import Answer
from airflow_zendesk.emulator.refusals import HTML, JSON, REFUSALS

_MEBIBYTE = 2**20


def status(answer: Answer, *, status: int = 500, retry_after: int | str | None = None, as_date: bool = False) -> Answer:
    """The answer has this status and what Zendesk says with it; `retry_after` is sent as seconds, or as a date."""
    content_type, body = REFUSALS.get(status, (JSON, "{}"))
    headers = answer.headers | {"Content-Type": content_type}
    if as_date and isinstance(retry_after, int):
        at = parsedate_to_datetime(headers["Date"]).timestamp() + retry_after
        headers["Retry-After"] = formatdate(at, usegmt=True)
    elif retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return Answer(status, headers, body.encode())


def redirect(answer: Answer, *, status: int = 302, location: str = "https://elsewhere.example.com/") -> Answer:
    """The answer sends the client elsewhere."""
    return Answer(status, answer.headers | {"Location": location, "Content-Type": HTML}, b"<html>Moved</html>")


def html(answer: Answer) -> Answer:
    """The answer is a web page: of a login, or of a proxy."""
    page = "<!DOCTYPE html><html><body><h1>Sign in to continue</h1></body></html>"
    return Answer(200, answer.headers | {"Content-Type": HTML}, page.encode())


def date(answer: Answer, *, value: str | None = None) -> Answer:
    """The answer has another `Date` header, or none."""
    headers = {name: text for name, text in answer.headers.items() if name != "Date"}
    return replace(answer, headers=headers if value is None else headers | {"Date": value})


def cut_json(answer: Answer) -> Answer:
    """The JSON ends in its middle, in an answer that is whole to the eyes of HTTP."""
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def cut_gzip(answer: Answer) -> Answer:
    """The compressed body ends in its middle, in an answer that is whole to the eyes of HTTP."""
    packed = gzip.compress(answer.body, mtime=0)
    return _encoded(answer, packed[: len(packed) // 2], "gzip")


def stacked_gzip(answer: Answer) -> Answer:
    """The body is compressed twice, which is how bombs are built."""
    return _encoded(answer, gzip.compress(gzip.compress(answer.body, mtime=0), mtime=0), "gzip, gzip")


def bomb(answer: Answer, *, mebibytes: int = 300) -> Answer:
    """So many mebibytes of blanks follow the JSON; compressed they are next to nothing."""
    packer = zlib.compressobj(level=1, wbits=31)
    packed = [packer.compress(answer.body), *(packer.compress(b" " * _MEBIBYTE) for _ in range(mebibytes))]
    return _encoded(answer, b"".join([*packed, packer.flush()]), "gzip")


def oversized(answer: Answer, *, mebibytes: int = 300) -> Answer:
    """So many mebibytes more stand in the JSON, and it is not compressed."""
    return _encoded(answer, answer.body[:-1] + b',"more":"' + b"x" * (mebibytes * _MEBIBYTE) + b'"}', "identity")


def _encoded(answer: Answer, body: bytes, encoding: str) -> Answer:
    """An answer whose body is put on the wire as it is."""
    return replace(answer, headers=answer.headers | {"Content-Encoding": encoding}, body=body)
