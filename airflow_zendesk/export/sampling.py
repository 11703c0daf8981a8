"""How many events a long time holds, judged by a few pages of it.

The export knows no count: a page tells how many events lie between its start and the second up to which it goes, and
nothing of what follows. So pages are asked for here and there, evenly over the window; what lies between them is taken
to be like the page beside it. Where the pages turn out to reach from one to the next, everything is counted instead.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from airflow_zendesk.window import Window

#: The fractional part of its multiples falls evenly, and not always at the same time of the day or of the week.
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Sample:
    """What one page tells: ``events`` in ``seconds``, for a part of the window that is ``share`` seconds long."""

    events: int
    seconds: int
    share: int

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def guessed(self) -> float:
        """Seconds of its part that nobody has looked at."""
        return self.share - self.seconds


@dataclass(slots=True)
class Sampling:
    """Decides where to look next, and adds up what was seen.

    Ask for the page at ``start_time``, tell what it covered, and so on until ``done``.

    Args:
        window: the time to judge.
        pages: how many pages may be asked for.
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
        """Whether the whole window is judged."""
        return self._part >= self.window.end_time

    def take(self, events: int, covered: int) -> None:
        """Learn that so many events lie between ``start_time`` and ``covered``; both are unix seconds."""
        left = self.pages - len(self.samples)
        part_ends = max(covered, self._part + (self.window.end_time - self._part) // left)
        self.samples.append(Sample(events, covered - self.start_time, part_ends - self._part))
        self._part = part_ends
        if not self.done:
            typical = sum(sample.seconds for sample in self.samples) // len(self.samples)
            spare = (self.window.end_time - self._part) // (left - 1) - typical
            self.start_time = self._part + int(max(0, spare) * (len(self.samples) * _GOLDEN % 1))

    @property
    def events(self) -> float:
        """How many events the window holds, by what was seen."""
        return sum(sample.events + sample.guessed * sample.rate for sample in self.samples)

    @property
    def margin(self) -> float | None:
        """By how many events that may be wrong, in nineteen cases of twenty; None if a single page cannot tell.

        Neighbours differ by what an event's luck, the hour and the day of the week make of it; a trend hardly counts.
        """
        guessed = math.hypot(*(sample.guessed for sample in self.samples))
        if not guessed:
            return 0.0
        steps = [(after.rate - before.rate) ** 2 for before, after in pairwise(self.samples)]
        return 2 * guessed * math.sqrt(sum(steps) / (2 * len(steps))) if steps else None


def requests_per_run(samples: Sequence[Sample], run_seconds: int, per_page: int) -> int:
    """What a run for each ``run_seconds`` costs: its pages, of which the last goes beyond its end."""
    return round(sum(sample.share / run_seconds * (sample.rate * run_seconds // per_page + 1) for sample in samples))
