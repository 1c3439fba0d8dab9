-- failed_call: the call ended in an error or ran out of time
-- about: call
-- prior: fires on 5% of failures, 0.01% of the rest, firm
select
    trace_id,
    1.0 as strength,
    'call failed: ' || left(error, 100) as evidence
from traces
where error is not null
