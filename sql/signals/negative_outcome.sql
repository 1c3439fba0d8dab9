-- negative_outcome: the task the call served did not succeed
-- about: score
-- applies: trace_id in (select feedback.trace_id from feedback where feedback.kind = 'outcome')
-- prior: fires on 95% of failures, 2% of the rest, firm
select
    trace_id,
    0.9 as strength,
    'outcome: ' || coalesce(text, 'task failed') as evidence
from feedback
where kind = 'outcome' and value < 0.5
