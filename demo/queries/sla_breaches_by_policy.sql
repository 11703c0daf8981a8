-- SLA breaches by policy: how many targets were set, and how many were missed.
WITH targets AS (
    SELECT policy_title, metric, count(DISTINCT (ticket_id, instance_id)) AS targets
    FROM zendesk.sla_targets
    WHERE NOT is_removed
    GROUP BY policy_title, metric
), breaches AS (
    SELECT policy_title, metric, count(*) AS breaches
    FROM zendesk.sla_breaches
    GROUP BY policy_title, metric
)
SELECT
    coalesce(policy_title, '(set before these days)') AS policy,
    metric,
    coalesce(targets, 0) AS targets,
    coalesce(breaches, 0) AS breaches,
    round(100.0 * breaches / targets, 1) AS percent
FROM targets
FULL JOIN breaches USING (policy_title, metric)
ORDER BY policy, metric
