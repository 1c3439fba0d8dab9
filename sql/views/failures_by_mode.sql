-- failures_by_mode: how many failures of each mode there were each day, and what was corrected of them
select
    failure_modes.day,
    failure_modes.mode_id,
    failure_modes.name,
    failure_modes.size,
    failure_modes.trend,
    failure_modes.status,
    count(corrections.correction_id) as correction_count
from failure_modes
left join corrections on failure_modes.mode_id = corrections.mode_id and failure_modes.day = corrections.day
group by all
