-- disagreement: models or samples asked the very same do not give this answer
-- about: answer
-- applies: error is null and count(*) over (partition by task, hash(coalesce(input::varchar, query))) >= 3
-- prior: fires on 50% of failures, 10% of the rest
with
-- what of an answer can be compared: its marked last word, or all of it where it is short
finals as (
    select
        trace_id,
        task,
        hash(coalesce(input::varchar, query)) as question,
        lower(trim(coalesce(
            nullif(regexp_extract(output, '(?:^|\n)A:[ \t]*([^\n]+)\s*$', 1), ''),
            nullif(regexp_extract(output, '\n?####[ \t]*([^\n]+)\s*$', 1), ''),
            nullif(regexp_extract(output, '\\boxed\{([^{}]+)\}', 1), ''),
            nullif(regexp_extract(output, '(?i)\banswer(?: is)?:?[ \t]*\**\[?([^\n.\]*]{1,40})\]?\**\.?\s*$', 1), ''),
            nullif(regexp_extract(output, '^\s*\[(\w{1,20})\]', 1), ''),
            nullif(regexp_extract(output, '\[(\w{1,20})\]\.?\s*$', 1), ''),
            if(length(output) <= 100, output, null)
        ), E' \n\t."')) as final
    from traces
    where error is null and output is not null
),

choices as (
    select
        task,
        question,
        final,
        count(*) as answer_count
    from finals
    where final is not null
    group by task, question, final
),

questions as (
    select
        task,
        question,
        sum(answer_count) as asked_count
    from choices
    group by task, question
    having sum(answer_count) >= 3
)

select
    finals.trace_id,
    1 - (choices.answer_count - 1) / (questions.asked_count - 1) as strength,
    (questions.asked_count - choices.answer_count)::int || ' of ' || questions.asked_count::int
    || ' answers are other than ' || left(finals.final, 40) as evidence
from finals
inner join choices
    on
        finals.task is not distinct from choices.task
        and finals.question = choices.question
        and finals.final = choices.final
inner join questions on finals.task is not distinct from questions.task and finals.question = questions.question
where choices.answer_count * 2 <= questions.asked_count
