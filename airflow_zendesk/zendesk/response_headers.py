"""Times in the headers of a response: the server's clock, and how long a client must wait.

Header mappings must be case-insensitive.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: Limits reset every minute, so a Retry-After above one hour is treated as invalid.
_MAX_RETRY_AFTER = 3_600.0


def server_date(headers: Mapping[str, str]) -> int:
    """The server's clock in unix seconds, from the ``Date`` header.

    Raises:
        ValueError: it is missing or unreadable.
    """
    try:
        return int(_date(headers["Date"]).timestamp())
    except (KeyError, ValueError):
        raise ValueError("it has no readable Date header, which every proof of completeness needs") from None


def next_minute(headers: Mapping[str, str]) -> int:
    """Seconds to the next minute of the server's clock; 60 if the response has no readable Date."""
    try:
        return 60 - server_date(headers) % 60
    except ValueError:
        return 60


def retry_after(headers: Mapping[str, str]) -> float | None:
    """``Retry-After`` in seconds, sent as a number or as a date; None if it is missing or invalid."""
    text = headers.get("Retry-After", "").strip()
    try:
        if re.fullmatch(r"\d+(\.\d+)?", text):
            seconds = float(text)
        else:
            seconds = max(0.0, _date(text).timestamp() - server_date(headers))
    except ValueError:
        return None
    return seconds if seconds <= _MAX_RETRY_AFTER else None


def _date(text: str) -> datetime:
    """An HTTP date. One without a time zone is in UTC, not in the worker's zone."""
    date = parsedate_to_datetime(text)
    return date if date.tzinfo else date.replace(tzinfo=UTC)
