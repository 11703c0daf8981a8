"""How fast to ask."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from airflow_zendesk.zendesk.rate_limit import RateLimiter, RateLimitHeaders

DATE = {"Date": "Thu, 01 Jan 2026 00:00:19 GMT"}


def headers(remaining: int, resets: int) -> dict[str, str]:
    """The counter of the exports, as Zendesk spells it today."""
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
def test_counters_are_read_in_every_spelling(sent: dict[str, str], counters: RateLimitHeaders) -> None:
    """And where there are none, the minute is that of the server's clock."""
    assert counters == RateLimitHeaders.of(CaseInsensitiveDict(sent))


@pytest.mark.parametrize(
    ("cap", "sent", "limit"),
    [
        (None, {}, 10),
        (None, headers(9, 60), 10),
        (None, {"Zendesk-RateLimit-Incremental-Exports": "total=30; remaining=9; resets=2"}, 30),
        (4, headers(9, 60), 4),
        (40, headers(9, 60), 10),
    ],
)
def test_limit_is_what_zendesk_tells_within_the_cap(cap: int | None, sent: dict[str, str], limit: int) -> None:
    """Ten where it tells nothing, as documented."""
    pace = RateLimiter(cap)
    pace.update(CaseInsensitiveDict(sent), 0, 0)
    assert limit == pace.limit


def waits(pace: RateLimiter, *answers: tuple[float, dict[str, str]]) -> list[float]:
    """The wait after each of the answers, which came at these times."""
    found = []
    for now, sent in answers:
        pace.update(CaseInsensitiveDict(sent), now, now)
        found.append(pace.wait(now))
    return found


def test_first_request_does_not_wait() -> None:
    """Nothing is known yet."""
    assert 0.0 == RateLimiter().wait(5.0)


def test_alone_all_of_the_minute_is_used() -> None:
    """Then the wait is for the next one, and a second more; when that is over, there is none."""
    pace = RateLimiter()
    answers = [(float(10 - left), headers(left, 50 + left)) for left in range(9, -1, -1)]
    assert [0.0] * 9 + [51.0] == waits(pace, *answers)
    assert 1.0 == pace.wait(60.0)
    assert 0.0 == pace.wait(61.0)


def test_with_others_their_part_is_left() -> None:
    """A counter that falls faster than we ask shows how many others ask at the same time."""
    assert [0.0, 10.0, 51.0] == waits(RateLimiter(), (0, headers(7, 50)), (0, headers(4, 50)), (0, headers(2, 50)))
    assert [0.0, 10.0, 11.0, 31.0] == waits(
        RateLimiter(), (0, headers(7, 50)), (0, headers(4, 50)), (10, headers(3, 44)), (20, headers(2, 30))
    )


def test_others_of_the_minute_before_are_expected_again_for_one_minute() -> None:
    """Two runs that wait for the same minute do not collide at its end."""
    pace = RateLimiter()
    waits(pace, (0, headers(7, 50)), (0, headers(5, 50)), (0, headers(1, 50)))
    assert [6.0, 61.0] == waits(pace, (52, headers(9, 60)), (53, headers(3, 60)))


def test_from_the_second_minute_on_requests_are_spread() -> None:
    """A run that shares the account is seen, and sees, all the minute long; the time an answer takes counts."""
    pace = RateLimiter()
    assert [0.0, 5.0] == waits(pace, (0, headers(9, 50)), (51, headers(9, 50)))
    pace.update(CaseInsensitiveDict(headers(8, 45)), asked=56, now=60)
    assert 1.0 == pace.wait(60)
    pace.update(CaseInsensitiveDict(headers(7, 40)), asked=61, now=70)
    assert 0.0 == pace.wait(70)


def test_cap_leaves_room_for_other_tools() -> None:
    """However much Zendesk would still allow."""
    assert [0.0, 51.0] == waits(RateLimiter(cap=2), (0, headers(9, 50)), (0, headers(8, 50)))
    assert [0.0, 6.0] == waits(RateLimiter(cap=2), (0, headers(9, 50)), (52, headers(9, 60)))


def test_without_counters_the_documented_limit_is_kept() -> None:
    """Ten a minute of the server's clock, or what the connection says."""
    assert [0.0] * 9 + [42.0] == waits(RateLimiter(), *[(0.0, DATE)] * 10)
    assert [0.0] * 29 + [42.0] == waits(RateLimiter(cap=30), *[(0.0, DATE)] * 30)


def test_limit_of_the_whole_account_is_kept() -> None:
    """Its other requests may have used it up."""
    sent = headers(9, 50) | {"X-Rate-Limit-Remaining": "0"}
    assert [51.0] == waits(RateLimiter(), (0, sent))


@given(st.integers(1, 30), st.integers(1, 12), st.floats(0.01, 5))
def test_no_minute_holds_more_requests_than_are_allowed(limit: int, minutes: int, pause: float) -> None:
    """Law: a run alone is never refused, and uses the whole of each minute, but for those before it knows."""
    pace, now, sent = RateLimiter(), 0.5, dict[int, int]()
    while now < 60 * minutes:
        now += pace.wait(now)
        minute = int(now // 60)
        sent[minute] = sent.get(minute, 0) + 1
        assert sent[minute] <= limit
        pace.update(CaseInsensitiveDict(headers(limit - sent[minute], 60 - int(now % 60))), now, now)
        now += pause
    assert all(count == limit for minute, count in sent.items() if limit * pause < 50 and minute < minutes - 1)
