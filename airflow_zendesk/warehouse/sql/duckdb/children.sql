-- Replaces the rows of the affected events: one for each field that a child changed, and one for each other child.
-- The rules are those of zendesk/child_events.py.

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
        *,
        CASE
            WHEN event_type IN ($field_kinds) OR event_type IS NULL AND (
                list_contains([m.key FOR m IN members], 'previous_value')
                OR NOT list_has_any([m.key FOR m IN members], [$message_keys])
            )
            THEN [m FOR m IN members IF m.key NOT IN ($own_keys)]
        END AS own
    FROM parts
), rows AS (
    SELECT
        *,
        unnest(CASE WHEN len(own) > 0 THEN own ELSE [NULL] END) AS field,
        CASE
            WHEN len(own) > 1
            THEN [m.key FOR m IN own IF m.key IN ($ticket_fields) OR regexp_full_match(m.key, '[0-9]+')]
            ELSE [own[1].key]
        END AS changed
    FROM fields
)
SELECT
    event_id,
    ordinal,
    CASE WHEN json_type(child, 'id') IN ('BIGINT', 'UBIGINT') THEN TRY_CAST(child ->> 'id' AS BIGINT) END,
    event_type,
    field.key,
    CASE WHEN json_type(field.value) <> 'NULL' THEN field.value END,
    CASE
        WHEN field.key IS NULL OR (len(changed) = 1 AND changed[1] = field.key)
        THEN CASE WHEN json_type(child, 'previous_value') <> 'NULL' THEN child -> 'previous_value' END
    END,
    child
FROM rows;
