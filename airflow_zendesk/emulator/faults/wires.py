"""Faults of the wire: the answer is right, but does not arrive. Answer's bytes in, what the server does out."""

from collections.abc import Iterator

from airflow_zendesk.emulator.messages import Act, Hangup, Pause


def reset_at_connect(head: bytes, body: bytes) -> Iterator[Act]:  # noqa: ARG001
    """The connection is reset before a byte of the answer, and the next one as soon as it is made."""
    yield Hangup.RESET_NEXT_TOO


def reset_in_headers(head: bytes, body: bytes) -> Iterator[Act]:  # noqa: ARG001
    """The connection is reset in the middle of the headers."""
    yield head[: len(head) // 2]
    yield Hangup.RESET


def reset_in_body(head: bytes, body: bytes) -> Iterator[Act]:
    """The connection is reset in the middle of the body."""
    yield head + body[: len(body) // 2]
    yield Hangup.RESET


def cut_in_headers(head: bytes, body: bytes) -> Iterator[Act]:  # noqa: ARG001
    """The connection is closed in peace in the middle of the headers."""
    yield head[: len(head) // 2]
    yield Hangup.CLOSE


def cut_in_body(head: bytes, body: bytes) -> Iterator[Act]:
    """The connection is closed in peace in the middle of the body."""
    yield head + body[: len(body) // 2]
    yield Hangup.CLOSE


def drip(head: bytes, body: bytes, *, in_headers: bool = False, seconds: float = 0.05) -> Iterator[Act]:
    """The answer comes a byte at a time, with so many seconds between them, so that no read ever times out."""
    if not in_headers:
        yield head
    for byte in body if not in_headers else head + body:
        yield bytes([byte])
        yield Pause(seconds)


def hang(head: bytes, body: bytes, *, in_body: bool = False, seconds: float = 3_600.0) -> Iterator[Act]:
    """The answer does not come, or stops in the middle of its body, for so many seconds; then the connection ends."""
    if in_body:
        yield head + body[: len(body) // 2]
    yield Pause(seconds)
    yield Hangup.CLOSE
