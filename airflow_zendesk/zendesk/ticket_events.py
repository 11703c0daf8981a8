"""Ticket events: the changes and comments of tickets, one record per audit.

Accounts return records in the shape of a ticket audit. Zendesk's published schema shows another shape under this name,
that of metric events; the columns ``instance_id``, ``metric``, ``type`` and ``time`` are for such records.

Source: https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
"""

from airflow_zendesk.zendesk.records import EXTRA, LATE, TIMESTAMP, Column

COLUMNS = (
    Column("id", "int64", nullable=False),
    Column(TIMESTAMP, "unix", nullable=False),
    Column("ticket_id", "int64"),
    Column("created_at", "iso8601"),
    Column("updater_id", "int64"),
    Column("via", "via"),
    Column("event_type", "string"),
    Column("system", "json"),
    Column("metadata", "json"),
    Column("merged_ticket_ids", "json"),
    Column("child_events", "json"),
    Column("instance_id", "int64"),
    Column("metric", "string"),
    Column("type", "string"),
    Column("time", "iso8601"),
    Column(LATE, "bool", nullable=False),
    Column(EXTRA, "json"),
)
