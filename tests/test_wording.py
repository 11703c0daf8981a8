"""The wording of counts."""

import pytest

from airflow_zendesk.wording import counted


@pytest.mark.parametrize(("count", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (12_345, "12,345 rows")])
def test_one_is_singular(count: int, text: str) -> None:
    """Everything else is plural, zero too."""
    assert text == counted(count, "row")
