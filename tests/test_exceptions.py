"""The error tree."""

import inspect
import pickle
import re
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_zendesk import exceptions
from airflow_zendesk.exceptions import TransientError, ZendeskError
from tests.support.commands import ROOT

ALL = [
    member
    for _, member in inspect.getmembers(exceptions, inspect.isclass)
    if issubclass(member, ZendeskError) and "__str__" in {name for cls in member.__mro__[:-3] for name in vars(cls)}
]
SAMPLES: dict[str, Any] = {
    "status": 400, "retry_after": 7.0, "start_time": 5, "max_bytes": 2**20, "end": datetime(2026, 1, 2, tzinfo=UTC),
    "server_date": datetime(2026, 1, 1, tzinfo=UTC), "differences": {"grain": ("1d", "1h")}, "stored": 5, "answered": 4,
    "missing": 1, "fitting_grain": "1h", "next_minute": 41.0, "at": datetime(2026, 1, 1, tzinfo=UTC),
    "problems": {"missing": 2}, "size": 2**33, "limit": 2**32,
}  # fmt: skip


def sample(cls: type[ZendeskError]) -> ZendeskError:
    """An error of that class with something in each field."""
    return cls(**{each.name: SAMPLES.get(each.name, f"a {each.name}") for each in fields(cls)})


@pytest.mark.parametrize("cls", ALL)
def test_errors_survive_pickling(cls: type[ZendeskError]) -> None:
    """Airflow hands errors from process to process."""
    error = sample(cls)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(error), vars(error), str(error)) == (type(copy), vars(copy), str(copy))


@pytest.mark.parametrize("cls", ALL)
def test_errors_read_as_sentences(cls: type[ZendeskError]) -> None:
    """What happened, and what to do: more than one sentence, or one that says both."""
    text = str(sample(cls))
    assert text
    assert "<" not in text
    assert fields(cls)


@pytest.mark.parametrize("cls", ALL)
def test_errors_are_drawn_in_the_tree(cls: type[ZendeskError]) -> None:
    """The picture at the top of the module is whole, and says which may be tried again."""
    (line,) = [line for line in (exceptions.__doc__ or "").splitlines() if f" {cls.__name__} " in f"{line} "]
    assert cls.retryable == (issubclass(cls, TransientError) or "(try again)" in line)


def test_retryable_errors_are_those_that_may_be_gone_at_the_next_try() -> None:
    """Everything else fails at once."""
    expected = {
        "RateLimitedError", "ServerError", "PageTimeoutError", "TransportError",
        "SliceChangedError", "StorageUnavailableError", "WarehouseUnavailableError",
    }  # fmt: skip
    assert expected == {cls.__name__ for cls in ALL if cls.retryable}


def test_page_of_errors_is_that_of_the_tree() -> None:
    """docs/errors.md has a row for each, in the order of the drawing, and says of it what the class says."""
    drawn = [vars(exceptions)[name] for name in re.findall(r"[├└]── (\w+)", exceptions.__doc__ or "")]
    expected = []
    for cls in (cls for cls in drawn if cls in ALL):
        happened = re.split(r"\.$|; ", (cls.__doc__ or "").splitlines()[0].replace("``", "`"))[0]
        again = "in the run, then by Airflow" if issubclass(cls, TransientError) else "by Airflow"
        expected.append((cls.__name__, happened, again if cls.retryable else "no"))
    page = (ROOT / "docs/errors.md").read_text()
    assert expected == re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| .+ \|$", page, re.MULTILINE)
