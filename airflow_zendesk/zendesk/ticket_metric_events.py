"""Ticket metric events: when a ticket's clocks (first reply, resolution, SLA targets ...) start, pause and stop.

Source: https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_metric_events/
"""

from airflow_zendesk.zendesk.records import EXTRA, LATE, TIMESTAMP, Column

COLUMNS = (
    Column("id", "int64", nullable=False),
    Column("ticket_id", "int64"),
    Column("instance_id", "int64"),
    Column("metric", "string"),
    Column("type", "string"),
    Column("time", "iso8601"),
    Column(TIMESTAMP, "unix", nullable=False),
    Column("deleted", "bool"),
    Column("sla", "json"),
    Column("group_sla", "json"),
    Column("status", "json"),
    Column(LATE, "bool", nullable=False),
    Column(EXTRA, "json"),
)
