-- target_of: the trace that a name and a time mean: a trace, an alias, a response, else a conversation's last call
with
names as (
    select distinct
        target,
        occurred_at
    from wanted
),

aliases as (
    select
        unnest(aliases) as alias,
        day,
        trace_id,
        started_at
    from calls
),

called as (
    select
        trace_id as target,
        1 as rank,
        day,
        trace_id,
        started_at
    from calls
    where trace_id in (select target from names)
    union all
    select
        alias as target,
        2 as rank,
        day,
        trace_id,
        started_at
    from aliases
    where alias in (select target from names)
    union all
    select
        response_id as target,
        3 as rank,
        day,
        trace_id,
        started_at
    from calls
    where response_id in (select target from names)
    union all
    select
        conversation_id as target,
        4 as rank,
        day,
        trace_id,
        started_at
    from calls
    where conversation_id in (select target from names)
)

select
    names.target,
    names.occurred_at,
    called.day as trace_day,
    called.trace_id
from names
inner join called on names.target = called.target
-- of several calls the last one that had begun when it was said; clocks differ, so rather a later one than none
qualify row_number() over (
    partition by names.target, names.occurred_at
    order by
        called.rank,
        coalesce(called.started_at > names.occurred_at, false),
        called.started_at desc,
        called.trace_id
) = 1
