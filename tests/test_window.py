"""Windows, grains and slices."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.exceptions import InvalidWindowError, MisalignedWindowError, SettingsError
from airflow_zendesk.window import Grain, Window, to_timedelta


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
    """Templates give text, Airflow gives datetimes; both mean an instant."""
    window = Window.of(start, "2026-01-02T00:00:00Z")
    assert "[2026-01-01T00:00:00Z, 2026-01-02T00:00:00Z)" == str(window)
    assert (1767225600, 1767312000) == (window.start_time, window.end_time)


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (None, "2026-01-02T00:00:00Z", "has no start. .*give start and end as params"),
        ("2026-01-01T00:00:00Z", "", "has no end. .*backfill create"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "is empty. .*CronDataIntervalTimetable"),
        ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", "after its end"),
        ("2026-01-01T00:00:00", "2026-01-02T00:00:00Z", "no time zone: append Z"),
        ("2026-01-01", "2026-01-02", "no time zone: append Z"),
        ("yesterday", "2026-01-02T00:00:00Z", "'yesterday' is not a time like"),
        ("2026-01-01T00:00:00.5Z", "2026-01-02T00:00:00Z", "not on a whole second"),
        ("1969-12-31T00:00:00Z", "2026-01-02T00:00:00Z", "before 1970"),
    ],
)
def test_window_that_is_none_is_refused_with_the_way_out(start: Any, end: Any, reason: str) -> None:
    """An empty export must never look like a success."""
    with pytest.raises(InvalidWindowError, match=reason):
        Window.of(start, end)


@pytest.mark.parametrize(
    ("text", "seconds", "canonical"),
    [("1d", 86_400, "1d"), ("24h", 86_400, "1d"), ("6h", 21_600, "6h"), ("90m", 5_400, "90m"), ("60m", 3_600, "1h")],
)
def test_grains_have_one_spelling(text: str, seconds: int, canonical: str) -> None:
    """So that a dataset's record can be compared."""
    assert Grain(seconds) == Grain.of(text) == Grain.of(timedelta(seconds=seconds))
    assert canonical == str(Grain.of(text))


@pytest.mark.parametrize(
    "grain", ["7h", "2d", "0d", "1s", "d", "", timedelta(seconds=90.5), timedelta(0), timedelta(seconds=-60)]
)
def test_grain_that_does_not_divide_a_day_into_whole_minutes_is_refused(grain: timedelta | str) -> None:
    """Slices of all days must be alike."""
    with pytest.raises(SettingsError):
        Grain.of(grain)


def test_lengths_of_time_are_text_or_timedelta() -> None:
    """As the command and the operator take them."""
    assert timedelta(minutes=5) == to_timedelta("5m", "settle") == to_timedelta(timedelta(minutes=5), "settle")
    with pytest.raises(SettingsError, match="settle '5 minutes' is not a length of time like 1d, 6h or 15m"):
        to_timedelta("5 minutes", "settle")


def test_misaligned_window_names_the_largest_grain_that_fits() -> None:
    """A day in local time is whole hours, or half or quarter ones."""
    kathmandu = Window.of("2026-01-01T00:00:00+05:45", "2026-01-02T00:00:00+05:45")
    with pytest.raises(MisalignedWindowError, match="the largest grain that fits is 15m") as caught:
        Grain.of("1d").slices(kathmandu)
    assert "15m" == caught.value.fitting_grain
    assert 96 == len(Grain.of("15m").slices(kathmandu))
    with pytest.raises(MisalignedWindowError, match="does not start and end on whole minutes"):
        Grain.of("1d").slices(Window.of("2026-01-01T00:00:01Z", "2026-01-02T00:00:00Z"))


grains = st.sampled_from([1, 5, 15, 30, 60, 90, 360, 1_440]).map(lambda minutes: Grain(minutes * 60))


@given(grains, st.integers(0, 20_000), st.integers(1, 50))
def test_slices_tile_the_window(grain: Grain, first: int, count: int) -> None:
    """Law: slices follow upon each other, are all of the grain, lie on its grid, and make up the window."""
    window = Window(
        datetime.fromtimestamp(first * grain.seconds, UTC), datetime.fromtimestamp((first + count) * grain.seconds, UTC)
    )
    slices = grain.slices(window)
    assert [window.start, *(slice_.end for slice_ in slices)] == [*(slice_.start for slice_ in slices), window.end]
    assert {grain.seconds} == {slice_.end_time - slice_.start_time for slice_ in slices}
    assert {0} == {slice_.start_time % grain.seconds for slice_ in slices}


def test_months_begin_where_the_calendar_says() -> None:
    """In UTC, leap days and the turn of the year included."""
    assert [
        "[2023-12-31T00:00:00Z, 2024-01-01T00:00:00Z)",
        "[2024-01-01T00:00:00Z, 2024-02-01T00:00:00Z)",
        "[2024-02-01T00:00:00Z, 2024-03-01T00:00:00Z)",
        "[2024-03-01T00:00:00Z, 2024-03-01T06:00:00Z)",
    ] == [str(month) for month in Window.of("2023-12-31T00:00:00Z", "2024-03-01T06:00:00Z").months()]


@given(grains, st.integers(0, 20_000), st.integers(1, 5_000))
def test_months_have_the_slices_of_the_window(grain: Grain, first: int, count: int) -> None:
    """Law: whatever the grain, a window and its months are made of the same slices."""
    window = Window(
        datetime.fromtimestamp(first * grain.seconds, UTC), datetime.fromtimestamp((first + count) * grain.seconds, UTC)
    )
    assert grain.slices(window) == tuple(slice_ for month in window.months() for slice_ in grain.slices(month))


@given(grains, st.integers(0, 100_000), st.integers(1, 100_000))
def test_fitting_grain_fits_and_no_larger_one_does(grain: Grain, start: int, minutes: int) -> None:
    """Law: what the error proposes works, and it is the largest that does."""
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
