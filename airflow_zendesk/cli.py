"""The command ``airflow-zendesk``: export and verify datasets without a DAG and without an Airflow database."""

import argparse
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from airflow_zendesk import __version__
from airflow_zendesk.commands import (
    check_storage_command,
    ddl_command,
    emulator_command,
    estimate_command,
    export_command,
    find_command,
    rename_account_command,
    verify_command,
)
from airflow_zendesk.exceptions import ZendeskError

#: Seconds until an interrupt that had no effect is raised again; cleaning up takes less.
_INTERRUPT_AGAIN = 5


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 means that everything requested was done."""
    try:
        with _repeated_interrupts():
            arguments = _parser().parse_args(argv)
            code = int(arguments.run(arguments))
        # Here and not at exit, so that a closed pipe is noticed.
        sys.stdout.flush()
    except ZendeskError as error:
        print(f"airflow-zendesk: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader, for example `head`, has closed the pipe. Python would fail once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("airflow-zendesk: interrupted; every slice that was published is complete", file=sys.stderr)
        return 130
    return code


@contextmanager
def _repeated_interrupts() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` after Ctrl-C again and again, until it ends the block.

    Python drops an exception that is raised while an object is finalized or the lock of an import is released: one in
    fifty, if it arrives during the imports.
    """

    def interrupt(*_: object) -> None:
        signal.alarm(_INTERRUPT_AGAIN)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:  # it is ignored in the background of a script
        yield
        return
    signals = (signal.SIGINT, signal.SIGALRM)
    handlers = [signal.signal(each, interrupt) for each in signals]
    try:
        yield
    finally:
        signal.alarm(0)
        for each, handler in zip(signals, handlers, strict=True):
            signal.signal(each, handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="airflow-zendesk",
        description="Export Zendesk data and verify it, without a DAG and without an Airflow database.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (
        export_command,
        verify_command,
        find_command,
        estimate_command,
        check_storage_command,
        rename_account_command,
        ddl_command,
        emulator_command,
    ):
        command.add_to(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
