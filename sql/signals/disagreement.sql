-- disagreement: models asked the same question on the same day do not give this answer
-- about: answer
with
finals as (
    select
        trace_id,
        task,
        query,
        model,
        coalesce(nullif(trim(regexp_extract(output, '(?:^|\n)A:\s*(.+)\s*$', 1)), ''), trim(output)) as final
    from traces
    where error is null and output is not null
),

choices as (
    select
        task,
        query,
        final,
        count(distinct model) as model_count
    from finals
    group by task, query, final
),

questions as (
    select
        task,
        query,
        sum(model_count) as asked_count
    from choices
    group by task, query
    having sum(model_count) >= 3
)

select
    finals.trace_id,
    1 - (choices.model_count - 1) / (questions.asked_count - 1) as strength,
    (questions.asked_count - choices.model_count)::int || ' of ' || questions.asked_count::int
    || ' models answer otherwise' as evidence
from finals
inner join choices
    on finals.task = choices.task and finals.query = choices.query and finals.final = choices.final
inner join questions on finals.task = questions.task and finals.query = questions.query
where choices.model_count * 2 <= questions.asked_count
