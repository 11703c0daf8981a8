"""No secret in any encoding and no customer text leaves a run, whether it succeeds or fails."""

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
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, quote_plus

import jinja2
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from airflow_zendesk.compat import AirflowRescheduleException
from airflow_zendesk.exceptions import ZendeskError
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.operators.incremental_export import ZendeskIncrementalExportOperator
from airflow_zendesk.zendesk.retry import RetryBudget
from tests.support.asset_events import EVENTS, Outlet, OutletEvents
from tests.support.clocks import FakeClock
from tests.support.scripted_server import Reply, ScriptedServer, scripted_server, send

DAY = {"data_interval_start": datetime(2026, 1, 1, tzinfo=UTC), "data_interval_end": datetime(2026, 1, 2, tzinfo=UTC)}
START = 1_767_225_600
EXPORTS = "/api/v2/incremental/ticket_events"


@dataclass(frozen=True)
class Sensitive:
    """What must not leave a run: the secrets of a connection and a customer's text."""

    auth_method: str
    password: str
    issued_token: str
    text: str
    hash_key: str

    def connection(self, server: ScriptedServer) -> str:
        """A connection with this authentication method."""
        match self.auth_method:
            case "api token":
                return server.connection(password=self.password, hash_key=self.hash_key)
            case "access token":
                return server.connection(login="", password=self.password, hash_key=self.hash_key)
            case "oauth client":
                return server.connection(login="my_client", password=self.password, hash_key=self.hash_key)
        apache = {"conn_type": "zendesk", "login": "a@example.com", "password": "", "token": self.password}
        return server.connection(**apache, hash_key=self.hash_key)

    def variants(self) -> Iterator[str]:
        """Each value in every encoding in which it could be printed, computed independently of the code under test."""
        login = "a@example.com/token" if self.auth_method == "apache's" else "agent@example.com/token"
        for value in (self.password, self.issued_token, self.text, self.hash_key):
            yield value
            yield from (quote(value), quote(value, safe=""), quote_plus(value))
            yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1])
            yield from (repr(value.encode())[2:-1], value.encode().hex(), value.lower())
            yield base64.b64encode(value.encode()).decode().rstrip("=")
        yield base64.b64encode(f"{login}:{self.password}".encode()).decode()


@dataclass
class Output:
    """Everything that a run writes or returns, by where it appears."""

    parts: dict[str, str] = field(default_factory=dict)

    def check(self, sensitive: Sensitive) -> None:
        """No variant of a sensitive value is in any part."""
        for variant in sensitive.variants():
            assert [] == [where for where, part in self.parts.items() if variant in part], variant


Responder = Callable[[Sensitive, dict[str, str]], Reply | Callable[[BaseHTTPRequestHandler], None]]


def echo(sensitive: Sensitive, headers: dict[str, str]) -> str:
    """Everything that a server knows and could send back."""
    return f"{headers.get('Authorization', '')} {sensitive.password} {sensitive.issued_token} {sensitive.text}"


def events(*records: dict[str, Any], **envelope: Any) -> Reply:
    """A last page."""
    return Reply({"ticket_events": records, "count": len(records), "end_of_stream": True} | envelope)


def comment(sensitive: Sensitive, **members: Any) -> dict[str, Any]:
    """An event with customer text in the comment, and with secrets in other fields."""
    body = f"{sensitive.text} {sensitive.password} {sensitive.issued_token}"
    child = {"id": 2, "type": "Comment", "body": sensitive.text, "html_body": f"<p>{body}</p>", "event_type": "Comment"}
    return {"id": 1, "timestamp": START + 5, "ticket_id": 7, "child_events": [child], "system": {"a": body}} | members


def in_headers(name: str, status: int = 200) -> Responder:
    """A page that echoes everything in one header."""

    def respond(sensitive: Sensitive, headers: dict[str, str]) -> Reply:
        value = quote(echo(sensitive, headers), safe=" ")
        return Reply(events(comment(sensitive)).content(), status, {name: f"https://a.example.com/{value}?x={value}"})

    return respond


def in_body(status: int, template: str = "{}", content_type: str = "application/json") -> Responder:
    """A response that echoes everything in its body."""

    def respond(sensitive: Sensitive, headers: dict[str, str]) -> Reply:
        echoed = json.dumps(echo(sensitive, headers))[1:-1]
        return Reply(template.replace("{}", echoed).encode(), status, {"Content-Type": content_type})

    return respond


def as_code(sensitive: Sensitive, _: dict[str, str]) -> Reply:
    """An error response whose code is the secret itself."""
    return Reply({"error": sensitive.password, "title": sensitive.issued_token, "code": sensitive.text}, 400)


def written(before: bytes = b"", after: bytes = b"") -> Responder:
    """A truncated response, written by hand."""

    def respond(sensitive: Sensitive, headers: dict[str, str]) -> Callable[[BaseHTTPRequestHandler], None]:
        def cut(handler: BaseHTTPRequestHandler) -> None:
            echoed = echo(sensitive, headers).encode("unicode_escape")
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + before + echoed + after)
            handler.close_connection = True

        return cut

    return respond


def reset(sensitive: Sensitive, headers: dict[str, str]) -> Callable[[BaseHTTPRequestHandler], None]:
    """A connection that is reset in the middle of the body."""

    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + quote(echo(sensitive, headers)).encode()
        )
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        os.close(handler.connection.detach())

    return cut


RESPONDERS: dict[str, Responder] = {
    "success": lambda sensitive, _: events(comment(sensitive)),
    "success with unusual fields": lambda sensitive, _: events(
        comment(
            sensitive,
            ticket_id=sensitive.text,
            via=[sensitive.text],
            event_type={"a": sensitive.text},
            **{sensitive.text: 1},
        )
    ),
    "two bodies for one id": lambda sensitive, _: events(comment(sensitive), comment(sensitive, system=sensitive.text)),
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
    "truncated JSON": in_body(200, '{"ticket_events": [{"id": 1, "via": "{}'),
    "invalid JSON": in_body(200, '{"ticket_events": [{"id": 1, "via": "{}", {}]}'),
    "envelope of wrong types": in_body(200, '{"ticket_events": [], "end_of_stream": "{}", "end_time": "{}"}'),
    "text as id": lambda sensitive, _: events(comment(sensitive, id=sensitive.text)),
    "text as times": lambda sensitive, _: events(
        comment(sensitive, timestamp=sensitive.text, created_at=sensitive.text)
    ),
    "text as end_time": lambda sensitive, _: events(comment(sensitive), end_time=sensitive.text),
    "text that is not UTF-8": lambda sensitive, _: Reply(events(comment(sensitive)).content().replace(b"<p>", b"\xff")),
    "redirect": in_headers("Location", 302),
    "permanent redirect": in_headers("Location", 308),
    "redirect to a host that echoes": lambda sensitive, _: Reply(
        b"",
        302,
        {"Location": f"https://{quote(sensitive.password, safe='')}.{quote(sensitive.issued_token, safe='')}.test/"},
    ),
    "content type": in_headers("Content-Type"),
    "content encoding": in_headers("Content-Encoding"),
    "date": in_headers("Date"),
    "retry-after": in_headers("Retry-After", 429),
    "rate limit headers": in_headers("Zendesk-RateLimit-Incremental-Exports", 503),
    "cookie": in_headers("Set-Cookie", 503),
    "reset": reset,
    "truncated body": written(b"Content-Length: 10000\r\n\r\n"),
    "truncated chunk": written(b"Transfer-Encoding: chunked\r\n\r\n", b"\r\n"),
    "invalid headers": written(after=b"\r\nContent-Length: 0\r\n\r\n"),
}


class Capture(logging.Handler):
    """All log records of all loggers, as text with their tracebacks."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Store the record, formatted as in a log file and with its raw arguments."""
        self.lines += [self.format(record), repr(record.args)]


@contextlib.contextmanager
def everything_logged() -> Iterator[Capture]:
    """Set all loggers to DEBUG and capture them."""
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
    """The footer of a Parquet file: metadata, schema and statistics, without rows."""
    content = path.read_bytes()
    return content[-8 - int.from_bytes(content[-8:-4], "little") :]


def run(folder: Path, sensitive: Sensitive, responder: Responder) -> Output:
    """Run a connection test and a task with its asset event; return everything that they write or return."""
    output, time = Output(), FakeClock()
    outlet = Outlet()

    def reply(handler: BaseHTTPRequestHandler) -> None:
        issued_token = Reply({"access_token": sensitive.issued_token, "expires_in": 1800})
        is_token = handler.path == "/oauth/tokens"
        given = issued_token if is_token else responder(sensitive, dict(handler.headers.items()))
        if isinstance(given, Reply):
            send(handler, given)
        else:
            given(handler)

    class Task(ZendeskIncrementalExportOperator):
        @cached_property
        def hook(self) -> ZendeskHook:
            return ZendeskHook(retry_budget=RetryBudget(page_seconds=3), sleep=time.sleep, clock=time.clock)

    printed = io.StringIO()
    with (
        scripted_server(reply) as server,
        pytest.MonkeyPatch.context() as patch,
        everything_logged() as log,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        patch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", sensitive.connection(server))
        task = Task(
            task_id="export",
            destination=folder.as_uri(),
            include=["comment_events"],
            hash_fields=["updater_id"],
            outlets=[EVENTS],
        )
        ti = SimpleNamespace(get_first_reschedule_date=lambda _: None)
        context: Any = DAY | {"outlet_events": OutletEvents(outlet), "ti": ti}
        task.render_template_fields(context, jinja2.Environment(autoescape=False))
        output.parts["connection test"] = repr(task.hook.test_connection())
        output.parts["account"] = repr(vars(task.hook)) + repr(task.hook.connection_settings)
        try:
            output.parts["xcom"] = json.dumps(task.execute(context), ensure_ascii=False)
        except (AirflowFailException, AirflowRescheduleException, ZendeskError) as error:
            output.parts["error"] = f"{error} {error!r} {error.args!r}"
            output.parts["pickle"] = repr(pickle.dumps(error))
            output.parts["traceback"] = "".join(traceback.format_exception(error))
        task.hook.get_conn().close()
    output.parts["asset event"] = json.dumps([outlet.extra, outlet.partitions], ensure_ascii=False)
    stored = [path for path in folder.rglob("*") if path.is_file()]
    output.parts["keys"] = "\n".join(map(str, stored))
    output.parts["footers"] = repr([footer(path) for path in stored if path.suffix == ".parquet"])
    output.parts["settings files"] = repr([path.read_bytes() for path in stored if path.suffix == ".json"])
    output.parts["log"] = "\n".join(log.lines)
    output.parts["printed"] = printed.getvalue()
    return output


words = st.text(st.characters(min_codepoint=33, exclude_categories=["Cs", "Cc", "Cf", "Z"]), min_size=6, max_size=12)
letters = st.text("abcdefXYZ_", min_size=6, max_size=12)
visible = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6, max_size=12)


@st.composite
def sensitive_values(draw: st.DrawFn) -> Sensitive:
    """Secrets of every kind of character that is allowed in one, and an invented customer text."""
    method = draw(st.sampled_from(["api token", "access token", "oauth client", "apache's"]))
    password = draw(letters | (visible if method == "access token" else words))
    hash_key = f"a hash key that is long enough {draw(words)}"
    return Sensitive(
        method, f"passkey{password}", f"issued{draw(letters | visible)}", f"Dear Zoë, {draw(words)}", hash_key
    )


@pytest.mark.parametrize("responder", RESPONDERS)
@settings(max_examples=2, phases=[Phase.reuse, Phase.generate])  # a smaller example of a leak would show nothing new
@given(sensitive=sensitive_values())
def test_no_secret_and_no_customer_text_leaves_a_run(
    tmp_path_factory: pytest.TempPathFactory, responder: str, sensitive: Sensitive
) -> None:
    """Law: whatever a server returns, no sensitive value is in the output of the run."""
    output = run(tmp_path_factory.mktemp("dataset"), sensitive, RESPONDERS[responder])
    assert ("xcom" in output.parts) == (
        responder in {"success", "success with unusual fields", "two bodies for one id"}
    )
    assert "Starting new HTTP connection" in output.parts["log"], "the loggers were not captured"
    output.check(sensitive)
