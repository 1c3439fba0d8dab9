-- failures: one row per trace in which at least one signal fired
-- key: trace_id
create table failures (
    day date,
    run_id varchar,
    trace_id varchar,
    p_failure double, -- posterior of the label model
    signals varchar[],
    estimated boolean, -- false: no label model yet, p_failure is the strongest signal's strength
    note varchar, -- what went wrong, in words; what failure modes are clustered on
    evidence json -- [{signal, about, strength, evidence}], the strongest first
);

with
weights as (
    select * from signal_weights
),

-- a million traces have a few hundred patterns of votes
patterns as (
    select distinct
        task,
        fired,
        silent
    from votes
    where fired != ''
),

ballots as (
    select
        task,
        fired,
        silent,
        unnest(string_split(fired, ' ')) as signal,
        true as has_fired
    from patterns
    union all
    select
        task,
        fired,
        silent,
        unnest(string_split(silent, ' ')) as signal,
        false as has_fired
    from patterns
),

tasks as (
    select
        task,
        any_value(ln(prevalence / (1 - prevalence))) as prior,
        any_value(coalesce(slope, 1)) as slope,
        any_value(coalesce(intercept, 0)) as intercept
    from weights
    group by task
),

-- no model of the task, or none that knows what fired: no odds
judged as (
    select
        ballots.task,
        ballots.fired,
        ballots.silent,
        any_value(tasks.slope) as slope,
        any_value(tasks.intercept) + any_value(tasks.slope) * (
            any_value(tasks.prior)
            + coalesce(sum(if(ballots.has_fired, weights.log_odds_fired, weights.log_odds_silent)), 0)
        ) as log_odds
    from ballots
    inner join tasks on ballots.task is not distinct from tasks.task
    left join weights on ballots.task is not distinct from weights.task and ballots.signal = weights.signal
    group by ballots.task, ballots.fired, ballots.silent
    having count(weights.signal) filter (ballots.has_fired) > 0
),

-- what fired more strongly than it usually does counts more
graded as (
    select
        signals.trace_id,
        sum(
            weights.log_odds_fired
            * (least(greatest(coalesce(signals.strength / nullif(weights.mean_strength, 0), 1), 0.5), 1.5) - 1)
        ) as log_odds
    from signals
    inner join votes on signals.trace_id = votes.trace_id
    inner join weights on votes.task is not distinct from weights.task and signals.signal = weights.signal
    group by signals.trace_id
),

told as (
    select
        day,
        trace_id,
        max(strength) as strongest,
        list_sort(list(signal)) as signals,
        string_agg(left(evidence, 120), '; ' order by strength desc, signal) filter (
            about in ('answer', 'call')
        ) as seen,
        string_agg(left(evidence, 120), '; ' order by strength desc, signal) as said,
        list(
            struct_pack(signal := signal, about := about, strength := strength, evidence := evidence)
            order by strength desc, signal
        ) as evidence
    from signals
    group by day, trace_id
),

failing as (
    select
        told.day,
        told.trace_id,
        coalesce(
            1 / (1 + exp(-judged.log_odds - judged.slope * coalesce(graded.log_odds, 0))), told.strongest
        ) as p_failure,
        told.signals,
        judged.log_odds is not null as estimated,
        -- what can be seen to be wrong says more than that somebody was unhappy
        concat_ws(
            ' | ', left(coalesce(told.seen, told.said), 300), left(traces.output, 80), left(traces.query, 160)
        ) as note,
        told.evidence::json as evidence
    from told
    inner join traces on told.trace_id = traces.trace_id
    left join votes on told.trace_id = votes.trace_id
    left join judged
        on
            votes.task is not distinct from judged.task
            and votes.fired = judged.fired
            and votes.silent = judged.silent
    left join graded on told.trace_id = graded.trace_id
)

select * from failing;
