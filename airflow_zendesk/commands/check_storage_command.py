"""``airflow-zendesk check-storage``: check that a bucket or folder gives the guarantees exports rely on."""

import argparse
import contextlib
import json
import sys
from dataclasses import asdict

_EPILOG = """\
Writes about 10 MB below _check_storage/ in the destination, and deletes it if the credentials allow it.

example:
  airflow-zendesk check-storage s3://aws_default@my-bucket/zendesk
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    check = commands.add_parser(
        "check-storage",
        help="check whether exports to a bucket or a folder are safe",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument("destination", metavar="URL", help="bucket or folder, like s3://conn_id@bucket/zendesk")
    check.add_argument("--json", action="store_true", help="print the results as JSON")
    check.set_defaults(run=_check)


def _check(arguments: argparse.Namespace) -> int:
    # Standard output is for the results; log lines of Airflow go to standard error.
    output = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        from airflow_zendesk.destination import open_destination  # noqa: PLC0415
        from airflow_zendesk.storage.check import check_storage, is_safe, summarize  # noqa: PLC0415

        store = open_destination(arguments.destination)
        results = []
        for result in check_storage(store):
            results.append(result)
            if not arguments.json:
                print(f"{result.check:<19} {'yes' if result.passed else 'NO':<4} {result.message}", file=output)
    safe = is_safe(results)
    if arguments.json:
        report = {
            "destination": store.uri(""),
            "safe": safe,
            "summary": summarize(results),
            "precondition": store.precondition,
            "max_put_bytes": store.max_put_bytes,
            "checks": [asdict(result) for result in results],
        }
        print(json.dumps(report, indent=2))
    else:
        print(summarize(results))
    return 0 if safe else 1
