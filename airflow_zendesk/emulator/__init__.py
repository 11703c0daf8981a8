"""A local emulator of Zendesk's incremental exports and lists: an invented support desk behind a real web server.

It keeps Zendesk's rules, including the awkward ones: pages that repeat a second or cut it in two, no order within a
second, a newest minute that is withheld, tickets of AI agents that are left out unless requested, a rate limit. It
also knows which ids a complete export must contain, so that an export can be checked against it. Events and objects
agree: the state of a ticket is what its events add up to.

>>> from datetime import UTC, datetime
>>> from airflow_zendesk.emulator import ZendeskEmulator
>>> with ZendeskEmulator() as emulator:
...     ids = emulator.expected_ids("ticket_events", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
>>> 1_800 < len(ids) < 2_200
True

The modules, from the inside out:

* the invented data: `fixtures`, `ticket`, `activities`, `entities` (what users and organizations have in common)
* what happens to a ticket: `lifecycle`, `metrics`, `ticket_states`, `metric_sets`
* the revisions of objects: `revisions`, `ticket_revisions`, `people`, `organizations`
* the events of any hour: `simulator`
* Zendesk's paging rules: `export_pages` and `cursor_pages` (read these two first), `list_pages`
* the JSON shapes: `serialization` (events), `ticket_shapes`, `people_shapes`, `list_records`, `ticket_fields`
* from request to response: `endpoints`, `messages`, `parameters`, `limits`, `authenticator` (credentials and tokens),
  `exports`, `expectations` (what an export must contain), `service`
* `faults` (what can go wrong) and `scenario` (which fault acts on which request)
* `sockets` (HTTP and threads), `server` (the emulator itself), `pytest_plugin` (the fixture `zendesk_emulator`)
"""

from airflow_zendesk.emulator.authenticator import Credentials
from airflow_zendesk.emulator.server import ZendeskEmulator
from airflow_zendesk.emulator.simulator import Simulator

__all__ = ["Credentials", "Simulator", "ZendeskEmulator"]
