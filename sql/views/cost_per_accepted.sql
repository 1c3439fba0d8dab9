-- cost_per_accepted: what a usable correction costs, by the day it was answered and who made it
with
asked as (
    select
        day,
        author_kind,
        corrector,
        count(*) as answer_count,
        sum(coalesce(cost_usd, 0)) as cost_usd
    from answers
    group by all
),

kept as (
    select
        answers.day,
        corrections.author_id,
        count(*) as accepted_count
    from corrections
    inner join answers on corrections.answer_id = answers.answer_id
    group by all
)

select
    asked.day,
    asked.author_kind,
    asked.corrector,
    asked.answer_count,
    coalesce(kept.accepted_count, 0) as accepted_count,
    asked.cost_usd,
    asked.cost_usd / nullif(kept.accepted_count, 0) as cost_per_accepted_usd
from asked
left join kept on asked.day = kept.day and asked.corrector = kept.author_id
