"""The days of a dataset as the pages show them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from airflow_zendesk.plugins.days import Day, DayState, bars, calendar, calendar_days, days_of
from airflow_zendesk.plugins.repair_plan import RepairPlan, plan_repair
from airflow_zendesk.plugins.slice_facts import SliceFacts, Totals
from airflow_zendesk.verify.coverage import Coverage
from airflow_zendesk.verify.verified_slices import VerifiedSlice
from airflow_zendesk.window import Grain, Slice

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY, HOUR = Grain.of("1d"), Grain.of("1h")
UNREADABLE = SliceFacts(None, None, None, "damaged")


def facts(rows: int, late: int = 0) -> SliceFacts:
    """The facts of a readable slice."""
    return SliceFacts(rows, late, "digest")


def slice_of(number: int, grain: Grain = DAY) -> Slice:
    """A slice, counted from START."""
    step = timedelta(seconds=grain.seconds)
    return Slice(START + step * number, START + step * (number + 1))


def days(*numbers: int) -> list[date]:
    """Days, counted from START."""
    return [(START + timedelta(days=number)).date() for number in numbers]


def test_each_day_has_its_worst_state() -> None:
    """A day is exported, with late rows, empty, unreadable, failed, missing, not due, or before the first slice."""
    coverage = Coverage.of([slice_of(number) for number in (1, 2, 3, 4, 5)], DAY, START + timedelta(days=9, hours=1))
    read = {
        slice_of(1): facts(5),
        slice_of(2): facts(5, late=2),
        slice_of(3): facts(0),
        slice_of(4): UNREADABLE,
        slice_of(5): SliceFacts(5, 2, "digest", "duplicate", 1),
    }
    found = days_of(days(*range(10)), coverage, read)
    expected: list[DayState] = [
        "before", "exported", "late", "empty", "damaged", "failed", "missing", "missing", "due", "due",
    ]  # fmt: skip
    assert expected == [day.state for day in found]
    assert "2026-03-03: with late rows, 5 rows, 2 of them late" == found[2].title
    assert "2026-03-01: before the first slice" == found[0].title


def test_days_say_what_is_not_loaded() -> None:
    """If it is known; a day that is loaded has nothing to say."""
    coverage = Coverage.of([slice_of(number, HOUR) for number in range(48)], HOUR, START + timedelta(2))
    loaded = {slice_of(number, HOUR) for number in range(30)}
    first, second = days_of(days(0, 1), coverage, {}, loaded)
    assert (24, 6) == (first.loaded, second.loaded)
    assert "2026-03-02: exported (24 of 24 slices), 6 of 24 loaded" == second.title
    assert [None] == [day.loaded for day in days_of(days(0), coverage, {})]
    assert "loaded" not in first.title


def test_verified_slice_that_was_unreadable_has_no_rows() -> None:
    """Its day is unreadable, and not one without rows."""
    assert replace(UNREADABLE, verified_second=60) == SliceFacts.of_verified(
        VerifiedSlice("version", 0, 0, None, 60, "damaged")
    )


def test_totals_count_what_is_known() -> None:
    """Rows of readable slices; the problems, and the last verification."""
    read = [facts(5), UNREADABLE, SliceFacts(3, 0, "digest", "stale", 60), SliceFacts(2, 0, "digest", None, 90)]
    last = datetime(1970, 1, 1, 0, 1, 30, tzinfo=UTC)
    assert Totals(rows=10, counted=4, unreadable=1, failed=1, verified=2, verified_at=last) == Totals.of(read)
    nothing = Totals(rows=0, counted=0, unreadable=0, failed=0, verified=0, verified_at=None)
    assert nothing == Totals.of([])


def test_day_without_a_snapshot_of_a_list_is_not_missing() -> None:
    """A list has no gaps, because no export can make the snapshot of an earlier day."""
    snapshots = Coverage.of([slice_of(0), slice_of(2)], DAY, START + timedelta(days=3))
    found = days_of(days(0, 1, 2), replace(snapshots, gaps=()), {})
    assert ["exported", "none", "exported"] == [day.state for day in found]


def test_one_missing_hour_makes_a_day_missing() -> None:
    """The tooltip says how many slices there are."""
    coverage = Coverage.of([slice_of(number, HOUR) for number in range(48) if number != 30], HOUR, START + timedelta(3))
    first, second = days_of(days(0, 1), coverage, {})
    assert ("exported", None) == (first.state, first.rows)
    assert "2026-03-02: missing (23 of 24 slices)" == second.title


def test_calendar_has_weeks_as_columns() -> None:
    """From a Monday to the day; the months have their names."""
    until = date(2026, 3, 4)  # a Wednesday
    dates = calendar_days(until)
    assert (0, until, 52 * 7 + 3) == (dates[0].weekday(), dates[-1], len(dates))
    chart = calendar([Day(day=day, state="exported", stored=1, expected=1) for day in dates])
    first, monday, wednesday = chart.marks[0], chart.marks[-3], chart.marks[-1]
    assert (first.y, first.y + 36) == (monday.y, wednesday.y)
    assert monday.x == wednesday.x == first.x + 52 * 18
    assert {"Jan 2026", "Mar", "Dec", "Mon"} <= {text for _, _, text in chart.labels}


@pytest.mark.parametrize(("most", "label"), [(0, "0"), (999, "999"), (1_500, "1.5k"), (25_000, "25k"), (3e6, "3.0M")])
def test_bars_are_as_high_as_their_rows(most: float, label: str) -> None:
    """The highest bar has the whole height, and its number is the label."""
    dates = days(0, 1, 2)
    rows = [int(most), int(most) // 2, None]
    chart = bars(
        [
            Day(day=day, state="exported", stored=1, expected=1, rows=count)
            for day, count in zip(dates, rows, strict=True)
        ]
    )
    assert label == chart.labels[0][2]
    highest, half, none = (mark.height for mark in chart.marks)
    assert (120.0 if most else 0.0, 0.0) == (highest, none)
    assert half == pytest.approx(highest / 2, abs=0.2)


def test_repair_is_one_run_from_the_first_gap_to_the_last() -> None:
    """In whole days; the estimate takes the mean of the rows that are stored."""
    stored = [slice_of(number, HOUR) for number in range(24 * 6) if number not in {30, 31, 100}]
    now = START + timedelta(days=6, hours=1)
    read = [facts(3_000), facts(5_000)]
    assert RepairPlan(start=date(2026, 3, 2), end=date(2026, 3, 6), missing=3, requests=12, minutes=2) == plan_repair(
        Coverage.of(stored, HOUR, now), read, now
    )


def test_gaps_of_today_are_left_to_the_schedule() -> None:
    """The DAG exports whole days, and this one is not over."""
    stored = [slice_of(number, HOUR) for number in (0, 1, 5)]
    assert plan_repair(Coverage.of(stored, HOUR, START + timedelta(hours=6)), [], START + timedelta(hours=6)) is None
    now = START + timedelta(days=1, hours=12)
    plan = plan_repair(Coverage.of(stored, HOUR, now), [], now)
    assert plan
    assert (date(2026, 3, 1), date(2026, 3, 2)) == (plan.start, plan.end)
