-- First reply by group: how long the customers of each group wait for the first answer.
SELECT
    coalesce(g.name, '(none)') AS group_name,
    count(*) AS tickets,
    CAST(median(date_diff('minute', asked."timestamp", answered."timestamp")) AS integer) AS median_minutes
FROM zendesk.ticket_metric_events AS asked
JOIN zendesk.ticket_metric_events AS answered USING (ticket_id, metric, instance_id)
JOIN zendesk.tickets AS t ON t.id = ticket_id
LEFT JOIN zendesk.groups AS g ON g.id = t.group_id
WHERE metric = 'reply_time' AND instance_id = 1 AND asked.type = 'activate' AND answered.type = 'fulfill'
GROUP BY group_name
ORDER BY group_name
