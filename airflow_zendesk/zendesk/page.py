"""One page of an export: its proven records, and what they cost."""

from dataclasses import dataclass, field
from typing import Self

from airflow_zendesk.zendesk.records import Record


class _Counts:
    """A dataclass of numbers that can be added."""

    __slots__ = ()

    def __add__(self, other: Self) -> Self:
        names: tuple[str, ...] = type(self).__slots__
        return type(self)(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(slots=True, kw_only=True)
class RequestStats(_Counts):
    """The cost of requests: their number, the retries among them, and seconds spent waiting.

    ``seconds_limited`` is the part of ``seconds_waited`` that is due to rate limits.
    """

    requests: int = 0
    retries: int = 0
    seconds_waited: float = 0.0
    seconds_limited: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomalies(_Counts):
    """Counts of the anomalies of a page. No anomaly loses or duplicates an event.

    Args:
        duplicates: events that this sweep had received before.
        conflicting: duplicates with another body; the later one was kept.
        replaced_surrogates: halves of surrogate pairs, which UTF-8 cannot encode, that became U+FFFD.
        accepted_unproven: pages that were empty or did not advance, whose ``end_time`` was accepted without evidence.
    """

    duplicates: int = 0
    conflicting: int = 0
    replaced_surrogates: int = 0
    accepted_unproven: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The proven events of one response: all of the seconds ``[start_time, complete_until)``, and earlier late ones.

    Args:
        start_time: the requested unix second.
        complete_until: the unix second before which every event is exported.
        records: the events, sorted by time and id. Events older than ``start_time`` were delivered late.
        end_of_stream: whether the response said that it was the last.
        end_time: the unix second that responses reported as their end; None if the last one did not.
        server_date: the server's clock in unix seconds.
        wait: seconds to wait before the next request, for events that may still appear.
        anomalies: counts of the anomalies of the response.
        stats: the cost of fetching the page.
    """

    start_time: int
    complete_until: int
    records: list[Record]
    end_of_stream: bool
    end_time: int | None
    server_date: int
    wait: int
    anomalies: Anomalies = field(default_factory=Anomalies)
    stats: RequestStats = field(default_factory=RequestStats)
