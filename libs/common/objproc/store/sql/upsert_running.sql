INSERT INTO running (object_id, operation, attempt, percent)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::real[]) AS n (object_id, operation, attempt, percent)
-- progress of what another projector has seen the end of comes too late, and nobody would remove it
WHERE NOT EXISTS (
    SELECT FROM objects AS o WHERE o.object_id = n.object_id AND o.state NOT IN ('PENDING', 'QUEUED', 'PROCESSING')
)
ON CONFLICT (object_id, operation) DO UPDATE SET attempt = excluded.attempt, percent = excluded.percent
WHERE running.attempt <= excluded.attempt
