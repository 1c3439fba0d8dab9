-- review_queue: one row per hard example waiting for, or once shown to, a person
-- key: example_id
create table review_queue (
    day date,
    run_id varchar,
    example_id varchar,
    trace_id varchar,
    mode_id varchar,
    input json,
    query varchar,
    rejected varchar, -- what the production model said
    reason varchar,
    priority double,
    submitted_at timestamptz
);
