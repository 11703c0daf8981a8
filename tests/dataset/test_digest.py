"""One number for a set of rows."""

import hashlib
import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from airflow_zendesk.dataset.digest import RowDigest
from airflow_zendesk.dataset.schema import arrow_schema, to_batch
from airflow_zendesk.zendesk.records import Column

SCHEMA = arrow_schema((Column("id", "int64", nullable=False), Column("at", "iso8601"), Column("text", "string")))
Row = tuple[int, int | None, str | None]
rows_of_three = st.lists(
    st.tuples(st.integers(0, 50), st.none() | st.integers(0, 2**40), st.none() | st.text(max_size=5)), max_size=12
)


def digest(*batches: list[Row]) -> str:
    """The digest of the rows, given in batches."""
    whole = RowDigest()
    for batch in batches:
        columns = [[row[i] for row in batch] for i in range(3)]
        whole.update(to_batch(dict(zip(SCHEMA.names, columns, strict=True)), SCHEMA))
    return str(whole)


def test_digest_is_what_the_documentation_says() -> None:
    """Anybody can compute it: the sum of the SHA-256 of the rows' MessagePack, modulo 2**256."""
    rows: list[Row] = [(1, 1_767_225_600_000_000, "é"), (2, None, None)]
    encoded = [msgspec.msgpack.encode([1, 1_767_225_600_000_000, "é".encode()]), b"\x93\x02\xc0\xc0"]
    total = sum(int(hashlib.sha256(each).hexdigest(), 16) for each in encoded) % 2**256
    assert f"sum-sha256:{total:064x}" == digest(rows)


def test_digest_of_nothing_is_zero() -> None:
    """An empty slice has one too."""
    assert "sum-sha256:" + "0" * 64 == digest()


@given(rows_of_three, st.randoms(use_true_random=False), st.integers(0, 12))
def test_order_and_batches_do_not_matter(rows: list[Row], chance: random.Random, cut: int) -> None:
    """Law: the digest is of the set of rows, whoever brought them in whatever pages."""
    shuffled = rows.copy()
    chance.shuffle(shuffled)
    assert digest(rows) == digest(shuffled[:cut], shuffled[cut:])


@given(rows_of_three, rows_of_three)
def test_different_rows_have_different_digests(rows: list[Row], others: list[Row]) -> None:
    """Law: it tells sets of rows apart, with a row too many as well."""
    key = lambda row: (row[0], row[1] or -1, row[2] is not None, row[2] or "")  # noqa: E731
    assert (sorted(rows, key=key) == sorted(others, key=key)) == (digest(rows) == digest(others))
