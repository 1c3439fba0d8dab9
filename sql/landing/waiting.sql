-- waiting: the feedback that names a call nobody has seen yet
select
    feedback_id,
    target_id as target,
    occurred_at
from lake.raw_feedback
where trace_id is null
