-- sources: one row per stretch of a log file that was read
-- key: source_file, fingerprint
create table sources (
    day date,
    run_id varchar,
    source_file varchar, -- path or URL as it was given
    fingerprint varchar, -- hash of the columns that tell this stretch of this file from any other
    format varchar, -- file stem under sql/ingest/
    read_count bigint, -- records read = landed + duplicates + quarantined
    landed_count bigint,
    duplicate_count bigint,
    quarantined_count bigint,
    redacted_count bigint, -- traces in which something personal was replaced
    redacted_kinds json, -- {kind: findings}
    ingested_at timestamptz,
    context_count bigint, -- rows that are no model calls, not in read_count: HTTP, database, chain, agent spans
    began_at timestamptz, -- when the reading began that started at the first byte: the same for all its stretches
    size_bytes bigint, -- of the file, packed as it lies there
    modified varchar, -- its time or entity tag: with an equal size the file is taken for unchanged
    read_to bigint, -- bytes (unpacked) or records up to which the file has been read
    line_to bigint, -- lines or records up to there
    head_hash varchar, -- of the first bytes that were read
    tail_hash varchar, -- of the last bytes before read_to: where both are the same, the file only grew
    is_finished boolean -- false: the file goes on behind this stretch
);
