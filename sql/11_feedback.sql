-- feedback: one row per thing a user or system said about a trace
-- key: feedback_id
create table feedback (
    day date,
    run_id varchar,
    feedback_id varchar,
    trace_id varchar,
    kind varchar,
    name varchar,
    value double,
    text varchar,
    actor_hash varchar,
    occurred_at timestamptz
);

with
said as (
    select * from raw_feedback
),

heard as (
    select
        said.day,
        said.feedback_id,
        said.trace_id,
        said.kind,
        said.name,
        said.value,
        said.text,
        said.actor_hash,
        said.occurred_at
    from said
    inner join traces on said.trace_id = traces.trace_id
)

select * from heard;
