"""The error tree: its texts, its pickling, its drawing and its page."""

import pickle
import re
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_zendesk import exceptions
from airflow_zendesk.exceptions import (
    DatasetIncompleteError,
    DatasetMismatchError,
    FutureWindowError,
    InvalidWindowError,
    MisalignedWindowError,
    MissingSliceError,
    NotJsonError,
    OversizedResponseError,
    RateLimitedError,
    RequestRefusedError,
    ServerError,
    SettingsError,
    ShrinkRefusedError,
    TransientError,
    WarehouseMismatchError,
    ZendeskError,
)
from tests.support import errors_page

ALL = errors_page.all_errors()
SAMPLES: dict[str, Any] = {
    "status": 400, "retry_after": 7.0, "start_time": 5, "max_bytes": 2**20, "end": datetime(2026, 1, 2, tzinfo=UTC),
    "server_date": datetime(2026, 1, 1, tzinfo=UTC), "differences": {"grain": ("1d", "1h")}, "stored": 5, "returned": 4,
    "missing": 1, "fitting_grain": "1h", "next_minute": 41.0, "at": datetime(2026, 1, 1, tzinfo=UTC),
    "problems": {"missing": 2}, "size": 2**33, "limit": 2**32,
}  # fmt: skip
#: The texts of these are made where they are raised.
TEXT_IS_GIVEN: set[type[ZendeskError]] = {InvalidWindowError, SettingsError}


def sample(cls: type[ZendeskError], template: str = "a {}") -> ZendeskError:
    """An error of that class with a value in each field; texts are made from the template and the field's name."""
    names = [each.name for each in fields(cls)]  # type: ignore[arg-type]  # each subclass is a dataclass
    return cls(**{name: SAMPLES.get(name, template.format(name)) for name in names})


@pytest.mark.parametrize("cls", ALL)
def test_errors_survive_pickling(cls: type[ZendeskError]) -> None:
    """Airflow passes errors between processes."""
    error = sample(cls)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(error), vars(error), str(error)) == (type(copy), vars(copy), str(copy))


@pytest.mark.parametrize("cls", ALL)
def test_text_says_what_happened_and_what_to_do(cls: type[ZendeskError]) -> None:
    """The advice is fixed text that begins with a capital letter, and follows the message."""
    text = str(sample(cls))
    assert "<" not in text
    assert "{" not in text
    if cls in TEXT_IS_GIVEN:
        assert "a reason" == text
    else:
        assert f" {cls.advice}" in text
        assert re.fullmatch(r"[A-Z][^{}]+\.", cls.advice)


@pytest.mark.parametrize("cls", ALL)
def test_braces_in_a_value_stay_as_they_are(cls: type[ZendeskError]) -> None:
    """Values are never formatted a second time."""
    plain = str(sample(cls, "@{}@"))
    assert re.sub(r"@(\w+)@", r"{\1} {0} {{", plain) == str(sample(cls, "{{{}}} {{0}} {{{{"))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            MisalignedWindowError("[a, b)", "1d", "15m"),
            "The window [a, b) is not made of whole slices of 1d; the largest grain that fits is 15m. ",
        ),
        (
            MisalignedWindowError("[a, b)", "1d", None),
            "1d; the largest grain that fits is none, because it does not start and end on whole minutes. ",
        ),
        (
            FutureWindowError(datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, 23, 59, 59, tzinfo=UTC)),
            "The window ends at 2026-01-02T00:00:00Z, but Zendesk's clock says 2026-01-01T23:59:59Z. ",
        ),
        (
            DatasetIncompleteError("uri", "[a, b)", {"missing": 1_000, "damaged": 1}, "missing: x"),
            "The dataset at uri is not complete in [a, b): 1,000 missing, 1 damaged; the first is missing: x. ",
        ),
        (
            DatasetMismatchError("uri", {"grain": ("1d", "1h"), "include": ((), ("a",))}),
            "uri was made with other settings: grain is '1d', requested '1h'; include is (), requested ('a',). ",
        ),
        (WarehouseMismatchError("duck", {"grain": ("1d", "1h")}), "another dataset: grain is '1d', requested '1h'. "),
        (
            ShrinkRefusedError("uri", 5_000, 4_000, 1_000),
            "1,000 of 5,000 events stored in uri are not among the 4,000 Zendesk returns now. ",
        ),
        (MissingSliceError("uri", 1), "The slice uri is not in storage, so nothing was loaded. "),
        (MissingSliceError("uri", 1_001), "The slice uri (and 1,000 more) is not in storage"),
        (RequestRefusedError(400, "/path"), "Zendesk returned 400 for /path. "),
        (RequestRefusedError(400, "/path", "InvalidValue"), "Zendesk returned 400 (InvalidValue) for /path. "),
        (NotJsonError("/path", "text/html"), "/path returned text/html instead of JSON. "),
        (NotJsonError("/path", None), "/path returned no content type instead of JSON. "),
        (OversizedResponseError("/path", 1_572_864), "/path returned more than 1.5 MiB at once. "),
        (RateLimitedError("/path", 7.0), "Zendesk's rate limit refused /path: Retry-After is 7 s. "),
        (RateLimitedError("/path", None, 41.0), "refused /path: the next minute begins in 41 s. "),
        (ServerError("/path", 503, 3_600.0), "Zendesk failed on /path with status 503 (Retry-After is 3600 s). "),
        (ServerError("/path", 503), "Zendesk failed on /path with status 503. "),
        (ServerError("/path", 503, retry_summary="Gave up."), "see status.zendesk.com. Gave up."),
    ],
)
def test_values_are_written_for_people(error: ZendeskError, text: str) -> None:
    """Times in UTC, counts with separators, and nothing about a value that is absent."""
    assert text in str(error)


def test_every_error_is_drawn_once_below_its_branch() -> None:
    """The drawing at the top of the module has each class, and a star at those that are retryable."""
    lines = re.findall(r"^     [├│└].*$", exceptions.__doc__ or "", re.MULTILINE)
    branches: dict[str, set[tuple[str, bool]]] = {}
    for line in lines:
        if branch := re.search(r"── (\w+)", line):
            name = branch[1]
        drawn = re.findall(r"(\w+Error)(\*?)", line)
        branches.setdefault(name, set()).update((error, bool(star)) for error, star in drawn)
    assert {
        root.__name__: {(cls.__name__, cls.retryable) for cls in (root, *ALL) if issubclass(cls, root)}
        for root in ZendeskError.__subclasses__()
    } == branches
    assert len(re.findall(r"\w+Error", "".join(lines))) == sum(map(len, branches.values()))


def test_retryable_errors_are_those_that_may_be_gone_at_the_next_attempt() -> None:
    """All other errors fail the task at once."""
    expected = {
        "RateLimitedError", "ServerError", "PageTimeoutError", "TransportError",
        "SliceChangedError", "StorageUnavailableError", "WarehouseUnavailableError",
    }  # fmt: skip
    assert expected == {cls.__name__ for cls in ALL if cls.retryable}
    assert all(cls.retryable for cls in ALL if issubclass(cls, TransientError))


def test_page_of_errors_is_generated_from_the_classes() -> None:
    """docs/errors.md has each error with its meaning, who retries it and what to do."""
    tables = errors_page.PAGE.read_text().partition(errors_page.MARK)[2]
    assert errors_page.generated() == tables, "run: python -m tests.support.errors_page"
