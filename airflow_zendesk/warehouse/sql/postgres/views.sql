-- The views in PostgreSQL. A value that does not fit its column is null, and the view `unreadable` lists it.

CREATE OR REPLACE VIEW $schema.ticket_field_history AS
WITH changes AS (
    SELECT
        e.ticket_id,
        c.field_name,
        c.value,
        c.previous_value,
        e.updater_id AS user_id,
        e."timestamp" AS updated,
        e.id AS event_id,
        c.ordinal,
        c.field_name = 'custom_ticket_fields' AND jsonb_typeof(c.value) = 'object' AND c.value <> '{}' AS is_custom
    FROM $schema.ticket_child_events AS c
    JOIN $schema.ticket_events AS e ON e.id = c.event_id
    WHERE c.field_name IS NOT NULL
)
SELECT
    ticket_id,
    field_name,
    value #>> '{}' AS value,
    previous_value #>> '{}' AS previous_value,
    user_id,
    updated,
    event_id,
    ordinal
FROM changes
WHERE is_custom IS NOT TRUE
UNION ALL
SELECT
    ticket_id,
    custom.key,
    custom.value,
    CASE
        WHEN jsonb_typeof(previous_value) = 'object' THEN previous_value ->> custom.key
        WHEN (SELECT count(*) FROM jsonb_object_keys(changes.value)) = 1 THEN previous_value #>> '{}'
    END,
    user_id,
    updated,
    event_id,
    ordinal
FROM changes
CROSS JOIN LATERAL jsonb_each_text(CASE WHEN is_custom THEN changes.value ELSE '{}' END) AS custom (key, value)
WHERE is_custom;

CREATE OR REPLACE VIEW $schema.ticket_comments AS
SELECT
    c.child_id AS id,
    e.ticket_id,
    CASE
        WHEN jsonb_typeof(c.child_event -> 'author_id') = 'number' AND c.child_event ->> 'author_id' ~ '^-?[0-9]{1,18}$$'
        THEN (c.child_event ->> 'author_id')::bigint
        ELSE e.updater_id
    END AS user_id,
    CASE
        WHEN jsonb_typeof(c.child_event -> 'public') = 'boolean' THEN (c.child_event ->> 'public')::boolean
        WHEN jsonb_typeof(c.child_event -> 'comment_public') = 'boolean'
        THEN (c.child_event ->> 'comment_public')::boolean
    END AS public,
    CASE WHEN jsonb_typeof(c.child_event -> 'body') = 'string' THEN c.child_event ->> 'body' END AS body,
    e."timestamp" AS created,
    e.id AS event_id,
    c.ordinal,
    c.event_type
FROM $schema.ticket_child_events AS c
JOIN $schema.ticket_events AS e ON e.id = c.event_id
WHERE c.field_name IS NULL AND (
    c.event_type LIKE '%Comment'
    OR c.event_type IN ('Tweet', 'FacebookEvent')
    OR c.child_event -> 'comment_present' IS NOT NULL
    OR c.child_event -> 'comment_public' IS NOT NULL
    OR (
        (jsonb_typeof(c.child_event -> 'body') = 'string' OR jsonb_typeof(c.child_event -> 'public') = 'boolean')
        AND jsonb_typeof(c.child_event -> 'author_id') = 'number'
    )
);

CREATE OR REPLACE VIEW $schema.sla_targets AS
SELECT
    id,
    ticket_id,
    metric,
    instance_id,
    "timestamp" AS applied_at,
    coalesce(target, target_in_seconds / 60) AS target_minutes,
    CASE
        WHEN jsonb_typeof(policy -> 'business_hours') = 'boolean' THEN (policy ->> 'business_hours')::boolean
    END AS business_hours,
    policy #>> '{policy,id}' AS policy_id,
    policy #>> '{policy,title}' AS policy_title,
    slice_start,
    coalesce(target_in_seconds, target * 60) AS target_seconds,
    policy IS NULL AS is_removed
FROM (
    SELECT *, nullif(CASE type WHEN 'apply_sla' THEN sla ELSE group_sla END, 'null') AS policy
    FROM $schema.ticket_metric_events
    WHERE type IN ('apply_sla', 'apply_group_sla') AND deleted IS NOT TRUE
) AS applied
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN jsonb_typeof(policy -> 'target') = 'number' AND policy ->> 'target' ~ '^-?[0-9]{1,16}$$'
            THEN (policy ->> 'target')::bigint
        END AS target,
        CASE
            WHEN jsonb_typeof(policy -> 'target_in_seconds') = 'number'
                AND policy ->> 'target_in_seconds' ~ '^-?[0-9]{1,18}$$'
            THEN (policy ->> 'target_in_seconds')::bigint
        END AS target_in_seconds
) AS numbers;

CREATE OR REPLACE VIEW $schema.sla_breaches AS
SELECT DISTINCT ON (b.id)
    b.ticket_id,
    b.metric,
    b.instance_id,
    b."timestamp" AS breached_at,
    s.target_minutes,
    s.business_hours,
    s.policy_id,
    s.policy_title,
    b.id AS event_id,
    s.target_seconds
FROM $schema.ticket_metric_events AS b
LEFT JOIN $schema.sla_targets AS s
    ON s.ticket_id = b.ticket_id AND s.metric = b.metric AND s.instance_id = b.instance_id
    AND s.applied_at <= b."timestamp"
WHERE b.type = 'breach' AND b.deleted IS NOT TRUE
ORDER BY b.id, s.applied_at DESC NULLS LAST, s.id DESC;

CREATE OR REPLACE VIEW $schema.unreadable AS
SELECT 'ticket_events' AS resource, 'ticket_events.child_events' AS part, id AS event_id, slice_start
FROM $schema.ticket_events
WHERE child_events IS NOT NULL AND jsonb_typeof(child_events) <> 'array'
UNION ALL
SELECT 'ticket_events', 'ticket_child_events.child_event', e.id, e.slice_start
FROM $schema.ticket_child_events AS c
JOIN $schema.ticket_events AS e ON e.id = c.event_id
WHERE jsonb_typeof(c.child_event) <> 'object' OR (
    c.event_type IS NULL AND c.field_name IS NULL
    AND NOT c.child_event ?| ARRAY['body', 'comment_present', 'comment_public', 'public']
)
UNION ALL
SELECT 'ticket_events', 'ticket_child_events.field_name', e.id, e.slice_start
FROM $schema.ticket_child_events AS c
JOIN $schema.ticket_events AS e ON e.id = c.event_id
WHERE c.event_type IN ($field_kinds) AND c.field_name IS NULL
UNION ALL
SELECT 'ticket_metric_events', 'sla_targets.target_minutes', id, slice_start
FROM $schema.sla_targets
WHERE target_seconds IS NULL AND NOT is_removed;
