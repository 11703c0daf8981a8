"""``airflow-zendesk emulator``: run a local Zendesk with invented events, and inject faults on request."""

import argparse
import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_zendesk.exceptions import SettingsError

if TYPE_CHECKING:
    from airflow_zendesk.emulator import ZendeskEmulator

_EPILOG = """\
A scenario is a JSON file with a list of steps. Each step names a fault and its options. "on" limits it to certain
requests, "times" sets how often it acts (default: once). --list-faults lists all faults and their options. Example:
  [{"fault": "reset_in_body", "on": {"page": 2}, "times": 3},
   {"fault": "status", "status": 504, "on": {"per_page_above": 250}, "times": "always"}]

To replace the scenario while the emulator runs, POST another one to /emulator/scenario; [] removes all faults.
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    emulator = commands.add_parser(
        "emulator",
        help="run a local Zendesk with invented events, to try exports and to test failures",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = emulator.add_argument
    add("--port", type=int, default=8090, help="port to listen on, on 127.0.0.1 (default: 8090)")
    add("--events-per-day", type=int, default=2_000, help="number of ticket events per day (default: 2000)")
    add("--seed", type=int, default=1, help="seed of the simulated events (default: 1)")
    add("--requests-per-minute", type=int, metavar="N", help="rate limit of the exports (default: none; Zendesk's: 10)")
    add("--auth-method", default="api_token", help="authentication of the printed connection: password, api_token "
        "(default), bearer or client_credentials")  # fmt: skip
    add("--scenario", type=Path, metavar="FILE", help="JSON file with the faults to inject")
    add("--list-faults", action="store_true", help="list the faults that a scenario can use, and exit")
    add("--json", action="store_true", help="print the list of faults as JSON")
    emulator.set_defaults(run=_emulator)


def _emulator(arguments: argparse.Namespace) -> int:
    from airflow_zendesk.emulator import Simulator, ZendeskEmulator  # noqa: PLC0415
    from airflow_zendesk.emulator.authenticator import AUTH_METHODS  # noqa: PLC0415

    if arguments.list_faults:
        _print_faults(as_json=arguments.json)
        return 0
    if arguments.auth_method not in AUTH_METHODS:
        methods = ", ".join(AUTH_METHODS)
        raise SettingsError(f"--auth-method {arguments.auth_method!r} is invalid. Use one of: {methods}.")
    if arguments.events_per_day < 1:
        raise SettingsError(f"--events-per-day {arguments.events_per_day} is invalid. Use at least 1.")
    simulator = Simulator(seed=arguments.seed, events_per_day=arguments.events_per_day)
    limit, scenario = arguments.requests_per_minute, _scenario(arguments.scenario)
    try:
        emulator = ZendeskEmulator(simulator, port=arguments.port, requests_per_minute=limit, scenario=scenario)
    except ValueError as error:
        raise SettingsError(f"--scenario {arguments.scenario} is invalid: {error}.") from None
    with contextlib.ExitStack() as stack:
        _start(stack, emulator, arguments.port)
        print(f"The emulator listens at {emulator.url}. Press Ctrl-C to stop it. Its Airflow connection:")
        connection = json.dumps(emulator.connection(arguments.auth_method))
        print(f"  export AIRFLOW_CONN_ZENDESK_DEFAULT='{connection}'", flush=True)
        emulator.serve_forever()
    return 0


def _start(stack: contextlib.ExitStack, emulator: "ZendeskEmulator", port: int) -> None:
    try:
        stack.enter_context(emulator)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(
            f"--port {port} cannot be used: {reason}. Use another port; 0 chooses a free one."
        ) from None


def _scenario(path: Path | None) -> Any:
    """Read the JSON file; the emulator validates its content."""
    if path is None:
        return []
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SettingsError(f"--scenario {path} cannot be read: {error}.") from None


def _print_faults(*, as_json: bool) -> None:
    from airflow_zendesk.emulator.faults import FAULTS  # noqa: PLC0415

    if as_json:
        faults = [
            {"fault": each.name, "description": each.description, "options": each.defaults} for each in FAULTS.values()
        ]
        print(json.dumps(faults, indent=2))
        return
    for fault in FAULTS.values():
        print(f"{fault.name}: {fault.description}")
        for name, default in fault.defaults.items():
            print(f"    {name}: {json.dumps(default)}")
