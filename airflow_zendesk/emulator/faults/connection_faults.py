"""Connection faults: the response is right but does not arrive. They take its bytes and yield the server's actions."""

from collections.abc import Iterator

from airflow_zendesk.emulator.messages import Disconnect, Pause, ServerAction


def reset_at_connect(head: bytes, body: bytes) -> Iterator[ServerAction]:  # noqa: ARG001
    """The connection is reset before any byte of the response, and the next connection as soon as it is accepted."""
    yield Disconnect.RESET_NEXT_TOO


def reset_in_headers(head: bytes, body: bytes) -> Iterator[ServerAction]:  # noqa: ARG001
    """The connection is reset in the middle of the headers."""
    yield head[: len(head) // 2]
    yield Disconnect.RESET


def reset_in_body(head: bytes, body: bytes) -> Iterator[ServerAction]:
    """The connection is reset in the middle of the body."""
    yield head + body[: len(body) // 2]
    yield Disconnect.RESET


def cut_in_headers(head: bytes, body: bytes) -> Iterator[ServerAction]:  # noqa: ARG001
    """The connection is closed normally in the middle of the headers."""
    yield head[: len(head) // 2]
    yield Disconnect.CLOSE


def cut_in_body(head: bytes, body: bytes) -> Iterator[ServerAction]:
    """The connection is closed normally in the middle of the body."""
    yield head + body[: len(body) // 2]
    yield Disconnect.CLOSE


def drip(head: bytes, body: bytes, *, in_headers: bool = False, seconds: float = 0.05) -> Iterator[ServerAction]:
    """The response arrives one byte at a time, `seconds` apart, so that no read ever times out."""
    if not in_headers:
        yield head
    for byte in body if not in_headers else head + body:
        yield bytes([byte])
        yield Pause(seconds)


def hang(head: bytes, body: bytes, *, in_body: bool = False, seconds: float = 3_600.0) -> Iterator[ServerAction]:
    """No response arrives, or it stops in the middle of its body; the connection is closed after `seconds`."""
    if in_body:
        yield head + body[: len(body) // 2]
    yield Pause(seconds)
    yield Disconnect.CLOSE
