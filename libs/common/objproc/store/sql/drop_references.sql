-- References that fall away; bytes that were theirs wait as garbage until a sweep finds that nobody needs them.
WITH gone AS (
    DELETE FROM artifact_references AS r
    USING unnest($1::text[], $2::text[], $3::uuid[]) AS n (tenant, sha256, object_id)
    WHERE r.tenant = n.tenant AND r.sha256 = n.sha256 AND r.object_id = n.object_id
    RETURNING r.tenant, r.sha256
)
INSERT INTO garbage (tenant, sha256, since)
SELECT DISTINCT tenant, sha256, now() FROM gone
ON CONFLICT (tenant, sha256) DO UPDATE SET since = excluded.since
