"""``airflow-zendesk check-storage``: whether exports to a bucket or a folder are safe."""

import argparse
import contextlib
import json
import sys
from dataclasses import asdict

_EPILOG = """\
Writes about 10 MB below _check_storage/ in the destination, and deletes it again if that is allowed.

example:
  airflow-zendesk check-storage s3://aws_default@my-bucket/zendesk
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    check = commands.add_parser(
        "check-storage",
        help="try whether exports to a bucket or a folder are safe",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument("destination", metavar="URL", help="folder or bucket, like s3://conn_id@bucket/zendesk")
    check.add_argument("--json", action="store_true", help="print the findings as JSON")
    check.set_defaults(run=_check)


def _check(arguments: argparse.Namespace) -> int:
    # Standard output is for the result: what Airflow logs goes the other way.
    output = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        from airflow_zendesk.destination import open_destination  # noqa: PLC0415
        from airflow_zendesk.storage.check import check_storage, is_safe, meaning  # noqa: PLC0415

        store = open_destination(arguments.destination)
        findings = []
        for finding in check_storage(store):
            findings.append(finding)
            if not arguments.json:
                print(f"{finding.check:<14} {'yes' if finding.held else 'NO':<4} {finding.told}", file=output)
    safe = is_safe(findings)
    if arguments.json:
        told = {
            "destination": store.uri(""),
            "safe": safe,
            "meaning": meaning(findings),
            "precondition": store.precondition,
            "largest_put_bytes": store.max_put_bytes,
            "findings": [asdict(finding) for finding in findings],
        }
        print(json.dumps(told, indent=2))
    else:
        print(meaning(findings))
    return 0 if safe else 1
