"""How fast to ask: the account's limit is read from Zendesk's counters, and others are left their part.

Ten requests a minute (thirty with the High Volume add-on) are shared by all incremental exports of an account and all
of its tools; the minute is that of the clock. Zendesk tells what is left in headers whose names have changed over the
years. Where it tells nothing, we count our own requests.

Source: https://developer.zendesk.com/api-reference/introduction/rate-limits/
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from airflow_zendesk.zendesk.response import next_minute

#: "Incremental Exports global limit", without the add-on.
DOCUMENTED_LIMIT = 10
#: The longest time to the next minute. A reset that lies further away is no number of seconds, or no honest one.
_MINUTE = 60
#: The counters say whole seconds, rounded we do not know how: a second more is cheaper than a refusal.
_ROUNDING = 1.0

_EXPORTS_HEADER = "Zendesk-RateLimit-Incremental-Exports"
_EXPORTS_VALUE = re.compile(r"total=(\d+);\s*remaining=(\d+);\s*resets=(\d+)")
_ACCOUNT_REMAINING = ("X-Rate-Limit-Remaining", "RateLimit-Remaining", "Rate-Limit-Remaining")
_ACCOUNT_RESET = ("RateLimit-Reset", "Rate-Limit-Reset")


@dataclass(frozen=True, slots=True)
class RateLimitHeaders:
    """What an answer says of the limits.

    ``remaining`` are exports of ``total`` a minute, ``account_remaining`` requests of any kind, None where nothing is
    said; ``resets`` are the seconds to the next minute of the clock.
    """

    remaining: int | None
    account_remaining: int | None
    resets: int
    total: int | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "RateLimitHeaders":
        """Read the counters in any of their spellings; ``headers`` must find names whatever their case."""
        account_remaining = _first_number(headers, _ACCOUNT_REMAINING)
        exports = _EXPORTS_VALUE.search(headers.get(_EXPORTS_HEADER, ""))
        if exports is not None:
            return cls(int(exports[2]), account_remaining, min(int(exports[3]), _MINUTE), int(exports[1]))
        resets = _first_number(headers, _ACCOUNT_RESET)
        return cls(None, account_remaining, next_minute(headers) if resets is None else min(resets, _MINUTE))


class RateLimiter:
    """Decides how long to wait before the next request of a run.

    Three things end the asking in a minute: our own cap is reached; Zendesk says that nothing is left; or what is left
    is needed by those who ask at the same time, which shows in a counter that falls faster than we ask. Who asks for
    longer than a minute, or meets others, spreads the requests over the minute: then all see each other, and nobody
    finds it used up in its first seconds, time and again.

    Args:
        cap: requests a minute that this run may send; None for all that Zendesk allows.
    """

    def __init__(self, cap: int | None = None) -> None:
        self._cap = cap
        self._counters = RateLimitHeaders(None, None, 0)
        self._minute_ends = float("-inf")
        self._next = float("-inf")
        self._minutes = 0
        self._sent = 0
        self._others = 0
        self._others_before = 0

    def update(self, headers: Mapping[str, str], asked: float, now: float) -> None:
        """Take note of the answer to a request: when it was asked and when it came, in seconds of any steady clock."""
        counters = RateLimitHeaders.of(headers)
        before, left = self._counters.remaining, counters.remaining
        if now >= self._minute_ends or (before is not None and left is not None and left > before):
            self._minutes += 1
            self._sent, self._others_before, self._others = 0, self._others, 0
        elif before is not None and left is not None:
            # Our request took one. What else went, others took, and may take again before our next one arrives.
            self._others = max(self._others, before - left - 1)
        self._sent += 1
        self._counters = counters
        self._minute_ends = now + counters.resets + _ROUNDING
        self._next = self._minute_ends if self._is_minute_used_up() else asked + self._distance()

    @property
    def limit(self) -> int:
        """Requests a minute that this run can send if it is alone: as many as Zendesk tells, and the cap allows."""
        told = self._counters.total or DOCUMENTED_LIMIT
        return told if self._cap is None else min(told, self._cap)

    def wait(self, now: float) -> float:
        """Seconds to wait before the next request."""
        return max(0.0, self._next - now)

    def _distance(self) -> float:
        """Seconds between two requests: none at first, for a short run is done at once; then what fills the minute."""
        left = self._counters.remaining
        if left is None or (self._minutes == 1 and not self._others):
            return 0.0
        return self._counters.resets / (left + 1)

    def _is_minute_used_up(self) -> bool:
        remaining = self._counters.remaining
        if self._counters.account_remaining == 0:
            return True
        if remaining is None:
            return self._sent >= (self._cap or DOCUMENTED_LIMIT)
        reserved = max(self._others, self._others_before)
        return remaining <= reserved or (self._cap is not None and self._sent >= self._cap)


def _first_number(headers: Mapping[str, str], names: tuple[str, ...]) -> int | None:
    for name in names:
        if (text := headers.get(name, "").strip()).isdecimal():
            return int(text)
    return None
