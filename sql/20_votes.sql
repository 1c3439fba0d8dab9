-- votes: one row per trace: which signals fired on it, which looked and stayed silent
-- key: trace_id
create table votes (
    day date,
    run_id varchar,
    trace_id varchar,
    task varchar,
    fired varchar, -- names of signals, in order, with a blank between; '' = none
    silent varchar -- those that could look and did not fire; what is in neither could not look
);

with
looks as (
    select * from every_vote
),

fired as (
    select
        trace_id,
        list(signal order by signal) as names
    from signals
    group by trace_id
),

voted as (
    select
        looks.day,
        looks.trace_id,
        looks.task,
        coalesce(array_to_string(fired.names, ' '), '') as fired,
        case
            when fired.names is null then looks.looked
            else array_to_string(
                list_filter(string_split(looks.looked, ' '), lambda name: not list_contains(fired.names, name)), ' '
            )
        end as silent
    from looks
    left join fired on looks.trace_id = fired.trace_id
)

select * from voted;
