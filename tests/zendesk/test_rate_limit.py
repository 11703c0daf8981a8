"""Pacing requests by the rate limit headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from airflow_zendesk.zendesk.rate_limit import RateLimiter, RateLimitHeaders

DATE = {"Date": "Thu, 01 Jan 2026 00:00:19 GMT"}


def headers(remaining: int, resets: int) -> dict[str, str]:
    """The rate limit header of exports in its current form."""
    return {"Zendesk-RateLimit-Incremental-Exports": f"total=10; remaining={remaining}; resets={resets}"}


@pytest.mark.parametrize(
    ("sent", "counters"),
    [
        (
            {"zendesk-ratelimit-incremental-exports": "total=10; remaining=9; resets=2"},
            RateLimitHeaders(9, None, 2, 10),
        ),
        (headers(3, 40) | {"X-Rate-Limit": "700", "X-Rate-Limit-Remaining": "12"}, RateLimitHeaders(3, 12, 40, 10)),
        ({"ratelimit-remaining": "5", "ratelimit-reset": "33"}, RateLimitHeaders(None, 5, 33)),
        ({"rate-limit-remaining": "5", "rate-limit-reset": "33"}, RateLimitHeaders(None, 5, 33)),
        ({"ratelimit-remaining": "5", "ratelimit-reset": "1767225600"}, RateLimitHeaders(None, 5, 60)),
        (headers(0, 86_400), RateLimitHeaders(0, None, 60, 10)),
        (DATE | {"X-Rate-Limit-Remaining": "699"}, RateLimitHeaders(None, 699, 41)),
        (DATE | {"Zendesk-RateLimit-Incremental-Exports": "all gone"}, RateLimitHeaders(None, None, 41)),
        (DATE | {"X-Rate-Limit-Remaining": "many"}, RateLimitHeaders(None, None, 41)),
        ({}, RateLimitHeaders(None, None, 60)),
    ],
)
def test_headers_are_parsed_under_every_name(sent: dict[str, str], counters: RateLimitHeaders) -> None:
    """Without them, the minute is that of the server's clock."""
    assert counters == RateLimitHeaders.parse(CaseInsensitiveDict(sent))


@pytest.mark.parametrize(
    ("max_requests", "sent", "limit"),
    [
        (None, {}, 10),
        (None, headers(9, 60), 10),
        (None, {"Zendesk-RateLimit-Incremental-Exports": "total=30; remaining=9; resets=2"}, 30),
        (4, headers(9, 60), 4),
        (40, headers(9, 60), 10),
    ],
)
def test_limit_is_the_smaller_of_zendesks_and_the_runs_own(
    max_requests: int | None, sent: dict[str, str], limit: int
) -> None:
    """Zendesk's documented limit is 10, if no header reports another."""
    limiter = RateLimiter(max_requests)
    limiter.update(CaseInsensitiveDict(sent), 0, 0)
    assert limit == limiter.limit


def waits(limiter: RateLimiter, *answers: tuple[float, dict[str, str]]) -> list[float]:
    """The wait after each of the responses, which arrive at these times."""
    found = []
    for now, sent in answers:
        limiter.update(CaseInsensitiveDict(sent), now, now)
        found.append(limiter.wait(now))
    return found


def test_first_request_does_not_wait() -> None:
    """No limit is known yet."""
    assert 0.0 == RateLimiter().wait(5.0)


def test_run_without_other_clients_uses_the_whole_limit() -> None:
    """Then it waits for the next minute and one second more."""
    limiter = RateLimiter()
    answers = [(float(10 - left), headers(left, 50 + left)) for left in range(9, -1, -1)]
    assert [0.0] * 9 + [51.0] == waits(limiter, *answers)
    assert 1.0 == limiter.wait(60.0)
    assert 0.0 == limiter.wait(61.0)


def test_share_of_other_clients_is_reserved() -> None:
    """The counter falls faster than the run sends requests, which shows how many others send."""
    assert [0.0, 10.0, 51.0] == waits(RateLimiter(), (0, headers(7, 50)), (0, headers(4, 50)), (0, headers(2, 50)))
    assert [0.0, 10.0, 11.0, 31.0] == waits(
        RateLimiter(), (0, headers(7, 50)), (0, headers(4, 50)), (10, headers(3, 44)), (20, headers(2, 30))
    )


def test_share_of_other_clients_is_reserved_for_the_next_minute_too() -> None:
    """Two runs that wait for the same minute do not collide when it starts."""
    limiter = RateLimiter()
    waits(limiter, (0, headers(7, 50)), (0, headers(5, 50)), (0, headers(1, 50)))
    assert [6.0, 61.0] == waits(limiter, (52, headers(9, 60)), (53, headers(3, 60)))


def test_requests_are_spread_from_the_second_minute_on() -> None:
    """Runs that share an account notice each other; the time of a response is part of the interval."""
    limiter = RateLimiter()
    assert [0.0, 5.0] == waits(limiter, (0, headers(9, 50)), (51, headers(9, 50)))
    limiter.update(CaseInsensitiveDict(headers(8, 45)), sent_at=56, now=60)
    assert 1.0 == limiter.wait(60)
    limiter.update(CaseInsensitiveDict(headers(7, 40)), sent_at=61, now=70)
    assert 0.0 == limiter.wait(70)


def test_own_limit_leaves_the_rest_to_other_clients() -> None:
    """It applies even if Zendesk reports that more requests remain."""
    assert [0.0, 51.0] == waits(RateLimiter(max_requests=2), (0, headers(9, 50)), (0, headers(8, 50)))
    assert [0.0, 6.0] == waits(RateLimiter(max_requests=2), (0, headers(9, 50)), (52, headers(9, 60)))


def test_documented_limit_applies_without_headers() -> None:
    """It is 10 per minute of the server's clock, or the limit of the connection."""
    assert [0.0] * 9 + [42.0] == waits(RateLimiter(), *[(0.0, DATE)] * 10)
    assert [0.0] * 29 + [42.0] == waits(RateLimiter(max_requests=30), *[(0.0, DATE)] * 30)


def test_limit_of_the_whole_account_applies_too() -> None:
    """Requests of other kinds may have used it up."""
    sent = headers(9, 50) | {"X-Rate-Limit-Remaining": "0"}
    assert [51.0] == waits(RateLimiter(), (0, sent))


@given(st.integers(1, 30), st.integers(1, 12), st.floats(0.01, 5))
def test_no_minute_holds_more_requests_than_are_allowed(limit: int, minutes: int, pause: float) -> None:
    """Law: without other clients, a run never exceeds the limit and uses all of it in every full minute."""
    limiter, now, sent = RateLimiter(), 0.5, dict[int, int]()
    while now < 60 * minutes:
        now += limiter.wait(now)
        minute = int(now // 60)
        sent[minute] = sent.get(minute, 0) + 1
        assert sent[minute] <= limit
        limiter.update(CaseInsensitiveDict(headers(limit - sent[minute], 60 - int(now % 60))), now, now)
        now += pause
    assert all(count == limit for minute, count in sent.items() if limit * pause < 50 and minute < minutes - 1)
