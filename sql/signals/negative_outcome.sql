-- negative_outcome: the task the call served did not succeed
-- about: score
select
    trace_id,
    0.9 as strength,
    'outcome: ' || coalesce(text, 'task failed') as evidence
from feedback
where kind = 'outcome' and value < 0.5
