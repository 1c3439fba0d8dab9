-- thumbs_down: the user rejected the answer
-- about: user
-- prior: fires on 15% of failures, 0.7% of the rest
select
    trace_id,
    1.0 as strength,
    'user gave a thumbs down' as evidence
from feedback
where kind = 'thumb' and value < 0
