-- thumbs_down: the user rejected the answer
select
    trace_id,
    1.0 as strength,
    'user gave a thumbs down' as evidence
from feedback
where kind = 'thumb' and value < 0
