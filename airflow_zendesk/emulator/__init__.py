"""A local emulator for Zendesk's incremental exports: an invented support desk behind a real web server.

It answers as Zendesk does, also where that hurts: pages that repeat a second or cut it in two, no order inside a
second, the newest minute redacted_comments, tickets of AI agents left out unless asked for, too many requests refused. And it
knows the truth, so that an export can be checked against it.

>>> from datetime import UTC, datetime
>>> from airflow_zendesk.emulator import ZendeskEmulator
>>> with ZendeskEmulator() as emulator:
...     ids = emulator.expected_ids("ticket_events", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
>>> 1_800 < len(ids) < 2_200
True

The modules, from the inside out: `desk` and `case` (who, what), `life` and `metrics` (what happens to a ticket),
`world` (any hour of it), `paging` (Zendesk's rules; the one to read), `wire` (shapes), `access` (who may ask),
`messages` and `service` (request to answer), `faults` (what can go wrong), `scenario` (what goes wrong when), `sockets`
(answer to bytes), `server` (the whole), `pytest_plugin` (the fixture `zendesk_emulator`).
"""

from airflow_zendesk.emulator.access import Credentials
from airflow_zendesk.emulator.server import ZendeskEmulator
from airflow_zendesk.emulator.world import Simulator

__all__ = ["Credentials", "Simulator", "ZendeskEmulator"]
