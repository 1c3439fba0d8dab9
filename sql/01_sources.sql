-- sources: one row per reading of a log file
-- key: source_file, fingerprint
create table sources (
    day date,
    run_id varchar,
    source_file varchar, -- path or URL as it was given
    fingerprint varchar, -- hash of the bytes that were read
    format varchar, -- file stem under sql/ingest/
    read_count bigint, -- lines read = landed + duplicates + quarantined
    landed_count bigint,
    duplicate_count bigint,
    quarantined_count bigint,
    redacted_count bigint, -- traces in which something personal was replaced
    redacted_kinds json, -- {kind: findings}
    ingested_at timestamptz
);
