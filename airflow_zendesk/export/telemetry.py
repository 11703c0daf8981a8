"""Log lines and Airflow metrics of a running export."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from airflow_zendesk.compat import stats
from airflow_zendesk.export.progress import Progress

#: Seconds between two log lines: a page takes six at Zendesk's limit, and years of events have thousands.
_LOG_EVERY = 30.0
#: The counters, named like the fields of ``Progress`` that they count.
_COUNTERS = ("events", "pages", "late", "requests", "seconds_limited")


class Telemetry:
    """Reports the progress of one export; call it after each page.

    The metrics are the counters ``zendesk.export.events``, ``.pages``, ``.late``, ``.requests`` and
    ``.seconds_limited``. A scheduled run also sets the gauge ``zendesk.export.lag``: the seconds between now and the
    time until which the dataset is complete.

    Args:
        log: writes a line to the log.
        tags: sent with each metric, if the backend supports tags.
        is_scheduled: whether the run is the newest of its schedule; the lag of other runs is meaningless.
        clock: seconds of any steady clock.
    """

    def __init__(
        self,
        log: Callable[[str], object],
        tags: Mapping[str, str],
        *,
        is_scheduled: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._tags = dict(tags)
        self._is_scheduled = is_scheduled
        self._clock = clock
        self._sent = dict.fromkeys(_COUNTERS, 0)
        self._logged = float("-inf")

    def has_pages(self) -> bool:
        """Whether the export has received pages."""
        return self._sent["pages"] > 0

    def __call__(self, progress: Progress) -> None:
        """Send the metrics, and a log line if the last one is old enough."""
        for name in _COUNTERS:
            # Subtracted after rounding, so that fractions of seconds add up.
            count = int(getattr(progress, name)) - self._sent[name]
            if count:
                self._sent[name] += count
                stats.incr(f"zendesk.export.{name}", count, tags=self._tags)
        if self._is_scheduled:
            lag = (datetime.now(UTC) - progress.complete_until).total_seconds()
            stats.gauge("zendesk.export.lag", round(lag), tags=self._tags)
        now = self._clock()
        if progress.fraction == 1 or now - self._logged >= _LOG_EVERY:
            self._logged = now
            self._log(str(progress))
