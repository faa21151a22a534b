UPDATE objects AS o
SET state = n.state,
    version = n.version,
    error_code = n.error_code,
    updated_at = n.updated_at,
    finished_at = n.finished_at,
    aggregate = n.aggregate,
    tags = CASE WHEN n.state = 'DELETED' THEN '{}' ELSE o.tags END
FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::bytea[])
    AS n (object_id, state, version, error_code, updated_at, finished_at, aggregate)
WHERE o.object_id = n.object_id
