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
    where table_name = 'answers' and refused_id is not null
),

standing as (
    select * from known_answers
    where answer_id not in (select refused.answer_id from refused)
),

waiting as (
    select * from standing
    where answer_id not in (select settled.answer_id from settled)
),

examples as (
    select
        known_hard_examples.example_id,
        known_hard_examples.purpose,
        known_traces.output
    from known_hard_examples
    -- a trace may be delivered again on a later day; the example is about the one of its own day
    inner join known_traces
        on known_hard_examples.trace_id = known_traces.trace_id and known_hard_examples.day = known_traces.day
),

routes_taken as (
    select
        example_id,
        route
    from known_routes
),

people as (
    select distinct example_id from standing
    where author_kind = 'human' and example_id is not null and coalesce(trim(output), '') != ''
),

corrected as (
    select distinct
        standing.example_id,
        standing.author_kind
    from past_answer_verdicts
    inner join standing on past_answer_verdicts.answer_id = standing.answer_id
    where past_answer_verdicts.verdict = 'accepted'
),

trust as (
    select * from known_corrector_trust
    qualify row_number() over (partition by corrector order by day desc) = 1
),

considered as (
    select
        waiting.*,
        coalesce(examples.purpose, 'demonstration') as purpose,
        waiting.example_id is not null and examples.example_id is null as is_unknown,
        coalesce(routes_taken.route, 'ai') as route,
        coalesce(waiting.rejected, examples.output) as wrong,
        people.example_id is not null as has_person,
        corrected.example_id is not null as is_corrected,
        coalesce(trust.is_trusted, false) as is_trusted,
        trust.agreement
    from waiting
    left join examples on waiting.example_id = examples.example_id
    left join people on waiting.example_id = people.example_id
    left join corrected on waiting.example_id = corrected.example_id and waiting.author_kind = corrected.author_kind
    left join trust on waiting.corrector = trust.corrector
    left join routes_taken on waiting.example_id = routes_taken.example_id
),

judged as (
    select
        *,
        case
            when coalesce(trim(output), '') = '' then 'unparsed'
            when is_unknown then 'unknown_example'
            when purpose = 'audit' then 'audit_only'
            when purpose = 'relabel' then 'relabel_only'
            when is_corrected then 'answered_before'
            when author_kind = 'ai' and has_person then 'a_person_answered'
            -- a model also answers what is routed to people, but only to be measured by them
            when author_kind = 'ai' and route != 'ai' then 'not_routed_to_models'
            when lower(trim(output)) = lower(trim(wrong)) then 'correct_as_is'
            when author_kind = 'ai' and coalesce(confidence, 1) < $min_confidence then 'low_confidence'
            when author_kind = 'ai' and not is_trusted then 'corrector_not_trusted'
            else 'fit'
        end as judgement
    from considered
),

-- of several fit answers to one example the first counts
verdicts as (
    select
        $day::date as day,
        answer_id,
        example_id,
        case
            when judgement != 'fit' then judgement
            when row_number() over (
                partition by coalesce(example_id, answer_id), author_kind, judgement order by answered_at, answer_id
            ) = 1 then 'accepted'
            else 'answered_before'
        end as verdict,
        case when author_kind = 'human' then 1 else agreement end as agreement,
        judgement not in ('corrector_not_trusted', 'unknown_example') as is_final
    from judged
)

select * from verdicts;
