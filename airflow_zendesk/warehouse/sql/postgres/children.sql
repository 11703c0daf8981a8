-- The children of the touched events, one row each. As zendesk/child_events.py reads them: the changed field is itself
-- the key, so it is the one key that no child of its kind has anyway.

DELETE FROM $schema.ticket_child_events WHERE event_id IN (SELECT id FROM touched);

INSERT INTO $schema.ticket_child_events
    (event_id, ordinal, child_id, event_type, field_name, value, previous_value, child_event)
WITH children AS (
    SELECT
        e.id AS event_id,
        c.ordinal,
        c.child,
        CASE WHEN jsonb_typeof(c.child -> 'event_type') = 'string' THEN c.child ->> 'event_type' END AS event_type
    FROM $schema.ticket_events AS e
    CROSS JOIN LATERAL jsonb_array_elements(
        CASE WHEN jsonb_typeof(e.child_events) = 'array' THEN e.child_events ELSE '[]' END
    ) WITH ORDINALITY AS c (child, ordinal)
    WHERE e.id IN (SELECT id FROM touched)
), fields AS (
    SELECT
        *,
        CASE WHEN event_type IN ($field_kinds) THEN (
            SELECT CASE WHEN count(*) = 1 THEN min(key) END
            FROM jsonb_object_keys(child) AS key
            WHERE key NOT IN ($own_keys)
        ) END AS field_name
    FROM children
)
SELECT
    event_id,
    ordinal,
    CASE
        WHEN jsonb_typeof(child -> 'id') = 'number' AND child ->> 'id' ~ '^-?[0-9]{1,18}$$'
        THEN (child ->> 'id')::bigint
    END,
    event_type,
    field_name,
    nullif(child -> field_name, 'null'),
    nullif(child -> 'previous_value', 'null'),
    child
FROM fields;
