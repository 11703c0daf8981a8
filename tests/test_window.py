"""Windows, grains and slices."""

import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.exceptions import InvalidWindowError, MisalignedWindowError, SettingsError
from airflow_zendesk.window import MAX_SLICES, Grain, Slice, Window, to_timedelta


@pytest.mark.parametrize(
    "start",
    [
        "2026-01-01T00:00:00Z",
        "2026-01-01T01:00:00+01:00",
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2025, 12, 31, 19, tzinfo=timezone(timedelta(hours=-5))),
    ],
)
def test_times_of_any_zone_become_utc(start: datetime | str) -> None:
    """Templates render to text and Airflow passes datetimes; both are accepted."""
    window = Window.of(start, "2026-01-02T00:00:00Z")
    assert "[2026-01-01T00:00:00Z, 2026-01-02T00:00:00Z)" == str(window)
    assert (1767225600, 1767312000) == (window.start_time, window.end_time)


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (None, None, "has no start. .*backfill create.*give start and end as params"),
        (None, "2026-01-02T00:00:00Z", "has no start, only an end. Give both."),
        ("2026-01-01T00:00:00Z", "", "has no end, only a start. Give both."),
        (
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00Z",
            "is empty. Its end is exclusive: one day.*CronDataIntervalTimetable",
        ),
        ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", "after its end .* Swap them, or correct one"),
        ("2026-01-01T00:00:00", "2026-01-02T00:00:00Z", "no time zone. Append Z"),
        ("20260101", "2026-01-02", "no time zone. Append Z"),
        ("2026-W01-4", "2026-01-02", "no time zone. Append Z"),
        ("2026-02-30", "2026-03-02", "'2026-02-30' is neither a day nor a time. Use one like 2026-01-31"),
        ("yesterday", "2026-01-02T00:00:00Z", "'yesterday' is neither a day nor a time"),
        ("2026-01-01T00:00:00.5Z", "2026-01-02T00:00:00Z", "not on a whole second. Round it"),
        (date(2026, 1, 1), date(2026, 1, 2), "start 2026-01-01 is a date without a time of day. Use a datetime with"),
        (1767225600, 1767312000, "start 1767225600 is a number. Use a datetime with a time zone"),
        (1767225600.5, 1767312000, "start 1767225600.5 is a number"),
        ("9999-12-31T23:00:00-05:00", "9999-12-31T23:30:00-05:00", "is not within the years 1 to 9999"),
        ("0001-01-01T00:00:00+05:00", "2026-01-01T00:00:00Z", "is not within the years 1 to 9999"),
        (["2026-01-01T00:00:00Z"], "2026-01-02T00:00:00Z", "start is of the type list. Use a datetime"),
        ("1969-12-31T00:00:00Z", "2026-01-02T00:00:00Z", "before 1970.* Use a later start"),
    ],
)
def test_invalid_window_is_refused_with_advice(start: Any, end: Any, reason: str) -> None:
    """An empty export must never look like a success."""
    with pytest.raises(InvalidWindowError, match=reason):
        Window.of(start, end)


def test_a_date_is_the_start_of_its_utc_day() -> None:
    """The date picker of a trigger form gives one, whatever the time zone of the viewer."""
    assert Window.of("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z") == Window.of("2026-01-01", "2026-01-03")


@pytest.mark.parametrize(
    ("text", "seconds", "canonical"),
    [("1d", 86_400, "1d"), ("24h", 86_400, "1d"), ("6h", 21_600, "6h"), ("90m", 5_400, "90m"), ("60m", 3_600, "1h")],
)
def test_grains_have_one_spelling(text: str, seconds: int, canonical: str) -> None:
    """The settings of two datasets can therefore be compared as text."""
    assert Grain(seconds) == Grain.of(text) == Grain.of(timedelta(seconds=seconds))
    assert canonical == str(Grain.of(text))


@pytest.mark.parametrize(
    "grain", ["7h", "2d", "0d", "1s", "d", "", timedelta(seconds=90.5), timedelta(0), timedelta(seconds=-60)]
)
def test_grain_that_does_not_divide_a_day_into_whole_minutes_is_refused(grain: timedelta | str) -> None:
    """Every day must have the same slices."""
    with pytest.raises(SettingsError):
        Grain.of(grain)


def test_duration_is_text_or_timedelta() -> None:
    """The command passes text, and the operator either."""
    assert timedelta(minutes=5) == to_timedelta("5m", "settle") == to_timedelta(timedelta(minutes=5), "settle")
    with pytest.raises(
        SettingsError, match=r"settle '5 minutes' is invalid\. Use whole days, hours or minutes, like 1d"
    ):
        to_timedelta("5 minutes", "settle")
    with pytest.raises(SettingsError, match="settle 300 is invalid"):
        to_timedelta(300, "settle")  # type: ignore[arg-type]  # as a DAG may pass it


def test_misaligned_window_names_the_largest_grain_that_fits() -> None:
    """A local day fits an hourly, half-hourly or quarter-hourly grain."""
    kathmandu = Window.of("2026-01-01T00:00:00+05:45", "2026-01-02T00:00:00+05:45")
    with pytest.raises(MisalignedWindowError, match="the largest grain that fits is 15m") as caught:
        Grain.of("1d").slices(kathmandu)
    assert "15m" == caught.value.fitting_grain
    assert 96 == len(Grain.of("15m").slices(kathmandu))
    with pytest.raises(MisalignedWindowError, match="does not start and end on whole minutes"):
        Grain.of("1d").slices(Window.of("2026-01-01T00:00:01Z", "2026-01-02T00:00:00Z"))


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (
            "2026-03-29T02:00:00+01:00", "2026-03-29T03:00:00+02:00",
            r"has no duration\. The clocks change from UTC\+01:00 to UTC\+02:00 in between\. Give start and end in UTC",
        ),
        ("2026-03-29T02:30:00+01:00", "2026-03-29T03:00:00+02:00", r"clocks change from UTC\+01:00 to UTC\+02:00"),
        ("2026-03-29T00:00:00+02:00", "2026-03-29T00:00:00+02:00", "is empty"),
    ],
)  # fmt: skip
def test_empty_local_window_names_the_clock_change(start: str, end: str, reason: str) -> None:
    """In the hour that is skipped, two local times that differ can be the same instant."""
    with pytest.raises(InvalidWindowError, match=reason) as caught:
        Window.of(start, end)
    assert ("clocks" in reason) == ("clocks" in str(caught.value))


@pytest.mark.parametrize(
    ("start", "end", "note"),
    [
        ("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", " (23 hours, like a local day on which the clocks"),
        ("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", " (25 hours, like a local day on which the clocks"),
        ("2026-10-24T00:00:00+02:00", "2026-10-25T00:00:00+02:00", " is not made"),
    ],
)
def test_misaligned_local_day_names_the_clock_change(start: str, end: str, note: str) -> None:
    """The data interval of a DAG in local time is 23 or 25 hours long on two days of the year."""
    with pytest.raises(MisalignedWindowError) as caught:
        Grain.of("4h").slices(Window.of(start, end))
    assert str(caught.value).split("Z)")[1].startswith(note)


def test_window_with_a_wrong_year_is_refused_before_its_slices_are_made() -> None:
    """19 million slices would take minutes and gigabytes."""
    window = Window.of("2026-01-01T00:00:00Z", "2062-01-01T00:00:00Z")
    with pytest.raises(InvalidWindowError, match=r"has 18,934,560 slices of 1m; one window may have 600,000\. Check"):
        Grain.of("1m").slices(window)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert MAX_SLICES == len(Grain.of("1m").slices(Window(start, start + timedelta(minutes=MAX_SLICES))))


def test_slice_equals_the_window_of_its_times() -> None:
    """A slice that is read from a key is found among the slices of a grain, also after a process boundary."""
    day = Window.of("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
    (slice_,) = Grain.of("1d").slices(day)
    later = Window.of("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z")
    assert Slice is type(slice_)
    assert slice_ == day == pickle.loads(pickle.dumps(slice_))
    assert {day} == {slice_, day}
    assert [slice_, later] == sorted([later, slice_])
    assert day != (day.start, day.end)


grains = st.sampled_from([1, 5, 15, 30, 60, 90, 360, 1_440]).map(lambda minutes: Grain(minutes * 60))


@given(grains, st.integers(0, 20_000), st.integers(1, 50))
def test_slices_tile_the_window(grain: Grain, first: int, count: int) -> None:
    """Law: slices are contiguous, one grain long, aligned to the grid, and together make up the window."""
    window = Window(
        datetime.fromtimestamp(first * grain.seconds, UTC), datetime.fromtimestamp((first + count) * grain.seconds, UTC)
    )
    slices = grain.slices(window)
    assert [window.start, *(slice_.end for slice_ in slices)] == [*(slice_.start for slice_ in slices), window.end]
    assert {grain.seconds} == {slice_.end_time - slice_.start_time for slice_ in slices}
    assert {0} == {slice_.start_time % grain.seconds for slice_ in slices}


def test_window_is_split_at_the_months_of_the_utc_calendar() -> None:
    """Leap days and the turn of the year are included."""
    assert [
        "[2023-12-31T00:00:00Z, 2024-01-01T00:00:00Z)",
        "[2024-01-01T00:00:00Z, 2024-02-01T00:00:00Z)",
        "[2024-02-01T00:00:00Z, 2024-03-01T00:00:00Z)",
        "[2024-03-01T00:00:00Z, 2024-03-01T06:00:00Z)",
    ] == [str(month) for month in Window.of("2023-12-31T00:00:00Z", "2024-03-01T06:00:00Z").months()]


@given(grains, st.integers(0, 20_000), st.integers(1, 5_000))
def test_months_have_the_slices_of_the_window(grain: Grain, first: int, count: int) -> None:
    """Law: at any grain, a window has the same slices as its months together."""
    window = Window(
        datetime.fromtimestamp(first * grain.seconds, UTC), datetime.fromtimestamp((first + count) * grain.seconds, UTC)
    )
    assert grain.slices(window) == tuple(slice_ for month in window.months() for slice_ in grain.slices(month))


@given(grains, st.integers(0, 100_000), st.integers(1, 100_000))
def test_fitting_grain_fits_and_no_larger_one_does(grain: Grain, start: int, minutes: int) -> None:
    """Law: the grain that the error proposes works, and no larger grain does."""
    window = Window(datetime.fromtimestamp(start * 60, UTC), datetime.fromtimestamp((start + minutes) * 60, UTC))
    try:
        grain.slices(window)
    except MisalignedWindowError as error:
        fitting = Grain.of(error.fitting_grain or "")
    else:
        return
    assert fitting.slices(window)
    for larger in (minutes * 60 for minutes in range(fitting.seconds // 60 + 1, 1_441) if 1_440 % minutes == 0):
        with pytest.raises(MisalignedWindowError):
            Grain(larger).slices(window)
