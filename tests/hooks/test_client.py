"""One run's conversation with an account: tokens that live, budgets that hold, pages that shrink and climb back."""

import json
import logging
import re
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from airflow_zendesk.exceptions import (
    AuthenticationError,
    NotJsonError,
    PageNotRetrievableError,
    PageTimeoutError,
    RateLimitedError,
    ServerError,
    TokenRefusedError,
    TransientError,
    TransportError,
    ZendeskError,
)
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.zendesk.page import RequestStats
from airflow_zendesk.zendesk.retry import RetryBudget
from tests.support.clocks import FakeClock
from tests.support.pages import total_stats
from tests.support.scripted_server import Reply, ScriptedServer, page, scripted_server, send

START, END = "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"
FIRST = 1_767_225_600
EMPTY = page(end_time=None)
CLIENT: dict[str, Any] = {"login": "my_client", "password": "invented-secret"}
#: A limit that is far away: what is waited is then waited for something else.
PLENTY = {"Zendesk-RateLimit-Incremental-Exports": "total=1000; remaining=999; resets=1"}
UNAUTHORIZED = Reply({"error": "invalid_token", "error_description": "..."}, 401)


@pytest.fixture
def time() -> FakeClock:
    """What the hook takes for time."""
    return FakeClock()


def token(number: int, **members: object) -> Reply:
    """An answer with a minted token."""
    return Reply({"access_token": f"minted-{number}", "token_type": "bearer", "scope": "read", **members})


def step(number: int, **options: Any) -> Reply:
    """A page of two seconds that leads on to its second one."""
    at = FIRST + 60 * number
    return page((2 * number, at), (2 * number + 1, at + 60), end_time=at + 60, end_of_stream=False, **options)


def export(
    monkeypatch: pytest.MonkeyPatch,
    server: ScriptedServer,
    time: FakeClock,
    retry_budget: RetryBudget | None = None,
    **options: Any,
) -> RequestStats:
    """Export an hour from the server with a hook on the fake clock; returns what its requests cost."""
    monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection(**options))
    hook = ZendeskHook(retry_budget=retry_budget, sleep=time.sleep, clock=time.clock)
    return total_stats(hook.iter_pages("ticket_events", START, END))


def bearers(server: ScriptedServer) -> list[str]:
    """What each request was authorised with."""
    return [headers.get("Authorization", "nothing") for headers in server.headers]


def sizes(server: ScriptedServer) -> list[int]:
    """The per_page of each request for a page."""
    return [int(found[1]) for path in server.paths if (found := re.search(r"per_page=(\d+)", path))]


def test_token_is_minted_once_and_serves_the_run(monkeypatch: pytest.MonkeyPatch, time: FakeClock) -> None:
    """One POST with the client's secret, which goes nowhere else, then pages with the token."""
    with scripted_server(token(1, expires_in=1_800), step(0), step(1), EMPTY) as server:
        export(monkeypatch, server, time, **CLIENT)
    assert "/oauth/tokens" == server.paths[0]
    assert {
        "grant_type": "client_credentials", "client_id": "my_client", "client_secret": "invented-secret",
        "scope": "read",
    } == json.loads(server.bodies[0])  # fmt: skip
    assert ["nothing", *["Bearer minted-1"] * 3] == bearers(server)


def test_token_is_renewed_before_it_ends(monkeypatch: pytest.MonkeyPatch, time: FakeClock) -> None:
    """A wait may be longer than its life; nothing is asked with a token that is over."""
    limited = Reply(b"", 429, {"Retry-After": "250"})
    with scripted_server(token(1, expires_in=300), limited, token(2, expires_in=300), EMPTY) as server:
        export(monkeypatch, server, time, **CLIENT)
    assert ["nothing", "Bearer minted-1", "nothing", "Bearer minted-2"] == bearers(server)


def test_token_that_is_refused_is_renewed_once_per_page(monkeypatch: pytest.MonkeyPatch, time: FakeClock) -> None:
    """Without a wait, and whether or not Zendesk has said when it ends."""
    with scripted_server(token(1), UNAUTHORIZED, token(2), step(0), UNAUTHORIZED, token(3), EMPTY) as server:
        stats = export(monkeypatch, server, time, **CLIENT)
    assert "Bearer minted-3" == bearers(server)[-1]
    assert (4, 2, []) == (stats.requests, stats.retries, time.waits)
    with scripted_server(token(1), UNAUTHORIZED, token(2), UNAUTHORIZED) as server, pytest.raises(AuthenticationError):
        export(monkeypatch, server, time, **CLIENT)
    assert 4 == len(server.paths)


@pytest.mark.parametrize("options", [{}, {"login": ""}], ids=["API token", "access token"])
def test_secret_that_was_not_minted_is_not_renewed(
    monkeypatch: pytest.MonkeyPatch, time: FakeClock, options: dict[str, Any]
) -> None:
    """A 401 is final at once."""
    with scripted_server(UNAUTHORIZED) as server, pytest.raises(AuthenticationError):
        export(monkeypatch, server, time, **options)
    assert 1 == len(server.paths)


def test_client_that_gets_no_token_fails_at_once(monkeypatch: pytest.MonkeyPatch, time: FakeClock) -> None:
    """With a sentence on OAuth clients; no page is asked for."""
    with (
        scripted_server(Reply({"error": "invalid_client"}, 401)) as server,
        pytest.raises(TokenRefusedError, match=r"401 \(invalid_client\) for /oauth/tokens\. .* must be confidential"),
    ):
        export(monkeypatch, server, time, **CLIENT)
    assert ["/oauth/tokens"] == server.paths


def test_page_of_html_in_place_of_a_token_fails_at_once(monkeypatch: pytest.MonkeyPatch, time: FakeClock) -> None:
    """It is another server that answers, as for an export."""
    login_page = Reply(b"<html>", headers={"Content-Type": "text/html"})
    with scripted_server(login_page) as server, pytest.raises(NotJsonError, match="/oauth/tokens returned text/html"):
        export(monkeypatch, server, time, **CLIENT)
    assert ["/oauth/tokens"] == server.paths


@pytest.mark.parametrize("fault", [Reply(b"", 503), Reply(b"", 504), Reply(b'{"access_tok'), Reply(b"", 429)])
def test_token_that_does_not_come_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, time: FakeClock, fault: Reply
) -> None:
    """And no page shrinks for it."""
    with scripted_server(fault, token(1), EMPTY) as server:
        export(monkeypatch, server, time, **CLIENT)
    assert ["/oauth/tokens"] * 2 == server.paths[:2]
    assert [1000] == sizes(server)
    assert 1 == len(time.waits)


def test_netrc_adds_nothing_to_the_request_for_a_token(
    monkeypatch: pytest.MonkeyPatch, time: FakeClock, tmp_path: Path
) -> None:
    """Zendesk would take its entry for the client's own credentials."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password wrong\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with scripted_server(token(1), EMPTY) as server:
        export(monkeypatch, server, time, **CLIENT)
    assert ["nothing", "Bearer minted-1"] == bearers(server)


def test_remark_on_the_credentials_is_made_once_per_run(
    monkeypatch: pytest.MonkeyPatch, time: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """However many sessions the run opens."""
    with scripted_server(EMPTY) as server, caplog.at_level(logging.WARNING):
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        hook = ZendeskHook(sleep=time.sleep, clock=time.clock)
        for _ in range(2):
            list(hook.iter_pages("ticket_events", START, END))
    assert ["2027-04-30" in message for message in caplog.messages] == [True]


Behaviour = Callable[[BaseHTTPRequestHandler], None]


def too_slow_above(most: int, status: int = 504) -> Behaviour:
    """A server whose pages of more than so many records fail; each page leads a minute on, until the hour is over."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked = {name: int(value) for name, value in re.findall(r"(start_time|per_page)=(\d+)", handler.path)}
        start_time, end_time = asked["start_time"], asked["start_time"] + 60
        reply = page((start_time, start_time), (end_time, end_time), end_time=end_time, end_of_stream=False)
        status_line, body = (status, b"") if asked["per_page"] > most else (200, reply.content())
        handler.send_response_only(status_line)
        handler.send_header("Date", "Fri, 01 Jan 2027 00:00:00 GMT")
        for name, value in PLENTY.items():
            handler.send_header(name, value)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.mark.parametrize(
    ("most", "first", "counts"),
    [
        (300, [1000, 500, 250, 500, 250, 250, 500, 250, 250, 250, 250, 500], {1000: 1, 500: 6, 250: 60}),
        (700, [1000, 500, 1000, 500, 500, 1000, 500, 500, 500, 500, 1000], {1000: 6, 500: 60}),
    ],
)
def test_page_that_is_too_slow_is_halved_until_it_comes(
    monkeypatch: pytest.MonkeyPatch,
    time: FakeClock,
    most: int,
    first: list[int],
    counts: dict[int, int],
) -> None:
    """The rest of the way larger pages are tried again, the later the more often they failed."""
    with scripted_server(too_slow_above(most)) as server:
        export(monkeypatch, server, time)
    asked = sizes(server)
    assert first == asked[: len(first)]
    assert counts == Counter(asked)


def test_page_size_climbs_back_to_the_largest(monkeypatch: pytest.MonkeyPatch, time: FakeClock) -> None:
    """One heavy spot makes the pages after it small for a moment only."""
    replies = [Reply(b"", 504)] * 3 + [step(number) for number in range(4)]
    with scripted_server(*replies, EMPTY) as server:
        export(monkeypatch, server, time)
    assert [1000, 500, 250, 125, 250, 500, 1000, 1000] == sizes(server)


def test_spot_that_is_heavy_again_later_is_a_first_one_again(monkeypatch: pytest.MonkeyPatch, time: FakeClock) -> None:
    """Once a page of full size has come through, all is forgotten."""
    slow = Reply(b"", 504)
    with scripted_server(slow, step(0), step(1), slow, step(2), step(3), EMPTY) as server:
        export(monkeypatch, server, time)
    assert [1000, 500, 1000, 1000, 500, 1000, 1000] == sizes(server)


@pytest.mark.parametrize("fault", [Reply(b"", 500), Reply(b"", 503), Reply(b"", 429), Reply(b'{"tick')])
def test_other_faults_shrink_no_page(monkeypatch: pytest.MonkeyPatch, time: FakeClock, fault: Reply) -> None:
    """A smaller page would not have come through either."""
    with scripted_server(fault, fault, EMPTY) as server:
        export(monkeypatch, server, time)
    assert [1000, 1000, 1000] == sizes(server)


def test_page_that_never_comes_is_named_by_its_second(monkeypatch: pytest.MonkeyPatch, time: FakeClock) -> None:
    """Airflow retries it, because an outage looks the same as a second that is too large."""
    message = (
        r"returned 504.* Gave up on 127\.0\.0\.1 after 1\d attempts in \d+ s, "
        r"at last for 2026-01-01T00:01:00Z with per_page=1: the next wait would be \d+ s, "
        r"and \d+ s of the retry budget are left"
    )
    with (
        scripted_server(step(0), Reply(b"", 504, PLENTY)) as server,
        pytest.raises(PageTimeoutError, match=message) as caught,
    ):
        export(monkeypatch, server, time, RetryBudget(page_seconds=120))
    assert [1000, 1000, 500, 250, 125, 62, 31, 15, 7, 3, 1, 1] == sizes(server)[:12]
    assert caught.value.retryable
    assert [1.0] * 9 == time.waits[:9]
    assert 60 < sum(time.waits) <= 120


def test_short_outage_of_504_is_survived(monkeypatch: pytest.MonkeyPatch, time: FakeClock) -> None:
    """Though every size of page has failed."""
    with scripted_server(*[Reply(b"", 504)] * 13, EMPTY) as server:
        export(monkeypatch, server, time)
    assert 14 == len(server.paths)


def test_page_beyond_the_bound_is_asked_for_in_smaller_ones(monkeypatch: pytest.MonkeyPatch, time: FakeClock) -> None:
    """And if that does not help, the error names the second, and the setting that would."""
    large = Reply(b"x" * 2_000)
    with scripted_server(large, large, EMPTY) as server:
        export(monkeypatch, server, time, max_page_mebibytes=0.001)
    assert [1000, 500, 250] == sizes(server)
    with scripted_server(large) as server, pytest.raises(PageNotRetrievableError, match="raise max_page_mebibytes"):
        export(monkeypatch, server, time, max_page_mebibytes=0.001)
    assert [1000, 500, 250, 125, 62, 31, 15, 7, 3, 1] == sizes(server)


@pytest.mark.parametrize(
    ("header", "shortest", "longest"),
    [
        (None, 41, 42),
        ("0", 41, 42),
        ("soon", 41, 42),
        ("86400", 41, 42),
        ("7", 7, 8),
        ("Fri, 01 Jan 2027 00:00:49 GMT", 30, 31),
    ],
)
def test_limit_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, time: FakeClock, header: str | None, shortest: float, longest: float
) -> None:
    """As long as Zendesk asks, as a number or a date; else to the next minute of its clock."""
    headers = {"Date": "Fri, 01 Jan 2027 00:00:19 GMT"} | ({} if header is None else {"Retry-After": header})
    with scripted_server(Reply(b"", 429, headers), EMPTY) as server:
        export(monkeypatch, server, time)
    assert 2 == len(server.paths)
    assert shortest <= sum(time.waits) <= longest


@pytest.mark.parametrize(("status", "error"), [(429, RateLimitedError), (503, ServerError)])
def test_absurd_wish_is_not_slept_through(
    monkeypatch: pytest.MonkeyPatch, time: FakeClock, status: int, error: type[ZendeskError]
) -> None:
    """An hour is beyond every budget: the error says what was asked for, and Airflow can come back then."""
    message = (
        "Retry-After is 3600 s.* Gave up on 127.0.0.1 after 1 attempt in 0 s: the next wait would be 360[01] s, "
        "and 1800 s of the retry budget are left"
    )
    with (
        scripted_server(Reply(b"", status, {"Retry-After": "3600"})) as server,
        pytest.raises(error, match=message) as caught,
    ):
        export(monkeypatch, server, time)
    assert [] == time.waits
    assert isinstance(caught.value, TransientError)
    assert 3_600.0 == vars(caught.value)["retry_after"]


def test_wish_of_a_day_is_no_wish(monkeypatch: pytest.MonkeyPatch, time: FakeClock) -> None:
    """Limits are per minute, so the next one is tried; if the day was meant, patience ends as ever."""
    limited = Reply(b"", 429, {"Retry-After": "86400"})
    with scripted_server(limited, EMPTY) as server:
        export(monkeypatch, server, time)
    assert 60 <= sum(time.waits) <= 62
    with scripted_server(limited) as server, pytest.raises(RateLimitedError, match="Gave up on"):
        export(monkeypatch, server, time, RetryBudget(page_seconds=300))
    assert sum(time.waits) <= 62 + 300


@pytest.mark.parametrize(
    "headers",
    [
        {"RateLimit-Remaining": "0", "RateLimit-Reset": "1798761600"},
        {"Zendesk-RateLimit-Incremental-Exports": "total=10; remaining=0; resets=86400"},
    ],
    ids=["an instant", "a day"],
)
def test_counter_cannot_hold_a_run_longer_than_a_minute(
    monkeypatch: pytest.MonkeyPatch, time: FakeClock, headers: dict[str, str]
) -> None:
    """Whatever it says of its reset."""
    first = step(0)
    first.headers = headers
    with scripted_server(first, EMPTY) as server:
        export(monkeypatch, server, time)
    assert [61.0] == time.waits


def test_run_has_a_budget_for_all_its_pages(monkeypatch: pytest.MonkeyPatch, time: FakeClock) -> None:
    """A fault at every page does not go on for ever, though each of them is soon over."""
    limited = Reply(b"", 429, {"Retry-After": "60"})
    replies = [reply for number in range(9) for reply in (limited, step(number))]
    with (
        scripted_server(*replies) as server,
        pytest.raises(
            RateLimitedError, match=r"the next wait would be 6\d s, and [0-5]?\d s of the retry budget are left"
        ),
    ):
        export(monkeypatch, server, time, RetryBudget(run_seconds=200))
    assert 3 == len(time.waits)
    assert 7 == len(server.paths)


def test_only_the_first_page_has_the_budget_of_the_first_page(monkeypatch: pytest.MonkeyPatch, time: FakeClock) -> None:
    """Later pages have more, because an export that gives up would lose those that it has."""
    limited = Reply(b"", 429, {"Retry-After": "120"})
    budget = RetryBudget(first_page_seconds=60)
    with scripted_server(limited, EMPTY) as server, pytest.raises(RateLimitedError, match="60 s of the retry budget"):
        export(monkeypatch, server, time, budget)
    assert [] == time.waits
    with scripted_server(step(0), limited, EMPTY) as server:
        export(monkeypatch, server, time, budget)
    assert 120 <= time.waits[0] <= 121


def test_first_page_that_is_too_large_is_reduced_despite_its_budget(
    monkeypatch: pytest.MonkeyPatch, time: FakeClock
) -> None:
    """Another start of the task would request the same page again, so leaving the worker would not help."""

    def time_out(handler: BaseHTTPRequestHandler) -> None:
        time.now += 120
        send(handler, Reply(b"", 504))

    with scripted_server(time_out, time_out, EMPTY) as server:
        export(monkeypatch, server, time, RetryBudget(first_page_seconds=60))
    assert [1000, 500, 250] == sizes(server)
    with scripted_server(*[Reply(b"", 504)] * 13, EMPTY) as server:
        export(monkeypatch, server, time, RetryBudget(first_page_seconds=60))
    assert 14 == len(server.paths)


def test_waits_for_the_pace_cost_no_patience(monkeypatch: pytest.MonkeyPatch, time: FakeClock) -> None:
    """They are no fault: a page whose turn came late has all of its budget left."""
    used_up = step(0)
    used_up.headers = {"Zendesk-RateLimit-Incremental-Exports": "total=10; remaining=0; resets=50"}
    with scripted_server(used_up, Reply(b"", 500), EMPTY) as server:
        export(monkeypatch, server, time, RetryBudget(page_seconds=5))
    assert 51.0 == time.waits[0]
    assert 3 == len(server.paths)


def test_error_says_that_patience_has_ended_only_when_it_has(
    monkeypatch: pytest.MonkeyPatch, time: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The log on the way does not."""
    with (
        scripted_server(Reply(b'{"ticket_events": [')) as server,
        caplog.at_level(logging.WARNING),
        pytest.raises(TransportError, match=r"cut short or damaged: .* Gave up on"),
    ):
        export(monkeypatch, server, time, RetryBudget(page_seconds=5))
    asking_again = [message for message in caplog.messages if "Retrying in" in message]
    assert len(server.paths) == len(asking_again) + 1
    assert not any("Gave up" in message for message in asking_again)


def test_own_deadline_is_a_reason_for_smaller_pages(monkeypatch: pytest.MonkeyPatch, time: FakeClock) -> None:
    """As a 504 is, and it says how to allow more."""

    def say_nothing(handler: BaseHTTPRequestHandler) -> None:
        handler.rfile.read(1)

    with scripted_server(say_nothing, EMPTY) as server:
        export(monkeypatch, server, time, timeout=0.2)
    assert [1000, 500] == sizes(server)
    assert "raise timeout in the connection" in str(PageTimeoutError("/path", "late"))


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"host": "http://127.0.0.1:9"}, "the connection was refused"),
        # The proxy's name never resolves (RFC 2606), so nothing is sent to Zendesk.
        (
            {"host": "acme", "extra": {"proxies": {"https": "http://proxy.invalid:3128"}}},
            "the host name cannot be resolved",
        ),
        ({"host": "acme", "extra": {"proxies": {"https": "http://127.0.0.1:9"}}}, "the proxy cannot be reached"),
    ],
)
def test_unreachable_host_fails_within_a_minute_with_the_cause(
    monkeypatch: pytest.MonkeyPatch,
    time: FakeClock,
    caplog: pytest.LogCaptureFixture,
    fields: dict[str, Any],
    cause: str,
) -> None:
    """A host that never answered is probably wrong. The log says at each attempt how much time is left."""
    connection = {"conn_type": "zendesk_export", "login": "a@example.com/token", "password": "invented", **fields}
    monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", json.dumps(connection))
    hook = ZendeskHook(sleep=time.sleep, clock=time.clock)
    with caplog.at_level(logging.WARNING), pytest.raises(TransportError, match=f"{cause} .* Gave up on .* after"):
        list(hook.iter_pages("ticket_events", START, END))
    assert 10 < time.now <= 60
    attempts = [message for message in caplog.messages if message.startswith("Attempt")]
    assert attempts[0].startswith("Attempt 1 at ")
    assert all(cause in message and " s left. Retrying in " in message for message in attempts)


def test_host_that_answered_once_is_retried_longer(monkeypatch: pytest.MonkeyPatch, time: FakeClock) -> None:
    """An outage in the middle of a run is waited for, up to half an hour per page."""

    def close(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True

    with scripted_server(step(0), close) as server, pytest.raises(TransportError):
        export(monkeypatch, server, time)
    assert 1_700 < time.now <= 1_800


def test_refusal_by_a_proxy_is_not_taken_for_missing_rights(monkeypatch: pytest.MonkeyPatch, time: FakeClock) -> None:
    """A 401 or 403 in HTML or text comes from something in front of Zendesk: the credentials may be right."""
    for status in (401, 403):
        for body, content_type in ((b"<html>blocked</html>", "text/html"), (b"blocked", "text/plain")):
            reply = Reply(body, status, {"Content-Type": content_type})
            with scripted_server(reply) as server, pytest.raises(NotJsonError, match="look for a proxy"):
                export(monkeypatch, server, time)
