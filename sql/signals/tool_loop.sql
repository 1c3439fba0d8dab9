-- tool_loop: the model called the same tool with the same arguments three times
-- about: call
-- applies: tool_calls is not null
-- prior: fires on 8% of failures, 1% of the rest
with
calls as (
    select
        trace_id,
        conversation_id,
        started_at,
        unnest(
            from_json(
                tool_calls,
                '[{"name": "VARCHAR", "arguments": "JSON", "function": {"name": "VARCHAR", "arguments": "JSON"}}]'
            )
        ) as call
    from traces
    where tool_calls is not null
),

counted as (
    select
        coalesce(conversation_id, trace_id) as conversation,
        coalesce(call.name, call.function.name) as tool,
        hash(coalesce(call.arguments::varchar, call.function.arguments::varchar)) as arguments,
        count(*) as call_count,
        coalesce(arg_max(trace_id, started_at), max(trace_id)) as last_trace_id
    from calls
    group by all
    having count(*) >= 3
)

select
    last_trace_id as trace_id,
    1 - 1 / max(call_count) as strength,
    arg_max(tool, call_count) || ' was called ' || max(call_count) || ' times with the same arguments' as evidence
from counted
where tool is not null
group by last_trace_id
