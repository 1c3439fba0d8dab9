-- tool_error: a tool that the model called failed
-- about: call
-- applies: tool_calls is not null
-- prior: fires on 25% of failures, 8% of the rest
with
calls as (
    select
        trace_id,
        unnest(
            from_json(
                tool_calls, '[{"name": "VARCHAR", "function": {"name": "VARCHAR"}, "result": "JSON", "error": "JSON"}]'
            )
        ) as call
    from traces
    where tool_calls is not null
),

answered as (
    select
        trace_id,
        coalesce(call.name, call.function.name, 'a tool') as tool,
        nullif(call.error::varchar, 'null') as error,
        left(call.result::varchar, 200) as result
    from calls
),

judged as (
    select
        trace_id,
        tool,
        coalesce(error, result) as said,
        error is not null
        or regexp_matches(lower(result), '^["{\s]*(error|exception|traceback|failed|failure|invalid)\b') as has_failed
    from answered
)

select
    trace_id,
    -- one failure among many calls is often repaired by the next
    0.4 + 0.6 * avg(coalesce(has_failed, false)::int) as strength,
    any_value(tool || ' failed: ' || trim(left(said, 90), '"')) filter (has_failed) as evidence
from judged
group by trace_id
having bool_or(has_failed)
