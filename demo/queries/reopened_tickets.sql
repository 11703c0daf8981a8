-- Who reopened what: the last five tickets that were solved and then opened again.
SELECT
    strftime(h.updated AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M') AS reopened,
    u.name AS reopened_by,
    u.role,
    h.ticket_id,
    t.subject,
    t.status AS status_now
FROM zendesk.ticket_field_history AS h
JOIN zendesk.tickets AS t ON t.id = h.ticket_id
LEFT JOIN zendesk.users AS u ON u.id = h.user_id
WHERE h.field_name = 'status' AND h.previous_value = 'solved' AND h.value = 'open'
ORDER BY h.updated DESC, h.ticket_id
LIMIT 5
