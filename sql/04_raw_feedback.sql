-- raw_feedback: one row per thing a user or system said, as it was logged
-- key: day, feedback_id
create table raw_feedback (
    day date, -- day of the trace it is about, so that late feedback reopens that day
    run_id varchar,
    feedback_id varchar,
    trace_id varchar,
    kind varchar, -- thumb, rating, edit, comment, demonstration, outcome
    value double, -- thumb: -1 or 1; rating, outcome: 0-1
    text varchar,
    actor_hash varchar,
    occurred_at timestamptz,
    source_file varchar,
    source_line bigint
);
