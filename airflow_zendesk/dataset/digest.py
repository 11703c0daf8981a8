"""A digest of a set of rows that does not depend on their order.

Each row is the MessagePack array of its values in the order of the schema (text as UTF-8 bytes, timestamps as
microseconds since 1970, null as nil); the digest is the sum of the rows' SHA-256, modulo 2**256. It can be computed
page by page, by any process, in any language, from the rows alone.
"""

import hashlib
from collections.abc import Iterator

import msgspec
import pyarrow as pa

_MODULUS = 1 << 256
_SCHEME = "sum-sha256"


class RowDigest:
    """The digest and the number of the rows given to it so far."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def update(self, batch: pa.RecordBatch) -> None:
        """Add the rows of the batch."""
        self._sum += sum(map(int.from_bytes, hash_rows(batch)))
        self.rows += batch.num_rows

    def __str__(self) -> str:
        return f"{_SCHEME}:{self._sum % _MODULUS:064x}"


def hash_rows(batch: pa.RecordBatch) -> Iterator[bytes]:
    """The SHA-256 of each row."""
    encoder = msgspec.msgpack.Encoder()
    columns = [_plain(column).to_pylist() for column in batch.columns]
    for row in zip(*columns, strict=True):
        yield hashlib.sha256(encoder.encode(row)).digest()


def _plain(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.int64())
    if pa.types.is_string(column.type):
        return column.cast(pa.binary())
    return column
