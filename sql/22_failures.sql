-- failures: one row per trace in which at least one signal fired
-- key: trace_id
create table failures (
    day date,
    run_id varchar,
    trace_id varchar,
    p_failure double, -- posterior of the label model
    signals varchar[],
    estimated boolean, -- false: no label model yet, p_failure is the strongest signal's strength
    note varchar -- what went wrong, in words; what failure modes are clustered on
);

with
fired as (
    select
        signals.*,
        traces.task
    from signals
    inner join traces on signals.trace_id = traces.trace_id
),

weights as (
    select * from signal_weights
),

silent as (
    select
        task,
        sum(log_odds_silent) as log_odds,
        any_value(ln(prevalence / (1 - prevalence))) as prior
    from weights
    group by task
),

scored as (
    select
        fired.day,
        fired.trace_id,
        any_value(silent.prior + silent.log_odds)
        + sum(weights.log_odds_fired - weights.log_odds_silent) as log_odds,
        max(fired.strength) as strongest,
        list_sort(list(fired.signal)) as signals,
        -- what a machine can see went wrong says more than that a user was unhappy
        string_agg(fired.evidence, '; ' order by fired.signal) filter (
            fired.signal in ('failed_call', 'invalid_structure', 'refusal', 'verifier_failed')
        ) as evidence
    from fired
    left join silent on fired.task = silent.task
    left join weights on fired.task = weights.task and fired.signal = weights.signal
    group by fired.day, fired.trace_id
),

failing as (
    select
        scored.day,
        scored.trace_id,
        coalesce(1 / (1 + exp(-scored.log_odds)), scored.strongest) as p_failure,
        scored.signals,
        scored.log_odds is not null as estimated,
        concat_ws(' | ', left(scored.evidence, 200), left(traces.output, 80), left(traces.query, 500)) as note
    from scored
    inner join traces on scored.trace_id = traces.trace_id
)

select * from failing;
