-- corrections: one row per accepted triple of input, the model's error and the ground truth
-- key: correction_id
create table corrections (
    day date,
    run_id varchar,
    correction_id varchar,
    answer_id varchar,
    example_id varchar,
    trace_id varchar,
    mode_id varchar,
    task varchar,
    input json,
    query varchar,
    rejected varchar,
    chosen varchar,
    author_kind varchar,
    author_id varchar,
    family varchar,
    agreement double,
    depth bigint,
    cost_usd double,
    batch_id varchar
);

with
accepted as (
    select * from answer_verdicts
    where verdict = 'accepted'
),

triples as (
    select
        accepted.day,
        known_answers.answer_id as correction_id,
        known_answers.answer_id,
        known_answers.example_id,
        known_hard_examples.trace_id,
        known_hard_examples.mode_id,
        known_traces.task,
        coalesce(known_answers.input, known_traces.input) as input,
        coalesce(known_traces.query, known_answers.input ->> '$[#-1].content') as query,
        coalesce(known_answers.rejected, known_traces.output) as rejected,
        known_answers.output as chosen,
        known_answers.author_kind,
        known_answers.corrector as author_id,
        known_answers.family,
        accepted.agreement,
        known_answers.generation_depth as depth,
        known_answers.cost_usd,
        known_answers.batch_id
    from accepted
    inner join known_answers on accepted.answer_id = known_answers.answer_id
    left join known_hard_examples on known_answers.example_id = known_hard_examples.example_id
    left join known_traces
        on known_hard_examples.trace_id = known_traces.trace_id and known_hard_examples.day = known_traces.day
)

select * from triples;
