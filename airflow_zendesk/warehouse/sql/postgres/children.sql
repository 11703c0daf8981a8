-- Replaces the children of the affected events, one row each. zendesk/child_events.py reads them in the same way: the
-- changed field is itself the key, so it is the only key that not every child of its kind has.

DELETE FROM $schema.ticket_child_events WHERE event_id IN (SELECT id FROM affected_ids);

INSERT INTO $schema.ticket_child_events
    (event_id, ordinal, child_id, event_type, field_name, value, previous_value, child_event)
SELECT
    e.id,
    c.ordinal,
    CASE
        WHEN jsonb_typeof(c.child -> 'id') = 'number' AND c.child ->> 'id' ~ '^-?[0-9]{1,18}$$'
        THEN (c.child ->> 'id')::bigint
    END,
    kind.event_type,
    field.name,
    nullif(c.child -> field.name, 'null'),
    nullif(c.child -> 'previous_value', 'null'),
    c.child
FROM $schema.ticket_events AS e
CROSS JOIN LATERAL jsonb_array_elements(
    CASE WHEN jsonb_typeof(e.child_events) = 'array' THEN e.child_events ELSE '[]' END
) WITH ORDINALITY AS c (child, ordinal)
CROSS JOIN LATERAL (
    SELECT CASE WHEN jsonb_typeof(c.child -> 'event_type') = 'string' THEN c.child ->> 'event_type' END AS event_type
) AS kind
CROSS JOIN LATERAL (
    SELECT CASE WHEN count(*) = 1 THEN min(key) END AS name
    FROM jsonb_object_keys(CASE WHEN kind.event_type IN ($field_kinds) THEN c.child ELSE '{}' END) AS key
    WHERE key NOT IN ($own_keys)
) AS field
WHERE e.id IN (SELECT id FROM affected_ids);
