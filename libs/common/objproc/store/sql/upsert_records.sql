INSERT INTO records (object_id, partition, tenant, identifier, version, updated_at, aggregate)
SELECT * FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::integer[], $6::timestamptz[], $7::bytea[])
ON CONFLICT (object_id) DO UPDATE
SET version = excluded.version, updated_at = excluded.updated_at, aggregate = excluded.aggregate
