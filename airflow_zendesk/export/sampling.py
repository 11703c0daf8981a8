"""Estimate how many events a long window has, from a few of its pages.

The API has no count: a page has the events between its start and its end, and no information about the rest. So pages
are sampled evenly over the window, and the time between them is assumed to be like the page before it. If the pages
reach from one to the next, everything is counted instead.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from airflow_zendesk.window import Window

#: The fractional parts of its multiples are evenly spread, and do not repeat the same time of the day or of the week.
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Sample:
    """One page: ``events`` in ``seconds``, as a sample of a part of the window that is ``share`` seconds long."""

    events: int
    seconds: int
    share: int

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def unsampled_seconds(self) -> float:
        """Seconds of its part that were not sampled."""
        return self.share - self.seconds


@dataclass(slots=True, kw_only=True)
class Sampling:
    """Chooses the next page to sample, of at most ``pages``, and computes the estimate.

    Request the page at ``start_time``, give its result to ``take``, and repeat until ``done``.
    """

    window: Window
    pages: int
    start_time: int = field(init=False)
    samples: list[Sample] = field(init=False, default_factory=list)
    _part: int = field(init=False)

    def __post_init__(self) -> None:
        self.start_time = self._part = self.window.start_time

    @property
    def done(self) -> bool:
        """Whether the whole window is estimated."""
        return self._part >= self.window.end_time

    def take(self, events: int, complete_until: int) -> None:
        """Add a sample: the number of events from ``start_time`` to ``complete_until``, both unix seconds."""
        left = self.pages - len(self.samples)
        part_ends = max(complete_until, self._part + (self.window.end_time - self._part) // left)
        self.samples.append(Sample(events, complete_until - self.start_time, part_ends - self._part))
        self._part = part_ends
        if not self.done:
            typical = sum(sample.seconds for sample in self.samples) // len(self.samples)
            spare = (self.window.end_time - self._part) // (left - 1) - typical
            self.start_time = self._part + int(max(0, spare) * (len(self.samples) * _GOLDEN % 1))

    @property
    def events(self) -> float:
        """The estimated number of events in the window."""
        return sum(sample.events + sample.unsampled_seconds * sample.rate for sample in self.samples)

    @property
    def margin(self) -> float | None:
        """The error of the estimate with 95 % confidence, in events; None if only one page was sampled.

        It is computed from the differences between neighbouring samples, so a slow trend hardly counts.
        """
        unsampled = math.hypot(*(sample.unsampled_seconds for sample in self.samples))
        if not unsampled:
            return 0.0
        steps = [(after.rate - before.rate) ** 2 for before, after in pairwise(self.samples)]
        return 2 * unsampled * math.sqrt(sum(steps) / (2 * len(steps))) if steps else None


def requests_per_run(samples: Sequence[Sample], run_seconds: int, per_page: int) -> int:
    """Requests of one run per ``run_seconds``: its pages, including the last one, which reaches beyond its end."""
    return round(sum(sample.share / run_seconds * (sample.rate * run_seconds // per_page + 1) for sample in samples))
