"""Each fault has the effect that its description states. The client is plain `requests`, not the exporter."""

import gzip
import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from airflow_zendesk.emulator import ZendeskEmulator
from airflow_zendesk.emulator.faults import FAULTS
from tests.support.emulator_client import DAY, EVENTS, HOUR, METRICS, START, Clock, export, export_all

#: One second after the automation, which closes many tickets in one second; so a page of ten spans several seconds.
NOON = START + DAY + 12 * HOUR + 1
Json = dict[str, Any]


def page(session: requests.Session, emulator: ZendeskEmulator, **fault: Any) -> tuple[Json, Json]:
    """Return an undamaged page, and the same page with the fault."""
    emulator.set_scenario([])
    good = export(session, emulator, start_time=NOON, per_page=10, support_type_scope="all").json()
    emulator.set_scenario([fault])
    bad = export(session, emulator, start_time=NOON, per_page=10, support_type_scope="all")
    return good, json.loads(bad.content)


def ids(page: Json) -> list[int]:
    """Return the ids of the records."""
    return [record["id"] for record in page[EVENTS]]


EDITS: list[tuple[Json, Callable[[Json, Json], bool]]] = [
    ({"fault": "shuffled"}, lambda good, bad: ids(good) != ids(bad) and set(ids(good)) == set(ids(bad))),
    ({"fault": "duplicates_inside", "records": 2}, lambda _, bad: ids(bad) == ids(bad)[:10] + ids(bad)[:2]),
    (
        {"fault": "conflicting_duplicates"},
        lambda _, bad: ids(bad)[-1] == ids(bad)[-2] and bad[EVENTS][-1] != bad[EVENTS][-2] and bad["count"] == 11,
    ),
    (
        {"fault": "older_records", "records": 2, "days": 1},
        lambda _, bad: (
            [NOON - DAY <= each["timestamp"] < NOON for each in bad[EVENTS]] == [True] * 2 + [False] * 10
            and not set(ids(bad)[:2]) & set(ids(bad)[2:])
        ),
    ),
    (
        {"fault": "empty_page"},
        lambda _, bad: (bad[EVENTS], bad["count"], bad["end_of_stream"], bad["end_time"]) == ([], 0, False, NOON),
    ),
    ({"fault": "empty_page", "jumps": True}, lambda good, bad: not bad[EVENTS] and bad["end_time"] == good["end_time"]),
    ({"fault": "end_time"}, lambda _, bad: bad["end_time"] is None),
    ({"fault": "end_time", "value": 1}, lambda _, bad: bad["end_time"] == 1),
    ({"fault": "end_time", "value": "start"}, lambda _, bad: bad["end_time"] == NOON),
    ({"fault": "end_time", "value": "back"}, lambda _, bad: bad["end_time"] == NOON - HOUR),
    ({"fault": "end_time", "value": "ahead"}, lambda _, bad: bad["end_time"] == NOON + HOUR),
    ({"fault": "end_of_stream"}, lambda good, bad: (good["end_of_stream"], bad["end_of_stream"]) == (False, True)),
    ({"fault": "end_of_stream", "value": None}, lambda _, bad: bad["end_of_stream"] is None),
    ({"fault": "missing_key", "key": "end_time"}, lambda good, bad: good.keys() - bad.keys() == {"end_time"}),
    ({"fault": "next_page", "url": "https://x.example.com/"}, lambda _, bad: bad["next_page"][:11] == "https://x.e"),
    ({"fault": "count", "more": 2}, lambda _, bad: (bad["count"], len(bad[EVENTS])) == (12, 10)),
    (
        {"fault": "unknown_fields"},
        lambda good, bad: all("unknown_text" in each for each in [bad, *bad[EVENTS]]) and good.keys() < bad.keys(),
    ),
    ({"fault": "changed_types"}, lambda _, bad: {type(each["ticket_id"]) for each in bad[EVENTS]} == {str}),
    ({"fault": "missing_id"}, lambda _, bad: ["id" in each for each in bad[EVENTS]] == [True] * 9 + [False]),
    ({"fault": "not_an_object"}, lambda _, bad: bad[EVENTS][-1] == "record" and bad["count"] == 10),
    ({"fault": "huge_integers"}, lambda _, bad: {each["updater_id"] for each in bad[EVENTS]} == {2**70}),
    ({"fault": "not_a_number", "key": "x"}, lambda _, bad: all(each["x"] != each["x"] for each in bad[EVENTS])),
    ({"fault": "lone_surrogates"}, lambda _, bad: {each["via"] for each in bad[EVENTS]} == {"half \ud83d of it"}),
    ({"fault": "nul_characters"}, lambda _, bad: {each["via"] for each in bad[EVENTS]} == {"zero \0 byte"}),
    ({"fault": "deep_nesting", "depth": 3}, lambda _, bad: bad[EVENTS][-1]["metadata"] == [[[]]]),
    ({"fault": "oversized", "mebibytes": 1}, lambda good, bad: len(bad["more"]) == 2**20 and bad.keys() > good.keys()),
]


@pytest.mark.parametrize(("fault", "has_effect"), EDITS, ids=[str(fault) for fault, _ in EDITS])
def test_page_fault_has_its_effect(
    session: requests.Session, emulator: ZendeskEmulator, fault: Json, has_effect: Callable[[Json, Json], bool]
) -> None:
    """Compare the page with an undamaged one."""
    good, bad = page(session, emulator, **fault)

    assert has_effect(good, bad)


def test_records_of_the_previous_page_are_repeated(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """The first page has no previous page."""
    step = {"fault": "duplicates_across", "records": 2, "times": "always"}
    emulator.set_scenario([step])
    first = export(session, emulator, start_time=NOON, per_page=10).json()
    second = export(session, emulator, start_time=first["end_time"], per_page=10).json()

    assert (10, 12) == (first["count"], second["count"])
    assert ids(first)[:2] == ids(second)[:2]


def test_older_metric_events_have_an_older_time(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """They have no timestamp, only a time as text."""
    emulator.set_scenario([{"fault": "older_records", "records": 1, "days": 365}])
    records = export(session, emulator, METRICS, start_time=NOON, per_page=2).json()[METRICS]

    assert ["2025", *["2026"] * (len(records) - 1)] == [record["time"][:4] for record in records]


def test_invalid_utf8_is_sent_unchanged(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """The body contains a byte that is not valid UTF-8."""
    emulator.set_scenario([{"fault": "invalid_utf8"}])
    body = export(session, emulator, start_time=NOON, per_page=1).content

    assert b'"via":"byte \xff of no text"' in body


@pytest.mark.parametrize(
    ("fault", "status", "header", "value"),
    [
        ({"fault": "status", "status": 429, "retry_after": 7}, 429, "Retry-After", "7"),
        ({"fault": "status", "status": 503, "retry_after": "soon"}, 503, "Retry-After", "soon"),
        ({"fault": "status", "status": 503}, 503, "Retry-After", None),
        (
            {"fault": "status", "status": 429, "retry_after": 20, "as_date": True}, 429,
            "Retry-After", "Sat, 03 Jan 2026 12:00:20 GMT",
        ),
        ({"fault": "status", "status": 521}, 521, "Content-Type", "application/json; charset=UTF-8"),
        ({"fault": "redirect", "location": "/x", "status": 308}, 308, "Location", "/x"),
        ({"fault": "html"}, 200, "Content-Type", "text/html; charset=utf-8"),
        ({"fault": "date"}, 200, "Date", None),
        ({"fault": "date", "value": "soon"}, 200, "Date", "soon"),
        ({"fault": "double_gzip"}, 200, "Content-Encoding", "gzip, gzip"),
    ],
)  # fmt: skip
def test_response_fault_has_its_effect(
    session: requests.Session, emulator: ZendeskEmulator, fault: Json, status: int, header: str, value: str | None
) -> None:
    """Check status and headers; the emulator's clock is at noon on 3 January."""
    emulator.set_scenario([fault])
    url = f"{emulator.url}/api/v2/incremental/ticket_events"
    response = session.get(url, params={"start_time": NOON}, timeout=30, allow_redirects=False, stream=True)

    assert (status, value) == (response.status_code, response.headers.get(header))


def compressed_body(session: requests.Session, emulator: ZendeskEmulator) -> bytes:
    """Return the body of a page, still compressed."""
    url = f"{emulator.url}/api/v2/incremental/ticket_events?start_time={NOON}&per_page=10"
    body: bytes = session.get(url, timeout=30, stream=True).raw.read(decode_content=False)
    return body


def test_cut_bodies_are_complete_http_responses(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """One ends in the middle of the JSON, the other in the middle of the gzip stream."""
    emulator.set_scenario([{"fault": "cut_json"}])
    text = gzip.decompress(compressed_body(session, emulator)).decode()
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    emulator.set_scenario([{"fault": "cut_gzip"}])
    with pytest.raises(EOFError):
        gzip.decompress(compressed_body(session, emulator))


def test_gzip_bomb_is_small_before_decompression(session: requests.Session, emulator: ZendeskEmulator) -> None:
    """Decompressed, it is a valid page."""
    emulator.set_scenario([{"fault": "gzip_bomb", "mebibytes": 5}])
    small = compressed_body(session, emulator)
    body = gzip.decompress(small)

    assert len(small) < 50_000
    assert len(body) > 5 * 2**20
    assert 10 == json.loads(body)["count"]


def raw_response(emulator: ZendeskEmulator, seconds: float = 30.0) -> bytes:
    """Return the bytes sent until the server closes the connection; raises on a reset or a timeout."""
    with socket.create_connection(("127.0.0.1", emulator.port), timeout=seconds) as client:
        client.sendall(
            f"GET /api/v2/incremental/ticket_events?start_time={NOON}&per_page=10 HTTP/1.1\r\n"
            "Authorization: Bearer invented-access-token\r\nConnection: close\r\n\r\n".encode()
        )
        received = b""
        while chunk := client.recv(65_536):
            received += chunk
        return received


@pytest.mark.parametrize("fault", ["cut_in_headers", "cut_in_body"])
def test_cut_response_closes_the_connection_normally(emulator: ZendeskEmulator, fault: str) -> None:
    """Half of the response has arrived."""
    whole = raw_response(emulator)
    emulator.set_scenario([{"fault": fault}])
    half = raw_response(emulator)

    assert 0 < len(half) < len(whole)
    assert (fault == "cut_in_body") == (b"\r\n\r\n" in half)
    assert len(whole) == len(raw_response(emulator))


@pytest.mark.parametrize(
    ("fault", "failures"), [("reset_in_headers", 1), ("reset_in_body", 1), ("reset_at_connect", 2)]
)
def test_reset_resets_the_connection(emulator: ZendeskEmulator, fault: str, failures: int) -> None:
    """`reset_at_connect` also resets the next connection."""
    emulator.set_scenario([{"fault": fault}])
    for _ in range(failures):
        with pytest.raises(ConnectionError):
            raw_response(emulator)

    assert raw_response(emulator).startswith(b"HTTP/1.1 200 OK")


def test_hang_delays_the_response_and_then_closes_the_connection(emulator: ZendeskEmulator) -> None:
    """Nothing arrives, or half. A client that disconnects ends the thread, and so does a stop of the server."""
    emulator.set_scenario([{"fault": "hang", "seconds": 0.1, "times": 1}])
    assert b"" == raw_response(emulator)
    emulator.set_scenario([{"fault": "hang", "seconds": 0.1, "in_body": True}])
    assert b"\r\n\r\n{" in raw_response(emulator)
    emulator.set_scenario([{"fault": "hang", "times": "always"}])
    with pytest.raises(TimeoutError):
        raw_response(emulator, seconds=0.2)


@pytest.mark.parametrize("in_headers", [True, False])
def test_drip_sends_the_response_byte_by_byte(emulator: ZendeskEmulator, in_headers: bool) -> None:
    """Every read returns something, but the response is not complete."""
    whole = raw_response(emulator)
    emulator.set_scenario([{"fault": "drip", "seconds": 0.01, "in_headers": in_headers}])
    with socket.create_connection(("127.0.0.1", emulator.port), timeout=30) as client:
        target = f"/api/v2/incremental/ticket_events?start_time={NOON}&per_page=10"
        client.sendall(f"GET {target} HTTP/1.1\r\nAuthorization: Bearer invented-access-token\r\n\r\n".encode())
        chunks = [client.recv(65_536) for _ in range(20)]

    assert in_headers == (b"\r\n\r\n" not in chunks[0])
    assert all(chunks)
    assert len(b"".join(chunks)) < len(whole)


def test_bulk_update_is_one_page_and_part_of_the_expected_ids(
    session: requests.Session, emulator: ZendeskEmulator, clock: Clock
) -> None:
    """Even a small page contains the whole second."""
    start, second = int(clock.now) - HOUR, int(clock.now) - HOUR // 2
    emulator.set_scenario(
        [{"fault": "bulk_update", "at": datetime.fromtimestamp(second, UTC).isoformat(), "events": 1_500}]
    )
    exported = export_all(session, emulator, EVENTS, start_time=start, per_page=7, support_type_scope="all")
    one_second = export(session, emulator, start_time=second, per_page=7, support_type_scope="all").json()
    expected = emulator.expected_ids(EVENTS, *(datetime.fromtimestamp(at, UTC) for at in (start, int(clock.now) - 60)))

    assert 1_500 <= one_second["count"] <= 1_510
    assert {second} == {record["timestamp"] for record in one_second[EVENTS]}
    assert sorted(expected) == sorted(exported)
    assert 1_500 == len([id_ for id_ in exported if id_ < 10_000_000_000_000])


def test_pages_are_sorted_by_the_time_at_which_late_events_become_visible(
    session: requests.Session, emulator: ZendeskEmulator, clock: Clock
) -> None:
    """A client that continues gets every event."""
    start = int(clock.now) - HOUR
    good = export_all(session, emulator, EVENTS, start_time=start, per_page=10, support_type_scope="all")
    emulator.set_scenario([{"fault": "late_events", "seconds": 600, "every": 2}])
    clock.now += 600
    late = export_all(session, emulator, EVENTS, start_time=start, per_page=10, support_type_scope="all")
    records = export(session, emulator, start_time=start, per_page=1_000, support_type_scope="all").json()[EVENTS]
    timestamps = [record["timestamp"] for record in records]

    assert set(good) <= set(late)
    assert timestamps != sorted(timestamps)
    assert min(timestamps) < start


def test_every_fault_has_a_description() -> None:
    """It is one sentence, and every option has a type."""
    for name, fault in FAULTS.items():
        assert name == fault.name
        assert fault.description.endswith(".")
        assert all(option.annotation is not option.empty for option in fault.options.values())
