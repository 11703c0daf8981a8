-- Replaces the rows of the affected events: one for each field that a child changed, and one for each other child.
-- The rules are those of zendesk/child_events.py.

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
    CASE WHEN field.name IS NULL OR field.name = fields.changed THEN nullif(c.child -> 'previous_value', 'null') END,
    c.child
FROM $schema.ticket_events AS e
CROSS JOIN LATERAL jsonb_array_elements(
    CASE WHEN jsonb_typeof(e.child_events) = 'array' THEN e.child_events ELSE '[]' END
) WITH ORDINALITY AS c (child, ordinal)
CROSS JOIN LATERAL (
    SELECT CASE WHEN jsonb_typeof(c.child -> 'event_type') = 'string' THEN c.child ->> 'event_type' END AS event_type
) AS kind
CROSS JOIN LATERAL (
    SELECT
        array_agg(key) AS names,
        CASE
            WHEN count(*) = 1 THEN min(key)
            WHEN count(*) FILTER (WHERE key IN ($ticket_fields) OR key ~ '^[0-9]+$$') = 1
            THEN min(key) FILTER (WHERE key IN ($ticket_fields) OR key ~ '^[0-9]+$$')
        END AS changed
    FROM jsonb_object_keys(
        CASE
            WHEN jsonb_typeof(c.child) <> 'object' THEN '{}'
            WHEN kind.event_type IN ($field_kinds) THEN c.child
            WHEN kind.event_type IS NOT NULL THEN '{}'
            WHEN c.child ? 'previous_value' OR NOT c.child ?| ARRAY[$message_keys] THEN c.child
            ELSE '{}'
        END
    ) AS key
    WHERE key NOT IN ($own_keys)
) AS fields
LEFT JOIN LATERAL unnest(fields.names) AS field (name) ON true
WHERE e.id IN (SELECT id FROM affected_ids);
