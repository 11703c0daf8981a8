"""The only door to Zendesk."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.providers.http.hooks.http import HttpHook

from airflow_zendesk import __version__
from airflow_zendesk.emulator import ZendeskEmulator
from airflow_zendesk.exceptions import (
    AuthenticationError,
    InvalidWindowError,
    NotJsonError,
    RateLimitedError,
    SettingsError,
    TransportError,
)
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.zendesk.retry import RetryBudget
from tests.support.clocks import FakeClock
from tests.support.pages import total_stats
from tests.support.scripted_server import Reply, ScriptedServer, page, scripted_server

START, END = "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"
DAY = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
EMPTY = page(end_time=None)


@pytest.fixture
def time() -> FakeClock:
    """What the hook takes for time."""
    return FakeClock()


@pytest.fixture
def hook(time: FakeClock) -> ZendeskHook:
    """A hook that does not really sleep, and has patience for a hundred seconds."""
    return ZendeskHook(retry_budget=RetryBudget(page_seconds=100), sleep=time.sleep, clock=time.clock)


def connect(monkeypatch: pytest.MonkeyPatch, server: ScriptedServer, **extra: Any) -> None:
    """Let the default connection lead to the server."""
    monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection(**extra))


def test_pages_hold_every_event_of_the_window_once(hook: ZendeskHook, emulator: ZendeskEmulator) -> None:
    """Page by page, without a gap."""
    pages = list(hook.iter_pages("ticket_events", *DAY))
    assert [each.complete_until for each in pages[:-1]] == [each.start_time for each in pages[1:]]
    ids = [record.id for each in pages for record in each.records]
    assert sorted(emulator.expected_ids("ticket_events", *DAY)) == sorted(ids)
    assert len(pages) == len(emulator.requests) == total_stats(pages).requests


def test_request_is_zendesks(hook: ZendeskHook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Path, parameters, and the headers that are ours; nothing of the extras."""
    with scripted_server(EMPTY) as server:
        connect(monkeypatch, server, timeout=5, X_Secret="invented-value")
        list(hook.iter_pages("ticket_events", START, END, include=["comment_events"]))
    path = "/api/v2/incremental/ticket_events?start_time=1767225600&per_page=1000"
    assert [path + "&include=comment_events&support_type_scope=all"] == server.paths
    headers = server.headers[0]
    assert "Basic YWdlbnRAZXhhbXBsZS5jb20vdG9rZW46aW52ZW50ZWQtdG9rZW4=" == headers["Authorization"]
    assert f"airflow-zendesk/{__version__}" == headers["User-Agent"]
    assert ("application/json", "gzip") == (headers["Accept"], headers["Accept-Encoding"])
    assert {"Host", "User-Agent", "Accept-Encoding", "Accept", "Connection", "Authorization"} == set(headers)


def test_next_page_is_never_followed(hook: ZendeskHook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own origin, path and parameters, wherever it points."""
    first = page((1, 1_767_225_600), (2, 1_767_225_700), end_time=1_767_225_700, end_of_stream=False)
    assert isinstance(first.body, dict)
    first.body["next_page"] = "https://elsewhere.example.com/steal?start_time=9"
    with scripted_server(first, EMPTY) as server:
        connect(monkeypatch, server)
        list(hook.iter_pages("ticket_events", START, END))
    assert [
        f"/api/v2/incremental/ticket_events?start_time={start}&per_page=1000&support_type_scope=all"
        for start in (1_767_225_600, 1_767_225_700)
    ] == server.paths


def test_one_session_serves_all_pages(hook: ZendeskHook, emulator: ZendeskEmulator) -> None:
    """The connection is kept alive."""
    with hook.get_conn() as session:
        for _ in range(3):
            session.get(f"{emulator.url}/api/v2/users/me", timeout=5)
        adapter = session.get_adapter(emulator.url)
        (pool,) = (adapter.poolmanager.pools.get(key) for key in adapter.poolmanager.pools.keys())  # type: ignore[attr-defined]  # noqa: SIM118
        assert (1, 3) == (pool.num_connections, pool.num_requests)


def test_netrc_and_environment_do_not_replace_the_credentials(
    hook: ZendeskHook, monkeypatch: pytest.MonkeyPatch, tmp_path: "pytest.TempPathFactory"
) -> None:
    """A .netrc entry for the host is not sent."""
    netrc = f"{tmp_path}/netrc"
    with open(netrc, "w") as file:  # noqa: PTH123
        file.write("machine 127.0.0.1 login other password wrong\n")
    monkeypatch.setenv("NETRC", netrc)
    with scripted_server(EMPTY) as server:
        connect(monkeypatch, server)
        list(hook.iter_pages("ticket_events", START, END))
    assert server.headers[0]["Authorization"].startswith("Basic YWdlbnRAZXhhbXBsZS5jb20")


def test_window_and_options_are_checked_before_anything_is_asked(hook: ZendeskHook) -> None:
    """At the call, not at the first page."""
    with pytest.raises(InvalidWindowError):
        hook.iter_pages("ticket_events", START, START)
    with pytest.raises(SettingsError, match="The resource 'ticket_audits' is unknown"):
        hook.iter_pages("ticket_audits", START, END)


def test_missing_connection_is_named(hook: ZendeskHook) -> None:
    """With the two ways to add it."""
    with pytest.raises(SettingsError, match=r"no connection 'zendesk_default'\. .* AIRFLOW_CONN_ZENDESK_DEFAULT"):
        list(hook.iter_pages("ticket_events", START, END))


def test_faults_of_the_moment_are_asked_again(
    hook: ZendeskHook, time: FakeClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The same page, after the wait that Zendesk asked for; the log says so."""
    limited = Reply(b"", 429, {"Retry-After": "7"})
    with scripted_server(Reply(b"", 503), limited, Reply(b'{"ticket_ev'), EMPTY) as server:
        connect(monkeypatch, server)
        with caplog.at_level(logging.WARNING):
            (page_,) = hook.iter_pages("ticket_events", START, END)
    assert 4 == len(server.paths)
    assert 1 == len(set(server.paths))
    assert 3 == len(time.waits)
    assert time.waits[1] >= 7
    assert (4, 3) == (page_.stats.requests, page_.stats.retries)
    assert pytest.approx(sum(time.waits)) == page_.stats.seconds_waited
    assert 3 == len([message for message in caplog.messages if "Retrying in" in message])


def test_patience_ends(hook: ZendeskHook, time: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the error of the last attempt."""
    with scripted_server(Reply(b"", 429, {"Retry-After": "30"})) as server:
        connect(monkeypatch, server)
        with pytest.raises(RateLimitedError):
            list(hook.iter_pages("ticket_events", START, END))
    assert 90 < sum(time.waits) <= 100
    assert len(server.paths) == len(time.waits) + 1


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(b'{"error": "Couldn\'t authenticate you"}', 401), AuthenticationError),
        (Reply(b"<html>", headers={"Content-Type": "text/html"}), NotJsonError),
    ],
)
def test_permanent_faults_are_not_asked_again(
    hook: ZendeskHook, monkeypatch: pytest.MonkeyPatch, reply: Reply, error: type[Exception]
) -> None:
    """One request tells."""
    with scripted_server(reply) as server:
        connect(monkeypatch, server)
        with pytest.raises(error):
            list(hook.iter_pages("ticket_events", START, END))
    assert 1 == len(server.paths)


def test_body_that_stays_cut_is_an_error(hook: ZendeskHook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never an empty page."""
    with scripted_server(Reply(b'{"ticket_events": [{"id": 1, ')) as server:
        connect(monkeypatch, server)
        with pytest.raises(TransportError):
            list(hook.iter_pages("ticket_events", START, END))


@pytest.mark.parametrize(
    ("replies", "ok", "sentence"),
    [
        ([Reply({"user": {"id": 7, "role": "admin"}})], True, "Connected to 127.0.0.1 as administrator, user 7."),
        ([Reply({"user": {"id": None, "name": "Anonymous user"}})], False, "does not accept these credentials. Check"),
        ([Reply({"user": {"id": 7, "role": "agent"}}), EMPTY], True, "not an administrator but may export"),
        ([Reply({"user": {"id": 7, "role": "agent"}}), Reply({}, 403)], False, "of an administrator"),
        ([Reply({}, 401)], False, "Renew the credentials in the Airflow connection"),
        ([Reply({}, 404)], False, "Check the subdomain in the connection's host"),
        ([Reply(b"<html>")], False, "does not respond like Zendesk"),
        ([Reply({"user": "somebody"})], False, "does not respond like Zendesk"),
        (
            [Reply(b"", 301, {"Location": "https://acme.example.com/"})],
            False,
            "a redirect that leads out of zendesk.com",
        ),
        ([Reply(b"", 429, {"Retry-After": "7"})], False, "Retry-After is 7 s"),
        ([Reply(b"", 504)], False, "returned 504. If the error persists, see status.zendesk.com"),
    ],
)
def test_connection_test_says_what_is_the_case(
    hook: ZendeskHook, monkeypatch: pytest.MonkeyPatch, replies: list[Reply], ok: bool, sentence: str
) -> None:
    """In one sentence, for the connection form."""
    with scripted_server(*replies) as server:
        connect(monkeypatch, server)
        succeeded, message = hook.test_connection()
    assert ok == succeeded
    assert sentence in message


@pytest.mark.parametrize(
    ("replies", "ok", "sentence"),
    [
        ([Reply({"access_token": "abc"}), Reply({"user": {"id": 7, "role": "admin"}})], True, "as administrator"),
        ([Reply({"access_token": "abc"}), Reply({}, 403)], False, "of an administrator"),
        ([Reply({"error": "invalid_client"}, 401)], False, "identifier and secret"),
        ([Reply({}, 404)], False, "Check the subdomain in the connection's host"),
    ],
)
def test_connection_test_of_an_oauth_client_says_which_step_failed(
    hook: ZendeskHook, monkeypatch: pytest.MonkeyPatch, replies: list[Reply], ok: bool, sentence: str
) -> None:
    """The token, or what may be done with it."""
    with scripted_server(*replies) as server:
        connect(monkeypatch, server, login="my_client")
        succeeded, message = hook.test_connection()
    assert ok == succeeded
    assert sentence in message


def test_connection_test_without_a_network_says_so(hook: ZendeskHook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens there any more."""
    with scripted_server(EMPTY) as server:
        connect(monkeypatch, server)
    succeeded, message = hook.test_connection()
    assert not succeeded
    assert "the connection was refused (ConnectionError). If the error persists, check the connection's host" in message


def test_connection_test_without_a_connection_says_so(hook: ZendeskHook) -> None:
    """It never raises."""
    assert (False, "There is no connection") == (hook.test_connection()[0], hook.test_connection()[1][:22])


def test_airflow_finds_the_hook_by_the_type_of_the_connection() -> None:
    """And HttpHook.run, should somebody call it, has a timeout and follows no redirect."""
    assert issubclass(ZendeskHook, HttpHook)
    assert ("zendesk_conn_id", "zendesk_default", "zendesk_export") == (
        ZendeskHook.conn_name_attr, ZendeskHook.default_conn_name, ZendeskHook.conn_type,
    )  # fmt: skip


def test_inherited_run_prints_no_body(
    hook: ZendeskHook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """HttpHook's own prints the bodies of errors, which quote customers."""
    with scripted_server(Reply(b'{"error": "text of a customer"}', 422), Reply(b"", 302, {"Location": "/x"})) as server:
        connect(monkeypatch, server, timeout=3)
        for _ in range(2):
            with pytest.raises(Exception, match="Zendesk returned"), caplog.at_level(logging.DEBUG):
                hook.run("/api/v2/tickets")
    assert "customer" not in caplog.text
    assert 2 == len(server.paths)
    assert 3.0 == hook.merged_extra["timeout"]


def test_frame_has_the_columns_of_the_files(hook: ZendeskHook, emulator: ZendeskEmulator) -> None:
    """For notebooks: every event of the window, once, typed."""
    frame = hook.get_df("ticket_events", *DAY)
    assert sorted(emulator.expected_ids("ticket_events", *DAY)) == sorted(frame["id"])
    assert ("Int64", "datetime64[us, UTC]", "string") == tuple(
        str(frame[name].dtype) for name in ("id", "timestamp", "child_events")
    )
    assert not frame["late"].any()


@pytest.mark.usefixtures("emulator")
def test_exploded_frame_has_a_row_per_child(hook: ZendeskHook) -> None:
    """The changed field with its values, beside the columns of its event."""
    frame = hook.get_df("ticket_events", *DAY, include=["comment_events"], explode="child_events")
    whole = hook.get_df("ticket_events", *DAY, include=["comment_events"])
    children = [child for text in whole["child_events"] for child in json.loads(text)]
    assert [child["id"] for child in children] == list(dict.fromkeys(frame["child_id"]))
    changes = frame[(frame["child_event_type"] == "Change") & (frame["field_name"] == "status")]
    first = changes.iloc[0]
    child = json.loads(first["child_event"])
    assert (child["status"], child["previous_value"]) == (
        json.loads(first["value"]),
        json.loads(first["previous_value"]),
    )
    assert first["id"] in set(whole["id"])
