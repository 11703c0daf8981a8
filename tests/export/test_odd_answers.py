"""docs/odd-answers.md is true: every row of its tables is a case here, and every case a row there."""

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
    oddity: (becomes, seen)
    for oddity, becomes, seen in re.findall(
        r"^\| (.+?) \| (.+?) \| (.+?) \|$", (ROOT / "docs/odd-answers.md").read_text(), re.MULTILINE
    )
    if oddity != "Zendesk answers"
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """Answers in turn, the ids that are exported from them, and what else must be true of the rows, sorted by id."""

    replies: Sequence[Reply]
    ids: Sequence[int] = ()
    rows: Callable[[list[Row]], object] = lambda _: True
    windows: Sequence[Window] = (FIRST_DAY,)
    #: How many requests it takes, where that is the point.
    requests: int | None = None


def last(*events: Row | tuple[int, int], end_time: int | None = None, **envelope: Any) -> Reply:
    """A page that ends the stream; events are objects, or ids with their seconds after the start of the window."""
    records = [
        event if isinstance(event, dict) else {"id": event[0], "timestamp": START + event[1]} for event in events
    ]
    return Reply({"ticket_events": records, "end_time": end_time, "end_of_stream": True} | envelope)


def more(*events: Row | tuple[int, int], to: int | None) -> Reply:
    """A page with more to come; ``to`` is its end_time in seconds after the start of the window."""
    return last(*events, end_time=None if to is None else START + to, end_of_stream=False)


def event(**members: Any) -> Row:
    """An event with these members."""
    return {"id": 1, "timestamp": START, **members}


def raw(members: str) -> Reply:
    """A page of one event, its other members written by hand."""
    body = f'{{"ticket_events": [{{"id": 1, "timestamp": {START}, {members}}}], "end_of_stream": true}}'
    return Reply(body.encode("utf-8", "surrogatepass"))


def dated(reply: Reply, date: str | None) -> Reply:
    """The same answer at another time of the server's clock; or at none."""
    reply.headers = {**reply.headers, "Date": date or ""}
    return reply


def typed(body: bytes, content_type: str) -> Reply:
    """An answer that is no JSON."""
    return Reply(body, headers={"Content-Type": content_type})


PACKED = {"Content-Encoding": "gzip"}
TEN = [(number, 5) for number in range(1, 11)]

CASES: dict[str, Case] = {
    "an event on two pages": Case([more((1, 5), (2, 6), to=6), last((2, 6), (3, 7))], [1, 2, 3]),
    "an event twice on one page": Case([last((1, 5), (1, 5))], [1]),
    "the same event on every page": Case(
        [more((9, 5), (1, 5), to=6), more((9, 5), (2, 7), (3, 8), to=8), last((9, 5))], [1, 2, 3, 9]
    ),
    "one id with two bodies, while its second is still open": Case(
        [last(event(via="first"), event(via="second"))], [1], lambda rows: rows[0]["via"] == "second"
    ),
    "one id with another body after its second was covered": Case(
        [more(event(via="first"), to=1), last(event(via="second"))], [1], lambda rows: rows[0]["via"] == "first"
    ),
    "an event older than the window": Case([last((1, -500), (2, 5))], [1, 2], lambda rows: rows[0]["late"]),
    "an event at or after the end of the window": Case([last((1, 5), (2, 86_400), (3, 86_401))], [1]),
    # Event 2 happened on the first day and was delivered on the second: both days are answered it.
    "events sorted by delivery, not by their own time": Case(
        [last((1, 5), (2, 86_390), (3, 86_405)), last((2, 86_390), (3, 86_405))],
        [1, 2, 2, 3],
        lambda rows: [row["late"] for row in rows] == [False, False, True, False],
        windows=(FIRST_DAY, SECOND_DAY),
    ),
    "thousands of events in one second": Case(
        [more(*[(number, 5) for number in range(3_000)], to=6), last((3_000, 7))], range(3_001), requests=2
    ),
    "a page cut in the middle of a second": Case(
        [more((1, 5), *[(number, 6) for number in (4, 2)], to=6), last((5, 6), (3, 6), (2, 6))], [1, 2, 3, 4, 5]
    ),
    "a page in no order": Case([last((3, 9), (1, 7), (4, 5), (2, 7))], [1, 2, 3, 4]),
    "an empty page in the middle": Case([more((1, 5), to=6), *[more(to=50)] * 3, last((2, 60))], [1, 2], requests=5),
    "an empty page in the middle, by mistake": Case(
        [more((1, 5), to=6), more(to=50), more((2, 7), (3, 50), to=50), last((4, 60))], [1, 2, 3, 4], requests=4
    ),
    "a full page that says it is the last": Case(
        [last(*[(number, number) for number in range(1_000)]), last((1_000, 1_000))], range(1_001), requests=2
    ),
    "no events at all": Case([last()], []),
    "a last page whose `end_time` is null": Case([last((1, 5), end_time=None)], [1]),
    "a last page whose `end_time` is 0": Case([last((1, 5), end_time=0)], [1]),
    "a last page whose `end_time` is 1": Case([last((1, 5), end_time=1)], [1]),
    "a last page whose `end_time` is years old": Case([last(end_time=START - 10**8)], []),
    "`end_time` null with more to come": Case([more((1, 5), to=None)]),
    "`end_time` 0 or 1 with more to come": Case([more((1, 5), to=-START), more((1, 5), to=1 - START)], requests=3),
    "`end_time` going back": Case([more((1, 5), to=-60)], requests=3),
    "`end_time` that goes on once another page size is asked for": Case(
        [more((1, 0), to=0), more((1, 0), to=1), last((2, 5))], [1, 2], requests=3
    ),
    "`end_time` further on than the page, which does not advance": Case(
        [more((1, 0), (9, -5), to=60)] * 3 + [last((2, 70))], [1, 2, 9], requests=4
    ),
    "`end_time` after the server's own clock": Case([last((1, 5), end_time=2_000_000_000)]),
    "`end_of_stream` before the window has settled": Case(
        [dated(last((1, 5)), UNSETTLED), dated(last((2, 86_399)), SETTLED)], [1, 2], requests=2
    ),
    "`end_of_stream` missing": Case([Reply({"ticket_events": [], "end_time": START + 5})]),
    "`end_of_stream` that is no boolean": Case([last((1, 5), end_of_stream="yes")]),
    "`next_page` null, missing or at a foreign host": Case(
        [
            more((1, 5), to=6),
            last((2, 7), end_time=START + 8, end_of_stream=False, next_page=None),
            last((3, 9), next_page="https://elsewhere.example.com/"),
        ],
        [1, 2, 3],
        requests=3,
    ),
    "`count` above the events that came": Case([last((1, 5), count=2)]),
    "no `Date` header that can be read": Case([dated(last((1, 5)), "soon")], requests=1),
    "a `Date` that stands still": Case([dated(last((1, 5)), UNSETTLED)], requests=6),
    "a field that no column knows": Case(
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
    "a number of any size inside an open part": Case(
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
    "an event without any time": Case([last({"id": 1, "created_at": "soon"})], requests=1),
    "an event that is no object": Case([Reply({"ticket_events": [7], "end_of_stream": True})], requests=1),
    "NaN or Infinity, which are no JSON": Case([raw('"system": {"latitude": NaN}'), raw('"ticket_id": Infinity')]),
    "JSON that is cut": Case([Reply(last((1, 5)).content()[:-5])]),
    "a byte order mark, or UTF-16": Case(
        [Reply(b"\xef\xbb\xbf" + last((1, 5)).content()), Reply(json.dumps(last((1, 5)).body).encode("utf-16"))]
    ),
    "text that is no UTF-8": Case([Reply(last((1, 5), words="é").content().replace(rb"\u00e9", b"\xe9"))], requests=1),
    "JSON nested a hundred thousand deep": Case([raw('"system": ' + "[" * 100_000 + "]" * 100_000)], requests=1),
    "JSON of another shape": Case([Reply(b'["ticket_events"]')], requests=1),
    "HTML with status 200": Case([typed(b"<html>", "text/html; charset=utf-8")], requests=1),
    "text with status 200": Case([typed(b"Bad gateway", "text/plain")], requests=1),
    "a redirect": Case([Reply(b"", 302, {"Location": "https://elsewhere.example.com/login"})], requests=1),
    "a body larger than `max_page_mebibytes`": Case([Reply(b"x" * 2_000_000)], requests=10),
    "a small gzip that becomes a large body": Case([Reply(gzip.compress(bytes(50_000_000)), headers=PACKED)]),
    "gzip inside gzip": Case(
        [Reply(gzip.compress(gzip.compress(last().content())), headers={"Content-Encoding": "gzip, gzip"})]
    ),
}


def test_every_row_of_the_page_has_a_case() -> None:
    """And every case a row: neither can be forgotten."""
    assert list(ROWS) == list(CASES)


def told(report: ExportReport) -> str:
    """What a report says: its words, and those counts of anomalies that are not zero."""
    anomalies = [name for name, count in asdict(report.anomalies).items() if count]
    return "\n".join([*report.warnings(), *anomalies])


def rows_of(folder: Path) -> list[Row]:
    """All rows that are stored, by id; of a double, the one of the earlier slice first."""
    rows = [row for path in sorted(folder.rglob("*.parquet")) for row in pq.ParquetFile(path).read().to_pylist()]
    return sorted(rows, key=lambda row: row["id"])


@pytest.mark.parametrize("oddity", CASES)
def test_row_is_true(
    oddity: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The answers lead to the rows, or to the error and to no rows; and the run tells what the page says it does."""
    case, (becomes, seen) = CASES[oddity], ROWS[oddity]
    promised = re.findall(r"`([^`]+)`", seen)
    errors = [vars(exceptions)[name] for name in promised if name.endswith("Error")]
    time = FakeClock()
    hook = ZendeskHook(patience=RetryBudget(page_seconds=5), sleep=time.sleep, clock=time.clock)
    words = []
    with scripted_server(*case.replies) as server, caplog.at_level(logging.INFO, "airflow_zendesk"):
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection(login="", max_page_mebibytes=1))
        try:
            for window in case.windows:
                words += [told(export_window(hook, tmp_path.as_uri(), Query.of("ticket_events"), window))]
        except ZendeskError as error:
            words += [type(error).__name__, str(error)]
            assert [type(error)] == errors  # noqa: PT017  a case may end in an error or in none
    rows = rows_of(tmp_path)
    assert list(case.ids) == [row["id"] for row in rows]
    assert case.rows(rows)
    assert bool(errors) == (not list(tmp_path.rglob("*.parquet")))
    assert case.requests in {None, len(server.paths)}
    assert len(server.paths) > ("asked for again" in becomes)
    everything = "\n".join([*words, *caplog.messages])
    assert [] == [word for word in promised if word not in everything]
    if not promised:
        assert "nothing" == seen
        assert "" == "".join(words)
