-- Replaces the children of the affected events, one row each. zendesk/child_events.py reads them in the same way: the
-- changed field is itself the key, so it is the only key that not every child of its kind has.

DELETE FROM $schema.ticket_child_events WHERE event_id IN (SELECT id FROM affected_ids);

INSERT INTO $schema.ticket_child_events
    (event_id, ordinal, child_id, event_type, field_name, value, previous_value, child_event)
WITH children AS (
    SELECT id AS event_id, unnest(range(1, len(list) + 1)) AS ordinal, unnest(list) AS child
    FROM (
        SELECT id, CASE WHEN json_type(child_events) = 'ARRAY' THEN json_extract(child_events, '$$[*]') END AS list
        FROM $schema.ticket_events
        WHERE id IN (SELECT id FROM affected_ids)
    )
), parts AS (
    SELECT
        event_id,
        ordinal,
        child,
        CASE WHEN json_type(child, 'event_type') = 'VARCHAR' THEN child ->> 'event_type' END AS event_type,
        CASE WHEN json_type(child) = 'OBJECT' THEN map_entries(TRY_CAST(child AS MAP(VARCHAR, JSON))) END AS members
    FROM children
), fields AS (
    SELECT
        event_id,
        ordinal,
        child,
        event_type,
        CASE WHEN event_type IN ($field_kinds) THEN [m FOR m IN members IF m.key NOT IN ($own_keys)] END AS own
    FROM parts
)
SELECT
    event_id,
    ordinal,
    CASE WHEN json_type(child, 'id') IN ('BIGINT', 'UBIGINT') THEN TRY_CAST(child ->> 'id' AS BIGINT) END,
    event_type,
    CASE WHEN len(own) = 1 THEN own[1].key END,
    CASE WHEN len(own) = 1 AND json_type(own[1].value) <> 'NULL' THEN own[1].value END,
    CASE WHEN json_type(child, 'previous_value') <> 'NULL' THEN child -> 'previous_value' END,
    child
FROM fields;
