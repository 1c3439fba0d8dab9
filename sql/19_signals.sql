-- signals: one row per trace and signal that fired
-- key: trace_id, signal
create table signals (
    day date,
    run_id varchar,
    trace_id varchar,
    signal varchar, -- file stem under sql/signals/
    about varchar, -- what the evidence speaks of: answer, call, score or user
    strength double, -- 0-1
    evidence varchar
);

with
fired as (
    select
        traces.day,
        fired_signal.trace_id,
        fired_signal.signal,
        fired_signal.about,
        least(greatest(max(fired_signal.strength), 0), 1) as strength,
        max(fired_signal.evidence) as evidence
    from every_signal as fired_signal
    inner join traces on fired_signal.trace_id = traces.trace_id
    group by all
)

select * from fired;
