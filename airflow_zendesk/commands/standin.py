"""``airflow-zendesk standin``: a local Zendesk with invented events."""

import argparse
import json


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    standin = commands.add_parser("standin", help="run a local Zendesk with invented events, to try things out")
    add = standin.add_argument
    add("--port", type=int, default=8090, help="on 127.0.0.1 (default: 8090)")
    add("--events-per-day", type=int, default=2_000, help="how busy the support desk is (default: 2000)")
    add("--seed", type=int, default=1, help="another seed, other events (default: 1)")
    add("--requests-per-minute", type=int, metavar="N", help="limit requests; Zendesk's own limit is 10")
    standin.set_defaults(run=_standin)


def _standin(arguments: argparse.Namespace) -> int:
    from airflow_zendesk.standin import Standin, World  # noqa: PLC0415

    world = World(seed=arguments.seed, events_per_day=arguments.events_per_day)
    with Standin(world, port=arguments.port, requests_per_minute=arguments.requests_per_minute) as standin:
        print(f"A local Zendesk at {standin.url}, until Ctrl-C. Its connection for Airflow:")
        print(f"  export AIRFLOW_CONN_ZENDESK_DEFAULT='{json.dumps(standin.connection())}'", flush=True)
        standin.serve_forever()
    return 0
