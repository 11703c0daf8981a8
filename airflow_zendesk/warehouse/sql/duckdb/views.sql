-- The views in DuckDB. A value that does not fit its column is null, and the view `unreadable` lists it.
-- Names are not qualified: a view finds them in its own schema, whatever the file is called.

USE $schema;

CREATE OR REPLACE VIEW ticket_field_history AS
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
        CASE
            WHEN c.field_name = 'custom_ticket_fields' AND json_type(c.value) = 'OBJECT'
            THEN map_entries(TRY_CAST(c.value AS MAP(VARCHAR, JSON)))
        END AS custom_fields
    FROM ticket_child_events AS c
    JOIN ticket_events AS e ON e.id = c.event_id
    WHERE c.field_name IS NOT NULL
), split AS (
    SELECT *, unnest(custom_fields) AS custom FROM changes WHERE len(custom_fields) > 0
)
SELECT
    ticket_id,
    field_name,
    value ->> '$$' AS value,
    previous_value ->> '$$' AS previous_value,
    user_id,
    updated,
    event_id,
    ordinal
FROM changes
WHERE coalesce(len(custom_fields), 0) = 0
UNION ALL
SELECT
    ticket_id,
    custom.key,
    custom.value ->> '$$',
    CASE
        WHEN json_type(previous_value) = 'OBJECT'
        THEN TRY_CAST(previous_value AS MAP(VARCHAR, JSON))[custom.key] ->> '$$'
        WHEN len(custom_fields) = 1 THEN previous_value ->> '$$'
    END,
    user_id,
    updated,
    event_id,
    ordinal
FROM split;

CREATE OR REPLACE VIEW ticket_comments AS
SELECT
    c.child_id AS id,
    e.ticket_id,
    CASE
        WHEN json_type(c.child_event, 'author_id') IN ('BIGINT', 'UBIGINT')
        THEN TRY_CAST(c.child_event ->> 'author_id' AS BIGINT)
        ELSE e.updater_id
    END AS user_id,
    CASE
        WHEN json_type(c.child_event, 'public') = 'BOOLEAN' THEN (c.child_event ->> 'public') = 'true'
        WHEN json_type(c.child_event, 'comment_public') = 'BOOLEAN' THEN (c.child_event ->> 'comment_public') = 'true'
    END AS public,
    CASE WHEN json_type(c.child_event, 'body') = 'VARCHAR' THEN c.child_event ->> 'body' END AS body,
    e."timestamp" AS created,
    e.id AS event_id,
    c.ordinal,
    c.event_type
FROM ticket_child_events AS c
JOIN ticket_events AS e ON e.id = c.event_id
WHERE c.field_name IS NULL AND (
    c.event_type LIKE '%Comment'
    OR c.event_type IN ('Tweet', 'FacebookEvent')
    OR json_exists(c.child_event, 'comment_present')
    OR json_exists(c.child_event, 'comment_public')
    OR (
        (json_type(c.child_event, 'body') = 'VARCHAR' OR json_type(c.child_event, 'public') = 'BOOLEAN')
        AND json_type(c.child_event, 'author_id') IN ('BIGINT', 'UBIGINT', 'DOUBLE')
    )
);

CREATE OR REPLACE VIEW sla_targets AS
SELECT
    id,
    ticket_id,
    metric,
    instance_id,
    "timestamp" AS applied_at,
    coalesce(target, target_in_seconds // 60) AS target_minutes,
    CASE
        WHEN json_type(policy, 'business_hours') = 'BOOLEAN' THEN (policy ->> 'business_hours') = 'true'
    END AS business_hours,
    policy ->> '$$.policy.id' AS policy_id,
    policy ->> '$$.policy.title' AS policy_title,
    slice_start,
    coalesce(target_in_seconds, target * 60) AS target_seconds,
    coalesce(json_type(policy), 'NULL') = 'NULL' AS is_removed
FROM (
    SELECT
        *,
        CASE
            WHEN json_type(policy, 'target') IN ('BIGINT', 'UBIGINT') AND len(policy ->> 'target') <= 16
            THEN TRY_CAST(policy ->> 'target' AS BIGINT)
        END AS target,
        CASE
            WHEN json_type(policy, 'target_in_seconds') IN ('BIGINT', 'UBIGINT')
            THEN TRY_CAST(policy ->> 'target_in_seconds' AS BIGINT)
        END AS target_in_seconds
    FROM (
        SELECT *, CASE type WHEN 'apply_sla' THEN sla ELSE group_sla END AS policy
        FROM ticket_metric_events
        WHERE type IN ('apply_sla', 'apply_group_sla') AND deleted IS NOT TRUE
    )
);

CREATE OR REPLACE VIEW sla_breaches AS
SELECT
    ticket_id,
    metric,
    instance_id,
    breached_at,
    target_minutes,
    business_hours,
    policy_id,
    policy_title,
    event_id,
    target_seconds
FROM (
    SELECT
        b.ticket_id,
        b.metric,
        b.instance_id,
        b."timestamp" AS breached_at,
        s.target_minutes,
        s.business_hours,
        s.policy_id,
        s.policy_title,
        b.id AS event_id,
        s.target_seconds,
        row_number() OVER (PARTITION BY b.id ORDER BY s.applied_at DESC NULLS LAST, s.id DESC) AS place
    FROM ticket_metric_events AS b
    LEFT JOIN sla_targets AS s
        ON s.ticket_id = b.ticket_id AND s.metric = b.metric AND s.instance_id = b.instance_id
        AND s.applied_at <= b."timestamp"
    WHERE b.type = 'breach' AND b.deleted IS NOT TRUE
)
WHERE place = 1;

CREATE OR REPLACE VIEW unreadable AS
SELECT 'ticket_events' AS resource, 'ticket_events.child_events' AS part, id AS event_id, slice_start
FROM ticket_events
WHERE child_events IS NOT NULL AND json_type(child_events) <> 'ARRAY'
UNION ALL
SELECT 'ticket_events', 'ticket_child_events.child_event', e.id, e.slice_start
FROM ticket_child_events AS c
JOIN ticket_events AS e ON e.id = c.event_id
WHERE json_type(c.child_event) <> 'OBJECT' OR (
    c.event_type IS NULL AND c.field_name IS NULL
    AND NOT json_exists(c.child_event, 'body')
    AND NOT json_exists(c.child_event, 'comment_present')
    AND NOT json_exists(c.child_event, 'comment_public')
    AND NOT json_exists(c.child_event, 'public')
)
UNION ALL
SELECT 'ticket_events', 'ticket_child_events.field_name', e.id, e.slice_start
FROM ticket_child_events AS c
JOIN ticket_events AS e ON e.id = c.event_id
WHERE c.event_type IN ($field_kinds) AND c.field_name IS NULL
UNION ALL
SELECT 'ticket_metric_events', 'sla_targets.target_minutes', id, slice_start
FROM sla_targets
WHERE target_seconds IS NULL AND NOT is_removed;
