"""The limits of the API: requests per minute, records per page, and how long cursors are valid."""

import math
from dataclasses import dataclass
from email.utils import formatdate

from airflow_zendesk.emulator.export_pages import MAX_PER_PAGE, EmptyEndTime
from airflow_zendesk.emulator.messages import ApiError, Request

#: The requests per minute of a whole account on a medium plan: sent in headers, not enforced here.
_ACCOUNT_LIMIT = 700
#: Sent in headers if there is no limit, because a careful client without that header assumes Zendesk's ten.
_UNLIMITED = 1_000_000
_BUCKET_HEADERS = {
    "exports": "Zendesk-RateLimit-Incremental-Exports",
    "users": "Zendesk-RateLimit-Incremental-Exports-Cursor",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the emulator returns.

    Args:
        requests_per_minute: The limit of the incremental exports; None for no limit.
        minute_seconds: The length of that minute.
        max_per_page: The maximum number of items in a page, unless they share one second.
        empty_end_time: See `export_pages.py`.
        users_requests_per_minute: The limit of the cursor export of users, which is separate; None for no limit.
        cursor_lifetime: The number of further requests until a cursor expires; None if cursors do not expire.
    """

    requests_per_minute: int | None = None
    minute_seconds: float = 60.0
    max_per_page: int = MAX_PER_PAGE
    empty_end_time: EmptyEndTime = None
    users_requests_per_minute: int | None = None
    cursor_lifetime: int | None = None

    def check(self, request: Request) -> None:
        """Raise an error if the request exceeds its rate limit."""
        limit = self._limit(request)
        if limit is not None and request.requests_this_minute > limit:
            raise ApiError(429, headers={"Retry-After": str(self._seconds_to_reset(request))})

    def headers(self, request: Request) -> dict[str, str]:
        """Return the headers of every response to a request."""
        resets = self._seconds_to_reset(request)
        is_limited = self.requests_per_minute or self.users_requests_per_minute
        account = _ACCOUNT_LIMIT if is_limited else _UNLIMITED
        account_remaining = str(max(account - request.account_requests_this_minute, 0))
        headers = {
            "Date": formatdate(request.time, usegmt=True),
            "Content-Type": "application/json; charset=UTF-8",
            "Cache-Control": "max-age=0, private, must-revalidate",
            "X-Request-Id": f"emulator-{request.number}",
            "X-Zendesk-Api-Version": "v2",
            "X-Rate-Limit": str(account),
            "X-Rate-Limit-Remaining": account_remaining,
            "RateLimit-Limit": str(account),
            "RateLimit-Remaining": account_remaining,
            "RateLimit-Reset": str(resets),
        }
        if request.bucket in _BUCKET_HEADERS:
            total = self._limit(request) or _UNLIMITED
            remaining = max(total - request.requests_this_minute, 0)
            headers[_BUCKET_HEADERS[request.bucket]] = f"total={total}; remaining={remaining}; resets={resets}"
        return headers

    def _limit(self, request: Request) -> int | None:
        """Return the limit that a request counts against; that of the account is not enforced."""
        limits = {"exports": self.requests_per_minute, "users": self.users_requests_per_minute}
        return limits.get(request.bucket or "account")

    def _seconds_to_reset(self, request: Request) -> int:
        """Return the whole seconds to the next minute; Zendesk's limits reset at full minutes of the clock."""
        return max(1, math.ceil(self.minute_seconds - request.time % self.minute_seconds))
