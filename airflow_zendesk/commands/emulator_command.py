"""``airflow-zendesk emulator``: a local Zendesk with invented events, on good days and bad."""

import argparse
import json
from pathlib import Path
from typing import Any

from airflow_zendesk.exceptions import SettingsError

_EPILOG = """\
A scenario is a file of JSON, a list of steps. Each names a fault, and may say which requests it is for and how often
it acts (once, if nothing is said); --list-faults tells which faults there are, and which options each takes:
  [{"fault": "reset_in_body", "on": {"page": 2}, "times": 3},
   {"fault": "status", "status": 504, "on": {"per_page_above": 250}, "times": "always"}]

Another scenario can be posted to /emulator/scenario at any time; [] ends the bad day.
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    emulator = commands.add_parser(
        "emulator",
        help="run a local Zendesk with invented events, to try things out and to rehearse bad days",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = emulator.add_argument
    add("--port", type=int, default=8090, help="on 127.0.0.1 (default: 8090)")
    add("--events-per-day", type=int, default=2_000, help="how busy the support desk is (default: 2000)")
    add("--seed", type=int, default=1, help="another seed, other events (default: 1)")
    add("--requests-per-minute", type=int, metavar="N", help="limit requests; Zendesk's own limit is 10")
    add("--way", default="api_token", help="of the connection printed: api_token (default), password, bearer or "
        "client_credentials")  # fmt: skip
    add("--scenario", type=Path, metavar="FILE", help="what goes wrong")
    add("--list-faults", action="store_true", help="tell what can go wrong, and end")
    add("--json", action="store_true", help="print the list as JSON")
    emulator.set_defaults(run=_emulator)


def _emulator(arguments: argparse.Namespace) -> int:
    from airflow_zendesk.emulator import Simulator, ZendeskEmulator  # noqa: PLC0415
    from airflow_zendesk.emulator.access import WAYS  # noqa: PLC0415

    if arguments.list_faults:
        _print_faults(as_json=arguments.json)
        return 0
    if arguments.way not in WAYS:
        raise SettingsError(f"--way {arguments.way!r} is none of {', '.join(WAYS)}.")
    world = Simulator(seed=arguments.seed, events_per_day=arguments.events_per_day)
    limit, scenario = arguments.requests_per_minute, _scenario(arguments.scenario)
    try:
        emulator = ZendeskEmulator(world, port=arguments.port, requests_per_minute=limit, scenario=scenario)
    except ValueError as error:
        raise SettingsError(f"--scenario {arguments.scenario}: {error}.") from None
    with emulator:
        print(f"A local Zendesk at {emulator.url}, until Ctrl-C. Its connection for Airflow:")
        connection = json.dumps(emulator.connection(arguments.way))
        print(f"  export AIRFLOW_CONN_ZENDESK_DEFAULT='{connection}'", flush=True)
        emulator.serve_forever()
    return 0


def _scenario(path: Path | None) -> Any:
    """What the file holds; whether it is a scenario, the emulator says."""
    if path is None:
        return []
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SettingsError(f"--scenario {path} cannot be read: {error}.") from None


def _print_faults(*, as_json: bool) -> None:
    from airflow_zendesk.emulator.faults import FAULTS  # noqa: PLC0415

    if as_json:
        told = [
            {"fault": each.name, "what happens": each.sentence, "options": each.defaults} for each in FAULTS.values()
        ]
        print(json.dumps(told, indent=2))
        return
    for fault in FAULTS.values():
        print(f"{fault.name}: {fault.sentence}")
        for name, default in fault.defaults.items():
            print(f"    {name}: {json.dumps(default)}")
