-- failed_call: the call ended in an error, ran out of time or was cut off
-- about: call
select
    trace_id,
    1.0 as strength,
    case
        when error is not null then 'call failed: ' || error
        else 'answer ended early: ' || finish_reason
    end as evidence
from traces
where error is not null or finish_reason in ('length', 'content_filter')
