-- answer_verdicts: one row per answer and day it was judged fit, or not, to become a correction
-- key: day, answer_id
create table answer_verdicts (
    day date,
    run_id varchar,
    answer_id varchar,
    example_id varchar,
    verdict varchar, -- accepted, or the reason why not
    agreement double, -- people's agreement with this corrector, 1 for a person
    is_final boolean -- false: judged again tomorrow, e.g. once the corrector has earned trust
);

with
settled as (
    select answer_id from past_answer_verdicts
    where is_final
),

refused as (
    select refused_id as answer_id from known_quarantine
    where table_name = 'answers'
),

waiting as (
    select * from known_answers
    where
        answer_id not in (select settled.answer_id from settled)
        and answer_id not in (select refused.answer_id from refused)
),

examples as (
    select
        known_hard_examples.example_id,
        known_hard_examples.purpose,
        known_traces.output
    from known_hard_examples
    inner join known_traces on known_hard_examples.trace_id = known_traces.trace_id
),

people as (
    select distinct example_id from known_answers
    where author_kind = 'human' and example_id is not null
),

trust as (
    select * from known_corrector_trust
    qualify row_number() over (partition by corrector order by day desc) = 1
),

considered as (
    select
        waiting.*,
        coalesce(examples.purpose, 'demonstration') as purpose,
        coalesce(waiting.rejected, examples.output) as wrong,
        people.example_id is not null as has_person,
        coalesce(trust.is_trusted, false) as is_trusted,
        trust.agreement,
        row_number() over (
            partition by coalesce(waiting.example_id, waiting.answer_id), waiting.author_kind
            order by waiting.answered_at, waiting.answer_id
        ) as attempt
    from waiting
    left join examples on waiting.example_id = examples.example_id
    left join people on waiting.example_id = people.example_id
    left join trust on waiting.corrector = trust.corrector
),

judged as (
    select
        $day::date as day,
        answer_id,
        example_id,
        case
            when coalesce(trim(output), '') = '' then 'unparsed'
            when purpose = 'audit' then 'audit_only'
            when attempt > 1 then 'answered_before'
            when author_kind = 'ai' and has_person then 'a_person_answered'
            when lower(trim(output)) = lower(trim(wrong)) then 'correct_as_is'
            when author_kind = 'ai' and coalesce(confidence, 1) < $min_confidence then 'low_confidence'
            when author_kind = 'ai' and not is_trusted then 'corrector_not_trusted'
            else 'accepted'
        end as verdict,
        case when author_kind = 'human' then 1 else agreement end as agreement
    from considered
),

verdicts as (
    select
        *,
        verdict != 'corrector_not_trusted' as is_final
    from judged
)

select * from verdicts;
