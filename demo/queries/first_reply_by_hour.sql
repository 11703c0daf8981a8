-- First reply by hour: how long customers wait for the first answer, by the hour (UTC) at which they wrote.
SELECT
    hour(asked."timestamp" AT TIME ZONE 'UTC') AS hour,
    count(*) AS tickets,
    CAST(median(date_diff('minute', asked."timestamp", answered."timestamp")) AS integer) AS median_minutes,
    CAST(quantile_cont(date_diff('minute', asked."timestamp", answered."timestamp"), 0.9) AS integer) AS p90_minutes
FROM zendesk.ticket_metric_events AS asked
JOIN zendesk.ticket_metric_events AS answered USING (ticket_id, metric, instance_id)
WHERE metric = 'reply_time' AND instance_id = 1 AND asked.type = 'activate' AND answered.type = 'fulfill'
GROUP BY hour
ORDER BY hour
