-- Replaces the rows of the affected events: one for each field that a child changed, and one for each other child.
-- The rules are those of zendesk/child_events.py.

DELETE FROM $schema.ticket_child_events WHERE event_id IN (SELECT id FROM affected_ids);

INSERT INTO $schema.ticket_child_events
    (event_id, ordinal, child_id, event_type, field_name, value, previous_value, child_event)
SELECT
    e.id,
    c.ordinal,
    -- An integer of 64 bits. A regular expression on its text would take three times as long.
    CASE
        WHEN jsonb_typeof(part.id) = 'number' AND scale(part.id::numeric) = 0
            AND part.id::numeric BETWEEN -9223372036854775808 AND 9223372036854775807
        THEN part.id::bigint
    END,
    part.event_type,
    field.name,
    nullif(field.value, 'null'),
    CASE
        WHEN part.previous_value IS NULL THEN NULL
        WHEN field.name IS NULL OR fields.members - field.name = '{}' THEN nullif(part.previous_value, 'null')
        WHEN (field.name IN ($ticket_fields) OR field.name ~ '^[0-9]+$$') AND NOT EXISTS (
            SELECT 1 FROM jsonb_object_keys(fields.members - field.name) AS other
            WHERE other IN ($ticket_fields) OR other ~ '^[0-9]+$$'
        )
        THEN nullif(part.previous_value, 'null')
    END,
    c.child
FROM $schema.ticket_events AS e
CROSS JOIN LATERAL jsonb_array_elements(
    CASE WHEN jsonb_typeof(e.child_events) = 'array' THEN e.child_events ELSE '[]' END
) WITH ORDINALITY AS c (child, ordinal)
-- OFFSET 0: computed once for each child, although it is used several times.
CROSS JOIN LATERAL (
    SELECT
        c.child -> 'id' AS id,
        CASE WHEN jsonb_typeof(c.child -> 'event_type') = 'string' THEN c.child ->> 'event_type' END AS event_type,
        c.child -> 'previous_value' AS previous_value
    OFFSET 0
) AS part
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN jsonb_typeof(c.child) <> 'object' THEN '{}'
            WHEN part.event_type IN ($field_kinds) THEN c.child - ARRAY[$own_keys]
            WHEN part.event_type IS NOT NULL THEN '{}'
            WHEN part.previous_value IS NOT NULL OR NOT c.child ?| ARRAY[$message_keys] THEN c.child - ARRAY[$own_keys]
            ELSE '{}'
        END AS members
    OFFSET 0
) AS fields
LEFT JOIN LATERAL jsonb_each(fields.members) AS field (name, value) ON true
WHERE e.id IN (SELECT id FROM affected_ids);
