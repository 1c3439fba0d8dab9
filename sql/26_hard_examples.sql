-- hard_examples: one row per distinct problem chosen for correction, and per random trace chosen for audit
-- key: example_id
create table hard_examples (
    day date,
    run_id varchar,
    example_id varchar,
    trace_id varchar,
    mode_id varchar,
    purpose varchar, -- hard: to learn from; audit: a random trace, only ever measured with
    hardness double, -- 0-1: how surely it failed and how unsure the model was
    novelty double, -- 0-1: 1 = first failure of its mode
    represents bigint, -- near-duplicates it stands for
    rank bigint -- 1 = most worth correcting
);

with
-- what was drawn stays drawn: people may have answered it, and an audit must never become something to learn from
kept as (
    select * exclude (run_id) from held_hard_examples
),

taken as (
    select trace_id from past_hard_examples
    union
    select trace_id from kept
),

room as (
    select
        $audit_count - count(*) filter (where purpose = 'audit') as audits,
        $budget - count(*) filter (where purpose = 'hard') as hard,
        coalesce(max(rank) filter (where purpose = 'audit'), 0) as last_audit,
        coalesce(max(rank) filter (where purpose = 'hard'), 0) as last_hard
    from kept
),

audited as (
    select
        traces.day,
        traces.trace_id,
        mode_members.mode_id,
        'audit' as purpose,
        coalesce(failures.p_failure, 0) as hardness,
        0 as novelty,
        1 as represents,
        row_number() over (order by md5(traces.trace_id || 'audit')) as place,
        room.last_audit as last_rank
    from traces
    cross join room
    left join failures on traces.trace_id = failures.trace_id
    left join mode_members on traces.trace_id = mode_members.trace_id
    where traces.trace_id not in (select taken.trace_id from taken)
    qualify place <= any_value(room.audits) over ()
),

-- a trace drawn for audit is only measured with, even when it is hard: anchors never become training data
problems as (
    select
        failures.day,
        failures.trace_id,
        mode_members.mode_id,
        failures.p_failure,
        coalesce(traces.confidence, 0.5) as confidence,
        duplicates.group_size as represents,
        1.0 / (1 + coalesce(failure_modes.total_size - failure_modes.size, 0)) as novelty
    from failures
    inner join duplicates on failures.trace_id = duplicates.trace_id
    inner join mode_members on failures.trace_id = mode_members.trace_id
    inner join failure_modes on mode_members.mode_id = failure_modes.mode_id
    inner join traces on failures.trace_id = traces.trace_id
    where
        duplicates.is_representative
        and failures.trace_id not in (select taken.trace_id from taken)
        and failures.trace_id not in (select audited.trace_id from audited)
),

-- a failure the model was sure of and one it guessed both teach; p_failure counts most because a correction of
-- something that did not fail is money lost
scored as (
    select
        *,
        least(1, 0.7 * p_failure + 0.3 * (1 - confidence)) as hardness
    from problems
),

-- within a mode each further example teaches less, so the budget goes round the modes
spread as (
    select
        *,
        hardness * (1 + 0.2 * novelty) * (1 + 0.1 * ln(represents))
        / sqrt(row_number() over (partition by mode_id order by hardness desc, trace_id)) as worth
    from scored
),

hard as (
    select
        spread.day,
        spread.trace_id,
        spread.mode_id,
        'hard' as purpose,
        spread.hardness,
        spread.novelty,
        spread.represents,
        row_number() over (order by spread.worth desc, spread.trace_id) as place,
        room.last_hard as last_rank
    from spread
    cross join room
    qualify place <= any_value(room.hard) over ()
),

chosen as (
    select * from audited
    union all by name
    select * from hard
),

examples as (
    select * from kept
    union all by name
    select
        day,
        md5(trace_id || purpose) as example_id,
        trace_id,
        mode_id,
        purpose,
        hardness,
        novelty,
        represents,
        last_rank + place as rank
    from chosen
)

select * from examples;
