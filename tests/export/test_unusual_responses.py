"""Each row of docs/unusual-responses.md is a case here, and each case a row there."""

import gzip
import json
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from airflow_zendesk import exceptions
from airflow_zendesk.exceptions import ZendeskError
from airflow_zendesk.export.report import ExportReport
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.window import Window
from airflow_zendesk.zendesk.resources import Query
from airflow_zendesk.zendesk.retry import RetryBudget
from tests.support.clocks import FakeClock
from tests.support.commands import ROOT
from tests.support.scripted_server import Reply, scripted_server

FIRST_DAY = Window.of("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
SECOND_DAY = Window.of("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z")
START, END = FIRST_DAY.start_time, FIRST_DAY.end_time
SETTLED = "Fri, 02 Jan 2026 00:05:00 GMT"
UNSETTLED = "Fri, 02 Jan 2026 00:03:00 GMT"
ROWS: dict[str, tuple[str, str]] = {
    returned: (effect, reported)
    for returned, effect, reported in re.findall(
        r"^\| (.+?) \| (.+?) \| (.+?) \|$", (ROOT / "docs/unusual-responses.md").read_text(), re.MULTILINE
    )
    if returned != "Zendesk returns"
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """Responses in their order, the ids exported from them, and a condition on the rows, sorted by id."""

    replies: Sequence[Reply]
    ids: Sequence[int] = ()
    rows: Callable[[list[Row]], object] = lambda _: True
    windows: Sequence[Window] = (FIRST_DAY,)
    #: The number of requests, where it matters.
    requests: int | None = None


def last(*events: Row | tuple[int, int], end_time: int | None = None, **envelope: Any) -> Reply:
    """A page with end_of_stream; events are objects, or ids with seconds after the start of the window."""
    records = [
        event if isinstance(event, dict) else {"id": event[0], "timestamp": START + event[1]} for event in events
    ]
    return Reply({"ticket_events": records, "end_time": end_time, "end_of_stream": True} | envelope)


def more(*events: Row | tuple[int, int], to: int | None) -> Reply:
    """A page that is not the last; ``to`` is its end_time in seconds after the start of the window."""
    return last(*events, end_time=None if to is None else START + to, end_of_stream=False)


def event(**members: Any) -> Row:
    """An event with these members."""
    return {"id": 1, "timestamp": START, **members}


def raw(members: str) -> Reply:
    """A page of one event with these members, as JSON text."""
    body = f'{{"ticket_events": [{{"id": 1, "timestamp": {START}, {members}}}], "end_of_stream": true}}'
    return Reply(body.encode("utf-8", "surrogatepass"))


def dated(reply: Reply, date: str | None) -> Reply:
    """The same response with another Date header."""
    reply.headers = {**reply.headers, "Date": date or ""}
    return reply


def typed(body: bytes, content_type: str) -> Reply:
    """A response that is not JSON."""
    return Reply(body, headers={"Content-Type": content_type})


PACKED = {"Content-Encoding": "gzip"}
TEN = [(number, 5) for number in range(1, 11)]

CASES: dict[str, Case] = {
    "the same event on two pages": Case([more((1, 5), (2, 6), to=6), last((2, 6), (3, 7))], [1, 2, 3]),
    "the same event twice on one page": Case([last((1, 5), (1, 5))], [1]),
    "the same event on every page": Case(
        [more((9, 5), (1, 5), to=6), more((9, 5), (2, 7), (3, 8), to=8), last((9, 5))], [1, 2, 3, 9]
    ),
    "one id with two bodies, before its second is complete": Case(
        [last(event(via="first"), event(via="second"))], [1], lambda rows: rows[0]["via"] == "second"
    ),
    "one id with another body, after its second is complete": Case(
        [more(event(via="first"), to=1), last(event(via="second"))], [1], lambda rows: rows[0]["via"] == "first"
    ),
    "an event older than the window": Case([last((1, -500), (2, 5))], [1, 2], lambda rows: rows[0]["late"]),
    "an event at or after the end of the window": Case([last((1, 5), (2, 86_400), (3, 86_401))], [1]),
    # Event 2 happened on the first day and was delivered on the second: it is returned for both.
    "events sorted by delivery instead of by their own time": Case(
        [last((1, 5), (2, 86_390), (3, 86_405)), last((2, 86_390), (3, 86_405))],
        [1, 2, 2, 3],
        lambda rows: [row["late"] for row in rows] == [False, False, True, False],
        windows=(FIRST_DAY, SECOND_DAY),
    ),
    "thousands of events in one second": Case(
        [more(*[(number, 5) for number in range(3_000)], to=6), last((3_000, 7))], range(3_001), requests=2
    ),
    "a page that ends in the middle of a second": Case(
        [more((1, 5), *[(number, 6) for number in (4, 2)], to=6), last((5, 6), (3, 6), (2, 6))], [1, 2, 3, 4, 5]
    ),
    "a page that is not sorted": Case([last((3, 9), (1, 7), (4, 5), (2, 7))], [1, 2, 3, 4]),
    "an empty page before the end": Case([more((1, 5), to=6), *[more(to=50)] * 3, last((2, 60))], [1, 2], requests=5),
    "an empty page before the end, once": Case(
        [more((1, 5), to=6), more(to=50), more((2, 7), (3, 50), to=50), last((4, 60))], [1, 2, 3, 4], requests=4
    ),
    "a full page with `end_of_stream`": Case(
        [last(*[(number, number) for number in range(1_000)]), last((1_000, 1_000))], range(1_001), requests=2
    ),
    "no events at all": Case([last()], []),
    "a last page whose `end_time` is null": Case([last((1, 5), end_time=None)], [1]),
    "a last page whose `end_time` is 0": Case([last((1, 5), end_time=0)], [1]),
    "a last page whose `end_time` is 1": Case([last((1, 5), end_time=1)], [1]),
    "a last page whose `end_time` is years old": Case([last(end_time=START - 10**8)], []),
    "`end_time` null on a page that is not the last": Case([more((1, 5), to=None)]),
    "`end_time` 0 or 1 on a page that is not the last": Case(
        [more((1, 5), to=-START), more((1, 5), to=1 - START)], requests=3
    ),
    "`end_time` before `start_time`": Case([more((1, 5), to=-60)], requests=3),
    "`end_time` that advances only with another page size": Case(
        [more((1, 0), to=0), more((1, 0), to=1), last((2, 5))], [1, 2], requests=3
    ),
    "`end_time` that advances although the page does not": Case(
        [more((1, 0), (9, -5), to=60)] * 3 + [last((2, 70))], [1, 2, 9], requests=4
    ),
    "`end_time` after the server's own clock": Case([last((1, 5), end_time=2_000_000_000)]),
    "`end_of_stream` before the window has settled": Case(
        [dated(last((1, 5)), UNSETTLED), dated(last((2, 86_399)), SETTLED)], [1, 2], requests=2
    ),
    "no `end_of_stream`": Case([Reply({"ticket_events": [], "end_time": START + 5})]),
    "`end_of_stream` that is not a boolean": Case([last((1, 5), end_of_stream="yes")]),
    "`next_page` null, missing or on another host": Case(
        [
            more((1, 5), to=6),
            last((2, 7), end_time=START + 8, end_of_stream=False, next_page=None),
            last((3, 9), next_page="https://elsewhere.example.com/"),
        ],
        [1, 2, 3],
        requests=3,
    ),
    "`count` larger than the number of events": Case([last((1, 5), count=2)]),
    "no readable `Date` header": Case([dated(last((1, 5)), "soon")], requests=1),
    "a `Date` header that does not advance": Case([dated(last((1, 5)), UNSETTLED)], requests=6),
    "a field without a column": Case(
        [last(event(sentiment={"score": 1}))], [1], lambda rows: rows[0]["extra"] == '{"sentiment":{"score": 1}}'
    ),
    "a value of another type": Case(
        [last(event(ticket_id="five"))],
        [1],
        lambda rows: (rows[0]["ticket_id"], rows[0]["extra"]) == (None, '{"ticket_id":"five"}'),
    ),
    "an integer beyond 64 bits in a column": Case(
        [raw(f'"ticket_id": {10**40 + 7}')], [1], lambda rows: rows[0]["extra"] == f'{{"ticket_id":{10**40 + 7}}}'
    ),
    "a number of any size inside a JSON column": Case(
        [raw(f'"system": {{"big": {10**400}, "huge": 1e999, "fine": 0.10}}')],
        [1],
        lambda rows: rows[0]["system"] == f'{{"big": {10**400}, "huge": 1e999, "fine": 0.10}}',
    ),
    "a time before 1970 or after 9999 in a column": Case(
        [last(event(created_at="0001-01-01T00:00:00Z"))],
        [1],
        lambda rows: (rows[0]["created_at"], rows[0]["extra"]) == (None, '{"created_at":"0001-01-01T00:00:00Z"}'),
    ),
    "`via` as an object": Case(
        [last(event(via={"channel": "web"}))],
        [1],
        lambda rows: (rows[0]["via"], rows[0]["extra"]) == ("web", '{"via":{"channel": "web"}}'),
    ),
    "the shape of metric events under `ticket_events`": Case(
        [last({"id": 1, "instance_id": 0, "metric": "reply_time", "type": "measure", "time": "2026-01-01T00:00:05Z"})],
        [1],
        lambda rows: (rows[0]["instance_id"], rows[0]["metric"], rows[0]["type"]) == (0, "reply_time", "measure"),
    ),
    "the same key twice in one event": Case(
        [raw('"via": "first", "via": "second"')], [1], lambda rows: rows[0]["via"] == "second"
    ),
    "half a surrogate pair": Case(
        [raw(r'"via": "cut \ud83d", "system": {"a": "\ude00"}')],
        [1],
        lambda rows: (rows[0]["via"], rows[0]["system"]) == ("cut \ufffd", r'{"a": "\ufffd"}'),
    ),
    "NUL in a text": Case([last(event(via="a\0b"))], [1], lambda rows: rows[0]["via"] == "a\0b"),
    "an event without `id`": Case([last({"timestamp": START})], requests=1),
    "an event whose `id` is text": Case([last({"id": "1", "timestamp": START})], requests=1),
    "an event whose `id` is beyond 64 bits": Case([last({"id": 2**63, "timestamp": START})], requests=1),
    "an event without a valid time": Case([last({"id": 1, "created_at": "soon"})], requests=1),
    "an event that is not an object": Case([Reply({"ticket_events": [7], "end_of_stream": True})], requests=1),
    "NaN or Infinity, which JSON does not allow": Case(
        [raw('"system": {"latitude": NaN}'), raw('"ticket_id": Infinity')]
    ),
    "truncated JSON": Case([Reply(last((1, 5)).content()[:-5])]),
    "a byte order mark, or UTF-16": Case(
        [Reply(b"\xef\xbb\xbf" + last((1, 5)).content()), Reply(json.dumps(last((1, 5)).body).encode("utf-16"))]
    ),
    "text that is not UTF-8": Case([Reply(last((1, 5), words="é").content().replace(rb"\u00e9", b"\xe9"))], requests=1),
    "JSON nested a hundred thousand levels deep": Case([raw('"system": ' + "[" * 100_000 + "]" * 100_000)], requests=1),
    "JSON of another shape": Case([Reply(b'["ticket_events"]')], requests=1),
    "HTML with status 200": Case([typed(b"<html>", "text/html; charset=utf-8")], requests=1),
    "text with status 200": Case([typed(b"Bad gateway", "text/plain")], requests=1),
    "a redirect": Case([Reply(b"", 302, {"Location": "https://elsewhere.example.com/login"})], requests=1),
    "a body larger than `max_page_mebibytes`": Case([Reply(b"x" * 2_000_000)], requests=10),
    "a small gzip that expands to a large body": Case([Reply(gzip.compress(bytes(50_000_000)), headers=PACKED)]),
    "gzip inside gzip": Case(
        [Reply(gzip.compress(gzip.compress(last().content())), headers={"Content-Encoding": "gzip, gzip"})]
    ),
}


def test_every_row_of_the_page_has_a_case_and_every_case_a_row() -> None:
    """In the same order."""
    assert list(ROWS) == list(CASES)


def words_of(report: ExportReport) -> str:
    """The warnings of a report, and the names of its counts of anomalies that are not zero."""
    anomalies = [name for name, count in asdict(report.anomalies).items() if count]
    return "\n".join([*report.warnings(), *anomalies])


def rows_of(folder: Path) -> list[Row]:
    """All stored rows by id; of duplicates, the row of the earlier slice comes first."""
    rows = [row for path in sorted(folder.rglob("*.parquet")) for row in pq.ParquetFile(path).read().to_pylist()]
    return sorted(rows, key=lambda row: row["id"])


@pytest.mark.parametrize("returned", CASES)
def test_row_of_the_page_is_true(
    returned: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The responses lead to the rows, or to the error and no rows, and the run reports what the page says."""
    case, (effect, reported) = CASES[returned], ROWS[returned]
    promised = re.findall(r"`([^`]+)`", reported)
    errors = [vars(exceptions)[name] for name in promised if name.endswith("Error")]
    time = FakeClock()
    hook = ZendeskHook(retry_budget=RetryBudget(page_seconds=5), sleep=time.sleep, clock=time.clock)
    words = []
    with scripted_server(*case.replies) as server, caplog.at_level(logging.INFO, "airflow_zendesk"):
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection(login="", max_page_mebibytes=1))
        try:
            for window in case.windows:
                words += [words_of(export_window(hook, tmp_path.as_uri(), Query.of("ticket_events"), window))]
        except ZendeskError as error:
            words += [type(error).__name__, str(error)]
            assert [type(error)] == errors  # noqa: PT017  a case may end in an error or in none
    rows = rows_of(tmp_path)
    assert list(case.ids) == [row["id"] for row in rows]
    assert case.rows(rows)
    assert bool(errors) == (not list(tmp_path.rglob("*.parquet")))
    assert case.requests in {None, len(server.paths)}
    assert len(server.paths) > ("The page is retried" in effect)
    everything = "\n".join([*words, *caplog.messages])
    assert [] == [word for word in promised if word not in everything]
    if not promised:
        assert "nothing" == reported
        assert "" == "".join(words)
