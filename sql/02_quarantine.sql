-- quarantine: one row per thing refused anywhere, with its reason
-- key: quarantine_id
create table quarantine (
    day date,
    run_id varchar,
    quarantine_id varchar,
    table_name varchar, -- where the row would have gone
    refused_id varchar, -- id the row has or would have had there
    reason varchar, -- snake_case, countable
    detail varchar, -- what exactly, for a reader
    source_file varchar,
    source_line bigint,
    byte_offset bigint,
    raw varchar, -- the row as it came, cut at 10,000 characters
    actor_hash varchar, -- whose it is, where that could be read
    quarantined_at timestamptz,
    resolved_at timestamptz -- when it landed after all, or its file was read anew; null: still refused
);
