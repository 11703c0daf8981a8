"""Signals with which Airflow ends a task. Afterwards storage is unchanged, or has the whole slice."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import FrameType

import pytest
from airflow.providers.common.compat.sdk import AirflowTaskTimeout, timeout

from airflow_zendesk.dataset import slice_file
from airflow_zendesk.dataset.slice_file import SliceWriter, verify_file
from airflow_zendesk.export.run import export_window
from airflow_zendesk.hooks.zendesk import ZendeskHook
from airflow_zendesk.storage import local
from airflow_zendesk.storage.local import LocalStore
from airflow_zendesk.zendesk.resources import Query
from tests.support.crash.steps import at, steps_of
from tests.support.scripted_server import page, scripted_server
from tests.support.slices import DAY

try:
    from airflow.sdk.exceptions import AirflowTaskTerminated
except ImportError:  # it moved after 3.1
    from airflow.exceptions import AirflowTaskTerminated  # type: ignore[no-redef]

SLICE = "ticket_events/event_date=2026-01-01/20260101T000000Z--20260102T000000Z.parquet"
PAGE = page((1, DAY.start_time), (2, DAY.start_time + 60), end_time=None)


@contextmanager
def terminated() -> Iterator[None]:
    """Handle SIGTERM as the task runners of Airflow do."""

    def raise_terminated(_number: int, _frame: FrameType | None) -> None:
        raise AirflowTaskTerminated("Task received SIGTERM signal")

    before = signal.signal(signal.SIGTERM, raise_terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def interrupted() -> Iterator[None]:
    """Handle SIGINT as Python does by default, also where pytest runs in the background of a script."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def timed_out() -> Iterator[None]:
    """Handle SIGALRM with Airflow's own code for ``execution_timeout``."""
    before = signal.getsignal(signal.SIGALRM)
    try:
        with timeout(3_600):  # type: ignore[no-untyped-call]
            yield
    finally:
        signal.signal(signal.SIGALRM, before)


SIGNALS = [
    pytest.param(signal.SIGTERM, terminated, AirflowTaskTerminated, id="SIGTERM"),
    pytest.param(signal.SIGALRM, timed_out, AirflowTaskTimeout, id="execution_timeout"),
    pytest.param(signal.SIGINT, interrupted, KeyboardInterrupt, id="SIGINT"),
]
Handler = Callable[[], AbstractContextManager[None]]


def export(folder: Path) -> None:
    """Export the day."""
    export_window(ZendeskHook(), folder.as_uri(), Query.of("ticket_events"), DAY)


def names(folder: Path) -> set[str]:
    """Everything below the folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("number", "handler", "error"), SIGNALS)
def test_signal_in_the_middle_of_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, handler: Handler, error: type[BaseException]
) -> None:
    """When half of a response has arrived, nothing is stored."""

    def half(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b'{"ticket_events": [{"id": 1')
        request.wfile.flush()
        os.kill(os.getpid(), number)

    with scripted_server(half) as server, handler():
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        with pytest.raises(error):
            export(tmp_path)
    assert set() == names(tmp_path)


# A signal may arrive after a file was opened and before the block that closes it. The garbage collector closes it.
@pytest.mark.filterwarnings("ignore:.*unclosed file:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:.*unclosed file:ResourceWarning")
@pytest.mark.parametrize(("number", "handler", "error"), SIGNALS)
def test_signal_at_any_step_of_the_writer_and_of_the_put(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, handler: Handler, error: type[BaseException]
) -> None:
    """No slice until the file is renamed, then the whole slice. No other file is left behind."""
    with scripted_server(PAGE) as server:
        monkeypatch.setenv("AIRFLOW_CONN_ZENDESK_DEFAULT", server.connection())
        steps = steps_of(lambda: export(tmp_path / "undisturbed"))
        put = [step for step in steps if step.is_in(local) and not step.is_in(LocalStore.check_access)]
        # The writer is also closed after the PUT.
        writer = [step for step in steps if step.is_in(slice_file) and not step.is_in(SliceWriter.close)]
        assert len(put) >= 20
        assert len(writer) >= 60
        for folder_number, step in enumerate([*writer[::8], *put]):
            folder = tmp_path / str(folder_number)
            with handler(), at(step, lambda: os.kill(os.getpid(), number)), pytest.raises(error):
                export(folder)
            assert names(folder) <= {SLICE, "_datasets/ticket_events.json"}, step
            if step in writer:
                assert SLICE not in names(folder)
            elif SLICE in names(folder):
                assert 2 == verify_file((folder / SLICE).open("rb"), SLICE).rows
            export(folder)
            assert (tmp_path / "undisturbed" / SLICE).read_bytes() == (folder / SLICE).read_bytes()
