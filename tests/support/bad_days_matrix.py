"""The results of tests/export/test_bad_days.py as a table: a row for each fault, a column for each page."""

from collections.abc import Iterator, Mapping

Cells = Mapping[tuple[str, str, str], str]

_PAGES = ("first", "middle", "last")


def table(cells: Cells) -> Iterator[str]:
    """The lines of the table. An outcome that is the same on all three pages is printed once."""
    days = sorted({(day, often) for day, often, _ in cells})
    widths = [max([len(day) for day, _ in days], default=0), len("always"), 22, 22]
    yield _line(["fault", "", "on the first page", "on the middle page", "on the last page"], widths)
    for day, often in sorted(days, key=lambda each: (each[0], each[1] != "once")):
        outcomes = [cells.get((day, often, page), "-") for page in _PAGES]
        yield _line([day, often, *(outcomes if len(set(outcomes)) > 1 else [f"{outcomes[0]}, on each"])], widths)


def _line(texts: list[str], widths: list[int]) -> str:
    return "  ".join(text.ljust(width) for text, width in zip(texts, [*widths, 0], strict=False)).rstrip()
