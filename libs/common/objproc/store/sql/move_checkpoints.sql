-- Conditional: a row comes back only where seq and hash are still those the batch was folded from.
UPDATE checkpoints AS c
SET seq = n.seq, hash = n.hash, updated_at = now()
FROM unnest($1::integer[], $2::bigint[], $3::text[], $4::bigint[], $5::text[])
    AS n (partition, seq_before, hash_before, seq, hash)
WHERE c.partition = n.partition AND c.seq = n.seq_before AND c.hash = n.hash_before
RETURNING c.partition
