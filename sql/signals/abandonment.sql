-- abandonment: the conversation ends on a question or on no answer, where people usually go on after these
-- about: user
-- prior: fires on 8% of failures, 3% of the rest
with
turns as (
    select
        day,
        trace_id,
        task,
        started_at,
        turn = max(turn) over (partition by conversation_id) as is_last,
        error is not null or coalesce(trim(output), '') = '' as is_unanswered,
        ends_with(rtrim(output), '?') as is_question
    from traces
    where tool_calls is null
),

left_open as (
    select
        *,
        avg((not is_last)::int) over (partition by task) as went_on_share,
        count(*) over (partition by task) as open_count
    from turns
    where is_unanswered or is_question
)

select
    trace_id,
    0.3 as strength,
    case when is_unanswered then 'user left without an answer' else 'user left a question unanswered' end as evidence
from left_open
-- what goes on after midnight is in the next day's traces
where is_last and open_count >= 20 and went_on_share >= 0.5 and started_at < (day + interval 1 day) - interval 30 minute
