"""What a running export tells of itself: a line in the log now and then, and Airflow's metrics."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from airflow_zendesk.compat import stats
from airflow_zendesk.export.report import Progress

#: Seconds between two lines in the log: a page takes six at Zendesk's limit, a sweep of years has thousands.
_LOG_EVERY = 30.0
#: The counters, and what of the progress they count.
_COUNTERS = ("events", "pages", "late", "requests", "seconds_limited")


class Telemetry:
    """Tells the progress of one export; call it after each page.

    The metrics are the counters ``zendesk.export.events``, ``.pages``, ``.late``, ``.requests`` and
    ``.seconds_limited``, and, for a run that follows the present, the gauge ``zendesk.export.lag``: the seconds between
    now and the time up to which everything is exported.

    Args:
        say: writes a line to the log.
        tags: go with each metric, where the backend knows tags.
        follows_present: whether the run is the newest of its schedule; the lag of others says nothing.
        clock: seconds of any steady clock.
    """

    def __init__(
        self,
        say: Callable[[str], object],
        tags: Mapping[str, str],
        *,
        follows_present: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say = say
        self._tags = dict(tags)
        self._follows_present = follows_present
        self._clock = clock
        self._told = dict.fromkeys(_COUNTERS, 0)
        self._logged = float("-inf")

    def __call__(self, progress: Progress) -> None:
        """Tell how far the export is."""
        for name in _COUNTERS:
            # What has been told is subtracted after rounding, so that parts of seconds add up.
            count = int(getattr(progress, name)) - self._told[name]
            if count:
                self._told[name] += count
                stats.incr(f"zendesk.export.{name}", count, tags=self._tags)
        if self._follows_present:
            lag = (datetime.now(UTC) - progress.covered).total_seconds()
            stats.gauge("zendesk.export.lag", round(lag), tags=self._tags)
        now = self._clock()
        if progress.fraction == 1 or now - self._logged >= _LOG_EVERY:
            self._logged = now
            self._say(str(progress))
