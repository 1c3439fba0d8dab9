-- truncation: the answer was cut off at the limit of tokens
-- about: call
-- applies: finish_reason is not null
-- prior: fires on 3% of failures, 0.1% of the rest
select
    trace_id,
    0.9 as strength,
    'answer was cut off at the token limit: ' || right(coalesce(output, ''), 40) as evidence
from traces
where lower(finish_reason) in ('length', 'max_tokens', 'max_output_tokens', 'incomplete', 'model_length')
