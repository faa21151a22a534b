-- One row: what can never change after the first start.
CREATE TABLE installation (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    partitions integer NOT NULL CHECK (partitions BETWEEN 1 AND 1024),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Up to where the log is projected; moved in the transaction that writes the rows.
CREATE TABLE checkpoints (
    partition integer PRIMARY KEY,
    seq bigint NOT NULL DEFAULT 0,
    hash text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- The archive: the log for good, byte for byte. One table a partition, made at the first start.
CREATE TABLE events (
    partition integer NOT NULL,
    seq bigint NOT NULL,
    object_id uuid NOT NULL,
    version_from integer NOT NULL,
    version_to integer NOT NULL,
    at timestamptz NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (partition, seq)
) PARTITION BY LIST (partition);
CREATE INDEX events_of_object ON events (object_id, version_from);

-- The projection: `aggregate` is the serialised ProcessingObject, the other columns are for look-ups.
CREATE TABLE objects (
    object_id uuid PRIMARY KEY,
    partition integer NOT NULL,
    tenant text NOT NULL,
    identifier text NOT NULL,
    operations text[] NOT NULL,
    tags text[] NOT NULL,
    submitted_at timestamptz NOT NULL,
    state text NOT NULL,
    version integer NOT NULL,
    error_code text,
    updated_at timestamptz NOT NULL,
    finished_at timestamptz,
    aggregate bytea NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX objects_newest ON objects (tenant, submitted_at DESC, object_id DESC);
CREATE INDEX objects_of_identifier ON objects (tenant, identifier text_pattern_ops, submitted_at DESC);
CREATE INDEX objects_in_state ON objects (tenant, state, submitted_at DESC, object_id DESC);
CREATE INDEX objects_live ON objects (partition) WHERE state IN ('PENDING', 'QUEUED', 'PROCESSING');

-- What an identifier means when a request brings no content.
CREATE TABLE contents (
    object_id uuid PRIMARY KEY,
    partition integer NOT NULL,
    tenant text NOT NULL,
    identifier text NOT NULL,
    version integer NOT NULL,
    updated_at timestamptz NOT NULL,
    aggregate bytea NOT NULL
);

-- Which objects need which bytes in S3; what nobody needs any more waits in `garbage` to be swept.
CREATE TABLE artifact_references (
    tenant text NOT NULL,
    sha256 text NOT NULL,
    object_id uuid NOT NULL,
    PRIMARY KEY (tenant, sha256, object_id)
);
CREATE INDEX artifact_references_of_object ON artifact_references (object_id);
CREATE TABLE garbage (
    tenant text NOT NULL,
    sha256 text NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (tenant, sha256)
);

-- How far running operations are. No history: it may be lost, so it is not part of the log.
CREATE UNLOGGED TABLE running (
    object_id uuid NOT NULL,
    operation text NOT NULL,
    attempt integer NOT NULL,
    percent real NOT NULL,
    PRIMARY KEY (object_id, operation)
);
