"""What the coverage pages know about stored slices without reading their rows. No I/O."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from airflow_zendesk.verify.findings import Problem
from airflow_zendesk.verify.footers import ReadFooter
from airflow_zendesk.verify.verified_slices import VerifiedSlice


@dataclass(frozen=True, slots=True)
class SliceFacts:
    """Counts and digest of a slice, all None if it is unreadable; and the result of its verification, if there is one.

    ``verified_second`` is in seconds since 1970, and None if the version that is stored was not verified.
    """

    rows: int | None
    late: int | None
    digest: str | None
    problem: Problem | None = None
    verified_second: int | None = None

    @classmethod
    def of_footer(cls, read: ReadFooter) -> Self:
        """The facts of a slice that was not verified."""
        footer = read.footer
        return cls(None, None, None, "damaged") if footer is None else cls(footer.rows, footer.late, footer.digest)

    @classmethod
    def of_verified(cls, result: VerifiedSlice) -> Self:
        """The facts of a slice that was verified."""
        if result.digest is None:
            return cls(None, None, None, result.problem, result.verified_at)
        return cls(result.rows, result.late, result.digest, result.problem, result.verified_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The sums of the slices of a dataset of which something is known.

    ``failed`` are readable slices that have failed verification. ``verified_at`` is the last verification.
    """

    rows: int
    counted: int
    unreadable: int
    failed: int
    verified: int
    verified_at: datetime | None

    @classmethod
    def of(cls, facts: Collection[SliceFacts]) -> Self:
        """Add the facts up."""
        seconds = [each.verified_second for each in facts if each.verified_second is not None]
        return cls(
            rows=sum(each.rows or 0 for each in facts),
            counted=len(facts),
            unreadable=sum(each.rows is None for each in facts),
            failed=sum(each.rows is not None and each.problem is not None for each in facts),
            verified=len(seconds),
            verified_at=datetime.fromtimestamp(max(seconds), UTC) if seconds else None,
        )
