-- content_filter: the provider's filter stopped the answer
-- about: call
-- applies: finish_reason is not null
-- prior: fires on 2% of failures, 0.1% of the rest
select
    trace_id,
    0.9 as strength,
    'the provider filtered the answer: ' || finish_reason as evidence
from traces
where
    lower(finish_reason) in (
        'content_filter', 'content_filtered', 'safety', 'recitation', 'blocklist', 'prohibited_content', 'spii',
        'guardrail_intervened', 'refusal', 'error_toxic'
    )
