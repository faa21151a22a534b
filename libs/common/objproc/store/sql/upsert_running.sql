INSERT INTO running (object_id, operation, attempt, percent)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::real[])
ON CONFLICT (object_id, operation) DO UPDATE SET attempt = excluded.attempt, percent = excluded.percent
WHERE running.attempt <= excluded.attempt
