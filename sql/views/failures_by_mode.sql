-- failures_by_mode: how many failures of each mode there were each day, and what was corrected of them since
select
    failure_modes.day,
    failure_modes.mode_id,
    failure_modes.name,
    failure_modes.size,
    failure_modes.trend,
    failure_modes.status,
    count(corrections.correction_id) as correction_count
from failure_modes
left join hard_examples on failure_modes.mode_id = hard_examples.mode_id and failure_modes.day = hard_examples.day
left join corrections on hard_examples.example_id = corrections.example_id
group by all
