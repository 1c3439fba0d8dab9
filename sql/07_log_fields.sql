-- log_fields: one row per field and type that a sample of a log's records had
-- key: day, observation_id, path, json_type
create table log_fields (
    day date, -- of the records
    run_id varchar,
    format varchar, -- file stem under sql/ingest/
    observation_id varchar, -- the block of records that was sampled
    path varchar, -- request.messages[].role; * for keys that are ids or personal; '' is the record itself
    json_type varchar, -- string, number, boolean, null, object or array; any: whatever its type
    record_count bigint, -- sampled records that had it
    sampled_count bigint, -- records in the sample
    trace_count bigint, -- calls in the whole block, in the row of the record itself
    content_count bigint -- of these, with what was asked and answered
);
