"""A local emulator of Zendesk's incremental exports: an invented support desk behind a real web server.

It keeps Zendesk's rules, including the awkward ones: pages that repeat a second or cut it in two, no order within a
second, a newest minute that is withheld, tickets of AI agents that are left out unless requested, a rate limit. It
also knows which ids a complete export must contain, so that an export can be checked against it.

>>> from datetime import UTC, datetime
>>> from airflow_zendesk.emulator import ZendeskEmulator
>>> with ZendeskEmulator() as emulator:
...     ids = emulator.expected_ids("ticket_events", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
>>> 1_800 < len(ids) < 2_200
True

The modules, from the inside out: `fixtures`, `ticket` and `activities` (the invented data), `lifecycle` and `metrics`
(what happens to a ticket), `simulator` (the events of any hour), `export_pages` (Zendesk's paging rules; read this one
first), `serialization` (the JSON shapes), `authenticator` (credentials and tokens), `messages` and `service` (from
request to response), `faults` (what can go wrong), `scenario` (which fault acts on which request), `sockets` (HTTP and
threads), `server` (the emulator itself), `pytest_plugin` (the fixture `zendesk_emulator`).
"""

from airflow_zendesk.emulator.authenticator import Credentials
from airflow_zendesk.emulator.server import ZendeskEmulator
from airflow_zendesk.emulator.simulator import Simulator

__all__ = ["Credentials", "Simulator", "ZendeskEmulator"]
