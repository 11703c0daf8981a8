"""The generated part of docs/errors.md: a table of errors for each branch of the tree.

Run ``python -m tests.support.errors_page`` to write it.
"""

import re

from airflow_zendesk import exceptions
from airflow_zendesk.exceptions import RateLimitedError, ServerError, TransientError, ZendeskError
from tests.support.commands import ROOT

PAGE = ROOT / "docs" / "errors.md"
MARK = "<!-- Everything below is generated: python -m tests.support.errors_page -->\n"
HEADINGS = {
    "WindowError": "The window",
    "SettingsError": "Settings",
    "DatasetError": "The dataset",
    "StorageError": "The storage",
    "WarehouseError": "The warehouse",
    "RequestRefusedError": "Refused requests",
    "InvalidResponseError": "Invalid responses",
    "TransientError": "Transient failures",
}
#: For errors whose whole text is made where they are raised.
ADVICE = {
    "InvalidWindowError": "Give the DAG a CronDataIntervalTimetable, or pass start and end with a time zone.",
    "SettingsError": "Correct the setting that the message names.",
}


def all_errors() -> list[type[ZendeskError]]:
    """Every error that can be raised, in the order of the module."""
    classes = [each for each in vars(exceptions).values() if isinstance(each, type) and issubclass(each, ZendeskError)]
    return [cls for cls in classes if cls.message]


def generated() -> str:
    """The tables."""
    sections = []
    for root in ZendeskError.__subclasses__():
        rows = [_row(cls) for cls in all_errors() if issubclass(cls, root)]
        head = f"\n## {HEADINGS[root.__name__]}\n\n| error | meaning | retried | what to do |\n|---|---|---|---|\n"
        sections.append(head + "".join(rows))
    return "".join(sections)


def _row(cls: type[ZendeskError]) -> str:
    meaning = (cls.__doc__ or "").splitlines()[0].partition("; ")[0].rstrip(".").replace("``", "`")
    retried = "in the task, then by Airflow" if issubclass(cls, TransientError) else "by Airflow"
    if issubclass(cls, RateLimitedError | ServerError):
        retried = "in the task, then rescheduled"
    advice = re.sub(r"(?:--)?\b\w*[a-z]_\w+", r"`\g<0>`", cls.advice or ADVICE[cls.__name__])
    return f"| `{cls.__name__}` | {meaning}. | {retried if cls.retryable else 'no'} | {advice} |\n"


if __name__ == "__main__":
    PAGE.write_text(PAGE.read_text().partition(MARK)[0] + MARK + generated())
