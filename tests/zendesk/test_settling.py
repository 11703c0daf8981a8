"""How old an event must be."""

from datetime import timedelta

from airflow_zendesk.zendesk.settling import settle_seconds


def test_settling_time_is_never_below_the_minute_that_zendesk_withholds() -> None:
    """A minute and a margin of thirty seconds are kept whatever is asked for."""
    assert 90 == settle_seconds(timedelta(0))
    assert 301 == settle_seconds(timedelta(minutes=5, microseconds=1))
