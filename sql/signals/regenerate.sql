-- regenerate: the very same input was sent again by the same conversation or person, or a new answer was asked for
-- about: user
-- prior: fires on 5% of failures, 0.5% of the rest
with
sent as (
    select
        trace_id,
        task,
        lead(started_at) over (
            partition by coalesce(actor_hash, conversation_id), task, model, hash(input) order by started_at, trace_id
        ) - started_at as until_next
    from traces
    -- of whom nothing is known is nobody's second try
    where input is not null and coalesce(actor_hash, conversation_id) is not null
),

-- where much is sent twice as a matter of course (sampling, health checks, batches) it says nothing
counted as (
    select
        trace_id,
        until_next,
        avg(coalesce(until_next < interval 10 minute, false)::int) over (partition by task) as repeated_share
    from sent
)

select
    trace_id,
    0.6 as strength,
    'the same was sent again' as evidence
from counted
where until_next < interval 10 minute and repeated_share < 0.1
union all
select
    trace_id,
    0.8 as strength,
    'user asked for another answer' as evidence
from feedback
where kind = 'regenerate' and coalesce(value, 1) > 0
