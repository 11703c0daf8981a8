"""No secret, in whatever form, and no customer's text leaves a run: in success, and in every way in which it fails."""

import base64
import contextlib
import io
import json
import logging
import os
import pickle
import socket
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import jinja2
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from airflow_zendesk.exceptions import ZendeskError
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator
from airflow_zendesk.zendesk.retry import RetryBudget
from tests.support.assets import EVENTS, Outlet, OutletEvents
from tests.support.clock import FakeClock
from tests.support.scripted import Reply, Scripted, scripted, write

DAY = {"data_interval_start": datetime(2026, 1, 1, tzinfo=UTC), "data_interval_end": datetime(2026, 1, 2, tzinfo=UTC)}
START = 1_767_225_600
EXPORTS = "/api/v2/incremental/ticket_events"


@dataclass(frozen=True)
class Hidden:
    """What must not be seen: the secrets of a connection, and what a customer wrote."""

    way: str
    password: str
    minted: str
    text: str
    hash_key: str

    def connection(self, server: Scripted) -> str:
        """A connection of that way in."""
        match self.way:
            case "api token":
                return server.connection(password=self.password, hash_key=self.hash_key)
            case "access token":
                return server.connection(login="", password=self.password, hash_key=self.hash_key)
            case "oauth client":
                return server.connection(login="my_client", password=self.password, hash_key=self.hash_key)
        apache = {"conn_type": "zendesk", "login": "a@example.com", "password": "", "token": self.password}
        return server.connection(**apache, hash_key=self.hash_key)

    def forms(self) -> Iterator[str]:
        """Everything in every form in which it could be printed, worked out apart from the code under test."""
        login = "a@example.com/token" if self.way == "apache's" else "agent@example.com/token"
        for hidden in (self.password, self.minted, self.text, self.hash_key):
            yield hidden
            yield from (quote(hidden), quote(hidden, safe=""), quote_plus(hidden))
            yield from (json.dumps(hidden)[1:-1], json.dumps(hidden, ensure_ascii=False)[1:-1], repr(hidden)[1:-1])
            yield from (repr(hidden.encode())[2:-1], hidden.encode().hex(), hidden.lower())
            yield base64.b64encode(hidden.encode()).decode().rstrip("=")
        yield base64.b64encode(f"{login}:{self.password}".encode()).decode()


@dataclass
class Seen:
    """All that a run lets out."""

    parts: dict[str, str] = field(default_factory=dict)

    def check(self, hidden: Hidden) -> None:
        """Nothing hidden is in any part."""
        for form in hidden.forms():
            assert [] == [where for where, part in self.parts.items() if form in part], form


Answer = Callable[[Hidden, dict[str, str]], Reply | Callable[[BaseHTTPRequestHandler], None]]


def echo(hidden: Hidden, headers: dict[str, str]) -> str:
    """All that a server knows and could send back."""
    return f"{headers.get('Authorization', '')} {hidden.password} {hidden.minted} {hidden.text}"


def events(*records: dict[str, Any], **envelope: Any) -> Reply:
    """A last page."""
    return Reply({"ticket_events": records, "count": len(records), "end_of_stream": True} | envelope)


def comment(hidden: Hidden, **members: Any) -> dict[str, Any]:
    """An event in which the customer's text is where it belongs, and secrets where they do not."""
    body = f"{hidden.text} {hidden.password} {hidden.minted}"
    child = {"id": 2, "type": "Comment", "body": hidden.text, "html_body": f"<p>{body}</p>", "event_type": "Comment"}
    return {"id": 1, "timestamp": START + 5, "ticket_id": 7, "child_events": [child], "system": {"a": body}} | members


def in_headers(name: str, status: int = 200) -> Answer:
    """A page with everything in one of its headers."""

    def answer(hidden: Hidden, headers: dict[str, str]) -> Reply:
        value = quote(echo(hidden, headers), safe=" ")
        return Reply(events(comment(hidden)).content(), status, {name: f"https://a.example.com/{value}?x={value}"})

    return answer


def in_body(status: int, template: str = "{}", content_type: str = "application/json") -> Answer:
    """An answer with everything in its body."""

    def answer(hidden: Hidden, headers: dict[str, str]) -> Reply:
        said = json.dumps(echo(hidden, headers))[1:-1]
        return Reply(template.replace("{}", said).encode(), status, {"Content-Type": content_type})

    return answer


def as_code(hidden: Hidden, _: dict[str, str]) -> Reply:
    """An error whose code is the secret itself, as a server that echoes what it was sent would write it."""
    return Reply({"error": hidden.password, "title": hidden.minted, "code": hidden.text}, 400)


def written(before: bytes = b"", after: bytes = b"") -> Answer:
    """An answer that is cut, written by hand."""

    def answer(hidden: Hidden, headers: dict[str, str]) -> Callable[[BaseHTTPRequestHandler], None]:
        def cut(handler: BaseHTTPRequestHandler) -> None:
            said = echo(hidden, headers).encode("unicode_escape")
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + before + said + after)
            handler.close_connection = True

        return cut

    return answer


def reset(hidden: Hidden, headers: dict[str, str]) -> Callable[[BaseHTTPRequestHandler], None]:
    """A connection that is reset in the middle of the body."""

    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + quote(echo(hidden, headers)).encode())
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        os.close(handler.connection.detach())

    return cut


ANSWERS: dict[str, Answer] = {
    "success": lambda hidden, _: events(comment(hidden)),
    "success with odd fields": lambda hidden, _: events(
        comment(hidden, ticket_id=hidden.text, via=[hidden.text], event_type={"a": hidden.text}, **{hidden.text: 1})
    ),
    "two bodies for one id": lambda hidden, _: events(comment(hidden), comment(hidden, system=hidden.text)),
    "400": in_body(400, '{"error": "{}", "description": "{}"}'),
    "401": in_body(401, '{"error": "{}"}'),
    "403": in_body(403, '{"error": {"title": "{}", "message": "{}"}}'),
    "404": in_body(404, '{"error": "{}"}'),
    "422": in_body(422, "Too recent start_time. {}", "text/plain"),
    "429": in_body(429, '{"error": "{}"}'),
    "500": in_body(500, '{"error": "{}"}'),
    "504": in_body(504, "upstream request timeout {}", "text/plain"),
    "error code that echoes": as_code,
    "HTML that echoes": in_body(200, "<html>{}</html>", "text/html"),
    "text that echoes": in_body(200, "{}", "text/plain"),
    "JSON of another shape": in_body(200, '["{}"]'),
    "JSON that is cut": in_body(200, '{"ticket_events": [{"id": 1, "via": "{}'),
    "JSON that is broken": in_body(200, '{"ticket_events": [{"id": 1, "via": "{}", {}]}'),
    "envelope of wrong types": in_body(200, '{"ticket_events": [], "end_of_stream": "{}", "end_time": "{}"}'),
    "text as id": lambda hidden, _: events(comment(hidden, id=hidden.text)),
    "text as times": lambda hidden, _: events(comment(hidden, timestamp=hidden.text, created_at=hidden.text)),
    "text as end_time": lambda hidden, _: events(comment(hidden), end_time=hidden.text),
    "text that is no UTF-8": lambda hidden, _: Reply(events(comment(hidden)).content().replace(b"<p>", b"\xff")),
    "redirect": in_headers("Location", 302),
    "redirect for good": in_headers("Location", 308),
    "redirect to a host that echoes": lambda hidden, _: Reply(
        b"",
        302,
        {"Location": f"https://{quote(hidden.password, safe='')}.{quote(hidden.minted, safe='')}.example.com/"},
    ),
    "content type": in_headers("Content-Type"),
    "content encoding": in_headers("Content-Encoding"),
    "date": in_headers("Date"),
    "retry-after": in_headers("Retry-After", 429),
    "counters": in_headers("Zendesk-RateLimit-Incremental-Exports", 503),
    "cookie": in_headers("Set-Cookie", 503),
    "reset": reset,
    "cut": written(b"Content-Length: 10000\r\n\r\n"),
    "cut chunk": written(b"Transfer-Encoding: chunked\r\n\r\n", b"\r\n"),
    "headers that are none": written(after=b"\r\nContent-Length: 0\r\n\r\n"),
}


class Capture(logging.Handler):
    """Every record of every logger, as text with its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it, formatted as a log file would have it and with its raw arguments."""
        self.lines += [self.format(record), repr(record.args)]


@contextlib.contextmanager
def everything_logged() -> Iterator[Capture]:
    """All loggers at their most talkative."""
    capture, root = Capture(), logging.getLogger()
    named = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]
    levels = {logger: logger.level for logger in (root, *named) if logger.level}
    for logger in levels:
        logger.setLevel(logging.DEBUG)
    root.addHandler(capture)
    try:
        yield capture
    finally:
        root.removeHandler(capture)
        for logger, level in levels.items():
            logger.setLevel(level)


def footer(path: Path) -> bytes:
    """The footer of a Parquet file: its metadata, schema and statistics, without the rows."""
    content = path.read_bytes()
    return content[-8 - int.from_bytes(content[-8:-4], "little") :]


def run(folder: Path, hidden: Hidden, answer: Answer) -> Seen:
    """One task with its asset event, a connection test and a data frame, and all that they let out."""
    seen, time = Seen(), FakeClock()
    outlet = Outlet()

    def reply(handler: BaseHTTPRequestHandler) -> None:
        minted = Reply({"access_token": hidden.minted, "expires_in": 1800})
        is_token = handler.path == "/oauth/tokens"
        given = minted if is_token else answer(hidden, dict(handler.headers.items()))
        if isinstance(given, Reply):
            write(handler, given)
        else:
            given(handler)

    class Task(ZendeskIncrementalExportOperator):
        @cached_property
        def hook(self) -> ZendeskHook:
            return ZendeskHook(retry_budget=RetryBudget(page_seconds=3), sleep=time.sleep, clock=time.clock)

    printed = io.StringIO()
    with (
        scripted(reply) as server,
        pytest.MonkeyPatch.context() as patch,
        everything_logged() as log,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        patch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", hidden.connection(server))
        task = Task(
            task_id="export",
            destination=folder.as_uri(),
            include=["comment_events"],
            hash_fields=["updater_id"],
            outlets=[EVENTS],
        )
        context: Any = DAY | {"outlet_events": OutletEvents(outlet)}
        task.render_template_fields(context, jinja2.Environment(autoescape=False))
        seen.parts["told"] = repr(task.hook.test_connection())
        seen.parts["account"] = repr(vars(task.hook)) + repr(task.hook.connection_settings)
        try:
            seen.parts["xcom"] = json.dumps(task.execute(context), ensure_ascii=False)
        except (AirflowFailException, ZendeskError) as error:
            seen.parts["error"] = f"{error} {error!r} {error.args!r}"
            seen.parts["pickle"] = repr(pickle.dumps(error))
            seen.parts["traceback"] = "".join(traceback.format_exception(error))
        task.hook.get_conn().close()
    seen.parts["asset event"] = json.dumps([outlet.extra, outlet.partitions], ensure_ascii=False)
    stored = [path for path in folder.rglob("*") if path.is_file()]
    seen.parts["keys"] = "\n".join(map(str, stored))
    seen.parts["footers"] = repr([footer(path) for path in stored if path.suffix == ".parquet"])
    seen.parts["records"] = repr([path.read_bytes() for path in stored if path.suffix == ".json"])
    seen.parts["log"] = "\n".join(log.lines)
    seen.parts["printed"] = printed.getvalue()
    return seen


words = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=6, max_size=12)
letters = st.text("abcdefXYZ_", min_size=6, max_size=12)
visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6, max_size=12)


@st.composite
def hiddens(draw: st.DrawFn) -> Hidden:
    """Secrets of every kind of character that can be one, and a text that is no one's."""
    way = draw(st.sampled_from(["api token", "access token", "oauth client", "apache's"]))
    password = draw(letters | (visible if way == "access token" else words))
    hash_key = f"a hash key that is long enough {draw(words)}"
    return Hidden(way, f"passkey{password}", f"minted{draw(letters | visible)}", f"Dear Zoë, {draw(words)}", hash_key)


@pytest.mark.parametrize("answer", ANSWERS)
@settings(max_examples=2, phases=[Phase.reuse, Phase.generate])  # smaller examples of a leak say no more
@given(hidden=hiddens())
def test_nothing_hidden_is_let_out(tmp_path_factory: pytest.TempPathFactory, answer: str, hidden: Hidden) -> None:
    """Law: whatever a server sends back, none of it stands in what the run lets out."""
    seen = run(tmp_path_factory.mktemp("dataset"), hidden, ANSWERS[answer])
    assert ("xcom" in seen.parts) == (answer in {"success", "success with odd fields", "two bodies for one id"})
    assert "Starting new HTTP connection" in seen.parts["log"], "the loggers were not heard"
    seen.check(hidden)
