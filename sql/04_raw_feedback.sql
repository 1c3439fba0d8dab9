-- raw_feedback: one row per thing a user or system said, as it was logged
-- key: day, feedback_id
create table raw_feedback (
    day date, -- day of the trace it is about, so that late feedback reopens that day; its own while it waits for one
    run_id varchar,
    feedback_id varchar,
    trace_id varchar, -- null: nothing known has its target_id yet
    target_id varchar, -- what it named, where it was not in its trace's record: a span, response or conversation
    kind varchar, -- thumb, rating, edit, comment, demonstration, outcome, evaluation, regenerate, escalation
    name varchar, -- the score's, metric's or guardrail's own name
    value double, -- thumb: -1 or 1; rating, outcome, evaluation: 0-1
    text varchar,
    actor_hash varchar,
    occurred_at timestamptz,
    source_file varchar,
    source_line bigint
);
