-- Status flow: from which status to which, how often, and after how many hours.
SELECT
    coalesce(previous_value, '(created)') AS from_status,
    value AS to_status,
    count(*) AS changes,
    count(DISTINCT ticket_id) AS tickets,
    round(median(date_diff('minute', since, updated)) / 60, 1) AS median_hours
FROM (
    SELECT *, lag(updated) OVER (PARTITION BY ticket_id ORDER BY updated, event_id, ordinal) AS since
    FROM zendesk.ticket_field_history
    WHERE field_name = 'status'
)
GROUP BY from_status, to_status
ORDER BY changes DESC
