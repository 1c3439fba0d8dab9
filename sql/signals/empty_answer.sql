-- empty_answer: the call succeeded and the answer says nothing
-- about: answer
-- applies: error is null
-- prior: fires on 3% of failures, 0.01% of the rest, firm
select
    trace_id,
    1.0 as strength,
    'answer is empty' as evidence
from traces
where
    error is null
    and regexp_full_match(coalesce(output, ''), '[\s"''{}\[\]]*|(?i:null|none|n/a|undefined)')
    and coalesce(json_array_length(tool_calls), 0) = 0
    and coalesce(finish_reason, '') not in ('tool_calls', 'tool_use', 'function_call', 'content_filter')
    -- an empty list or object is a fine answer where JSON was asked for
    and (requested_schema is null or coalesce(trim(output), '') = '')
