-- failures_by_mode: how many failures of each mode there were each day, what was chosen and corrected of them since
with
chosen as (
    select
        hard_examples.day,
        hard_examples.mode_id,
        count(*) as hard_example_count,
        count(corrections.correction_id) as correction_count
    from hard_examples
    left join corrections on hard_examples.example_id = corrections.example_id
    group by all
),

counted as (
    select
        failure_modes.day,
        failure_modes.mode_id,
        failure_modes.name,
        failure_modes.size,
        failure_modes.total_size,
        failure_modes.trend,
        failure_modes.status,
        failure_modes.rank,
        failure_modes.prevalence,
        failure_modes.prevalence_low,
        failure_modes.prevalence_high,
        coalesce(chosen.hard_example_count, 0) as hard_example_count,
        coalesce(chosen.correction_count, 0) as correction_count
    from failure_modes
    left join chosen on failure_modes.day = chosen.day and failure_modes.mode_id = chosen.mode_id
)

select * from counted
