"""Pace the requests of a run by the rate limit headers of Zendesk, and leave other clients their share.

The incremental exports of an account share 10 requests per minute (30 with the High Volume add-on), except that of
users, which has 20 (60) of its own. Minutes are those of the clock. Zendesk reports what remains in headers whose names
have changed over the years. Without these headers, the run counts its own requests.

Source: https://developer.zendesk.com/api-reference/introduction/rate-limits/
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from airflow_zendesk.zendesk.response_headers import next_minute

#: The limit resets every minute, so a reset that is further away is invalid.
_MINUTE = 60
#: Resets are whole seconds with unknown rounding: one more second is cheaper than a 429.
_ROUNDING = 1.0

_ENDPOINT_VALUE = re.compile(r"total=(\d+);\s*remaining=(\d+);\s*resets=(\d+)")
_ACCOUNT_REMAINING = ("X-Rate-Limit-Remaining", "RateLimit-Remaining", "Rate-Limit-Remaining")
_ACCOUNT_RESET = ("RateLimit-Reset", "Rate-Limit-Reset")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A limit that some endpoints share: the header that reports it, and its documented requests per minute."""

    header: str
    documented: int


EXPORTS = RateLimit("Zendesk-RateLimit-Incremental-Exports", 10)
USER_EXPORTS = RateLimit("Zendesk-RateLimit-Incremental-Exports-Cursor", 20)
#: The limit of everything else has headers of its own, and depends on the plan: this is the lowest.
ACCOUNT = RateLimit("", 200)


@dataclass(frozen=True, slots=True)
class RateLimitHeaders:
    """The rate limit headers of a response.

    Args:
        remaining: exports that remain in this minute; None if not reported.
        account_remaining: requests of any kind that remain; None if not reported.
        resets: seconds to the next minute.
        total: exports per minute; None if not reported.
    """

    remaining: int | None
    account_remaining: int | None
    resets: int
    total: int | None = None

    @classmethod
    def parse(cls, headers: Mapping[str, str], limit: RateLimit = EXPORTS) -> "RateLimitHeaders":
        """Parse the headers under any of their names; ``headers`` must be case-insensitive."""
        account_remaining = _first_number(headers, _ACCOUNT_REMAINING)
        endpoint = _ENDPOINT_VALUE.search(headers.get(limit.header, ""))
        if endpoint is not None:
            return cls(int(endpoint[2]), account_remaining, min(int(endpoint[3]), _MINUTE), int(endpoint[1]))
        resets = _first_number(headers, _ACCOUNT_RESET)
        return cls(None, account_remaining, next_minute(headers) if resets is None else min(resets, _MINUTE))


class RateLimiter:
    """Decides how long to wait before the next request of a run.

    The run waits for the next minute if its own limit is reached, if nothing remains, or if the rest is reserved for
    other clients, which are noticed because the counter falls faster than this run sends requests. After its first
    minute, or if there are other clients, the run spreads its requests over the minute. Then all clients notice each
    other, and none finds every minute used up in its first seconds.

    Args:
        max_requests: the most requests per minute of this run; None for Zendesk's own limit.
        limit: the limit of the endpoints.
    """

    def __init__(self, max_requests: int | None = None, limit: RateLimit = EXPORTS) -> None:
        self._limit = limit
        self._max_requests = max_requests
        self._headers = RateLimitHeaders(None, None, 0)
        self._minute_ends = float("-inf")
        self._next = float("-inf")
        self._minutes = 0
        self._sent = 0
        self._others = 0
        self._others_before = 0

    def update(self, headers: Mapping[str, str], sent_at: float, now: float) -> None:
        """Record the headers of a response; both times are seconds of a monotonic clock."""
        parsed = RateLimitHeaders.parse(headers, self._limit)
        before, left = self._headers.remaining, parsed.remaining
        if now >= self._minute_ends or (before is not None and left is not None and left > before):
            self._minutes += 1
            self._sent, self._others_before, self._others = 0, self._others, 0
        elif before is not None and left is not None:
            # This run used one request. Other clients used the rest, and may use as many before its next request.
            self._others = max(self._others, before - left - 1)
        self._sent += 1
        self._headers = parsed
        self._minute_ends = now + parsed.resets + _ROUNDING
        self._next = self._minute_ends if self._is_minute_used_up() else sent_at + self._interval()

    @property
    def limit(self) -> int:
        """The most requests per minute of this run while no other client sends any."""
        total = self._headers.total or self._limit.documented
        return total if self._max_requests is None else min(total, self._max_requests)

    def wait(self, now: float) -> float:
        """Seconds to wait before the next request."""
        return max(0.0, self._next - now)

    def _interval(self) -> float:
        """Seconds between two requests; 0 in the first minute if there are no other clients, so short runs are fast."""
        left = self._headers.remaining
        if left is None or (self._minutes == 1 and not self._others):
            return 0.0
        return self._headers.resets / (left + 1)

    def _is_minute_used_up(self) -> bool:
        """Whether this run should send no more requests in this minute."""
        remaining = self._headers.remaining
        if self._headers.account_remaining == 0:
            return True
        if remaining is None:
            return self._sent >= (self._max_requests or self._limit.documented)
        reserved = max(self._others, self._others_before)
        return remaining <= reserved or (self._max_requests is not None and self._sent >= self._max_requests)


def _first_number(headers: Mapping[str, str], names: tuple[str, ...]) -> int | None:
    for name in names:
        if (text := headers.get(name, "").strip()).isdecimal():
            return int(text)
    return None
