CREATE SCHEMA $schema;

CREATE TABLE $schema.ticket_events (
  "id" BIGINT NOT NULL,
  "timestamp" TIMESTAMPTZ NOT NULL,
  "ticket_id" BIGINT,
  "created_at" TIMESTAMPTZ,
  "updater_id" BIGINT,
  "via" VARCHAR,
  "event_type" VARCHAR,
  "system" JSON,
  "metadata" JSON,
  "merged_ticket_ids" JSON,
  "child_events" JSON,
  "instance_id" BIGINT,
  "metric" VARCHAR,
  "type" VARCHAR,
  "time" TIMESTAMPTZ,
  "late" BOOLEAN NOT NULL,
  "extra" JSON,
  "slice_start" TIMESTAMPTZ NOT NULL
);

CREATE TABLE $schema.ticket_events_doubles (
  "id" BIGINT NOT NULL,
  "timestamp" TIMESTAMPTZ NOT NULL,
  "ticket_id" BIGINT,
  "created_at" TIMESTAMPTZ,
  "updater_id" BIGINT,
  "via" VARCHAR,
  "event_type" VARCHAR,
  "system" JSON,
  "metadata" JSON,
  "merged_ticket_ids" JSON,
  "child_events" JSON,
  "instance_id" BIGINT,
  "metric" VARCHAR,
  "type" VARCHAR,
  "time" TIMESTAMPTZ,
  "late" BOOLEAN NOT NULL,
  "extra" JSON,
  "slice_start" TIMESTAMPTZ NOT NULL
);

CREATE TABLE $schema.ticket_metric_events (
  "id" BIGINT NOT NULL,
  "ticket_id" BIGINT,
  "instance_id" BIGINT,
  "metric" VARCHAR,
  "type" VARCHAR,
  "time" TIMESTAMPTZ,
  "timestamp" TIMESTAMPTZ NOT NULL,
  "deleted" BOOLEAN,
  "sla" JSON,
  "group_sla" JSON,
  "status" JSON,
  "late" BOOLEAN NOT NULL,
  "extra" JSON,
  "slice_start" TIMESTAMPTZ NOT NULL
);

CREATE TABLE $schema.ticket_metric_events_doubles (
  "id" BIGINT NOT NULL,
  "ticket_id" BIGINT,
  "instance_id" BIGINT,
  "metric" VARCHAR,
  "type" VARCHAR,
  "time" TIMESTAMPTZ,
  "timestamp" TIMESTAMPTZ NOT NULL,
  "deleted" BOOLEAN,
  "sla" JSON,
  "group_sla" JSON,
  "status" JSON,
  "late" BOOLEAN NOT NULL,
  "extra" JSON,
  "slice_start" TIMESTAMPTZ NOT NULL
);

CREATE TABLE $schema.ticket_child_events (
  "event_id" BIGINT NOT NULL,
  "ordinal" BIGINT NOT NULL,
  "child_id" BIGINT,
  "event_type" VARCHAR,
  "field_name" VARCHAR,
  "value" JSON,
  "previous_value" JSON,
  "child_event" JSON
);

CREATE TABLE $schema.loaded_slices (
  "resource" VARCHAR NOT NULL,
  "slice_start" TIMESTAMPTZ NOT NULL,
  "slice_end" TIMESTAMPTZ NOT NULL,
  "uri" VARCHAR NOT NULL,
  "digest" VARCHAR NOT NULL,
  "rows" BIGINT NOT NULL,
  "loaded_at" TIMESTAMPTZ NOT NULL
);

CREATE TABLE $schema.loaded_datasets (
  "resource" VARCHAR NOT NULL,
  "record" VARCHAR NOT NULL,
  "schema_version" VARCHAR NOT NULL,
  "views" VARCHAR NOT NULL
);

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
        CASE
            WHEN c.field_name = 'custom_ticket_fields' AND json_type(c.value) = 'OBJECT'
            THEN map_entries(TRY_CAST(c.value AS MAP(VARCHAR, JSON)))
        END AS custom_fields
    FROM $schema.ticket_child_events AS c
    JOIN $schema.ticket_events AS e ON e.id = c.event_id
    WHERE c.field_name IS NOT NULL
), split AS (
    SELECT *, unnest(custom_fields) AS custom FROM changes WHERE len(custom_fields) > 0
)
SELECT
    ticket_id,
    field_name,
    value ->> '$' AS value,
    previous_value ->> '$' AS previous_value,
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
    custom.value ->> '$',
    CASE
        WHEN json_type(previous_value) = 'OBJECT'
        THEN TRY_CAST(previous_value AS MAP(VARCHAR, JSON))[custom.key] ->> '$'
        ELSE previous_value ->> '$'
    END,
    user_id,
    updated,
    event_id,
    ordinal
FROM split;

CREATE OR REPLACE VIEW $schema.ticket_comments AS
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
    c.ordinal
FROM $schema.ticket_child_events AS c
JOIN $schema.ticket_events AS e ON e.id = c.event_id
WHERE c.event_type = 'Comment';

CREATE OR REPLACE VIEW $schema.sla_targets AS
SELECT
    id,
    ticket_id,
    metric,
    instance_id,
    "timestamp" AS applied_at,
    CASE
        WHEN json_type(policy, 'target') IN ('BIGINT', 'UBIGINT') THEN TRY_CAST(policy ->> 'target' AS BIGINT)
    END AS target_minutes,
    CASE
        WHEN json_type(policy, 'business_hours') = 'BOOLEAN' THEN (policy ->> 'business_hours') = 'true'
    END AS business_hours,
    CASE
        WHEN json_type(policy, '$.policy.id') IN ('BIGINT', 'UBIGINT')
        THEN TRY_CAST(policy ->> '$.policy.id' AS BIGINT)
    END AS policy_id,
    policy ->> '$.policy.title' AS policy_title,
    slice_start
FROM (
    SELECT *, CASE type WHEN 'apply_sla' THEN sla ELSE group_sla END AS policy
    FROM $schema.ticket_metric_events
    WHERE type IN ('apply_sla', 'apply_group_sla') AND deleted IS NOT TRUE
);

CREATE OR REPLACE VIEW $schema.sla_breaches AS
SELECT ticket_id, metric, instance_id, breached_at, target_minutes, business_hours, policy_id, policy_title, event_id
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
        row_number() OVER (PARTITION BY b.id ORDER BY s.applied_at DESC NULLS LAST, s.id DESC) AS place
    FROM $schema.ticket_metric_events AS b
    LEFT JOIN $schema.sla_targets AS s
        ON s.ticket_id = b.ticket_id AND s.metric = b.metric AND s.instance_id = b.instance_id
        AND s.applied_at <= b."timestamp"
    WHERE b.type = 'breach' AND b.deleted IS NOT TRUE
)
WHERE place = 1;

CREATE OR REPLACE VIEW $schema.unreadable AS
SELECT 'ticket_events' AS resource, 'ticket_events.child_events' AS part, id AS event_id, slice_start
FROM $schema.ticket_events
WHERE child_events IS NOT NULL AND json_type(child_events) <> 'ARRAY'
UNION ALL
SELECT 'ticket_events', 'ticket_child_events.child_event', e.id, e.slice_start
FROM $schema.ticket_child_events AS c
JOIN $schema.ticket_events AS e ON e.id = c.event_id
WHERE json_type(c.child_event) <> 'OBJECT' OR c.event_type IS NULL
UNION ALL
SELECT 'ticket_events', 'ticket_child_events.field_name', e.id, e.slice_start
FROM $schema.ticket_child_events AS c
JOIN $schema.ticket_events AS e ON e.id = c.event_id
WHERE c.event_type IN ('Create', 'Change') AND c.field_name IS NULL
UNION ALL
SELECT 'ticket_metric_events', 'sla_targets.target_minutes', id, slice_start
FROM $schema.sla_targets
WHERE target_minutes IS NULL;
