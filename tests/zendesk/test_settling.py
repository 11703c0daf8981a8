"""The age at which an event is exported."""

from datetime import timedelta

from airflow_zendesk.zendesk.settling import settle_seconds


def test_settle_time_is_never_below_the_minute_that_zendesk_withholds() -> None:
    """The minimum is a minute and a margin of 30 seconds; fractions are rounded up."""
    assert 90 == settle_seconds(timedelta(0))
    assert 301 == settle_seconds(timedelta(minutes=5, microseconds=1))
