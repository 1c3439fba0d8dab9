-- forgotten: one row per person, call or id of a call that must not come back
-- key: subject_hash
create table forgotten (
    day date, -- of the request
    run_id varchar,
    subject_hash varchar, -- hash of the person's hash, or of the id: nobody is named here
    kind varchar, -- actor: a person; trace: a call; alias: another id that feedback may name a call by
    request_id varchar, -- the request it was forgotten by
    trace_count bigint, -- of the whole request, in the row it was made for; null in the others
    removed json, -- {table: rows}, likewise
    releases json, -- [{dataset, version, row_count}] that contain some of it and were left as they are, likewise
    forgotten_at timestamptz
);
