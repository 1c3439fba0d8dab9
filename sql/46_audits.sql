-- audits: one row per random trace a person checked: the anchor everything else is measured against
-- key: example_id
create table audits (
    day date,
    run_id varchar,
    example_id varchar,
    trace_id varchar,
    input json,
    query varchar,
    output varchar,
    chosen varchar,
    is_failure boolean,
    author_id varchar
);

with
answered as (
    select
        answer_verdicts.day as judged_on,
        known_answers.*
    from answer_verdicts
    inner join known_answers on answer_verdicts.answer_id = known_answers.answer_id
    where answer_verdicts.verdict = 'audit_only' and known_answers.author_kind = 'human'
    qualify row_number() over (
        partition by known_answers.example_id order by known_answers.answered_at, known_answers.answer_id
    ) = 1
),

checked as (
    select
        answered.judged_on as day,
        answered.example_id,
        known_traces.trace_id,
        known_traces.input,
        known_traces.query,
        known_traces.output,
        answered.output as chosen,
        lower(trim(answered.output)) != lower(trim(coalesce(known_traces.output, ''))) as is_failure,
        answered.corrector as author_id
    from answered
    inner join known_hard_examples on answered.example_id = known_hard_examples.example_id
    inner join known_traces
        on known_hard_examples.trace_id = known_traces.trace_id and known_hard_examples.day = known_traces.day
    where
        known_hard_examples.purpose = 'audit'
        and answered.example_id not in (select past_audits.example_id from past_audits)
)

select * from checked;
