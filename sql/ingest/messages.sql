-- messages: conversations whose last answer is the right one, as for fine-tuning or as examples in a prompt
with
records as (
    select
        source_line,
        byte_offset,
        record::json as record
    from log_lines
),

conversations as (
    select
        source_line,
        byte_offset,
        record,
        memory.main.messages_of(coalesce(record -> '$.messages', record -> '$.messages_display')) as messages,
        coalesce(
            memory.main.time_of(coalesce(record ->> '$.timestamp', record ->> '$.created_at')),
            $undated_at::timestamptz
        ) as started_at,
        coalesce(record ->> '$.id', md5(record::varchar)) as given_id
    from records
),

placed as (
    select
        *,
        memory.main.last_answer_place(messages) as answer_place,
        if(answer_place = 0, null, json_extract_string(messages, '$[' || (answer_place - 1) || '].content')) as answer
    from conversations
)

select
    source_line,
    byte_offset,
    md5(given_id) as trace_id,
    null::varchar as response_id,
    given_id as conversation_id,
    started_at,
    coalesce(record ->> '$.app', 'examples') as app,
    coalesce(record ->> '$.task', 'default') as task,
    record ->> '$.model' as model,
    memory.main.messages_before(messages, answer_place) as input,
    answer as output,
    record -> '$.response_format.json_schema.schema' as requested_schema,
    null::varchar as finish_reason,
    null::varchar as error,
    null::double as confidence,
    null::double as latency_ms,
    null::bigint as input_tokens,
    null::bigint as output_tokens,
    null::double as cost_usd,
    memory.main.tools_of(record -> '$.tools') as tools,
    memory.main.calls_with_results(messages) as tool_calls,
    null::json as documents,
    [given_id] as aliases,
    record ->> '$.user' as actor,
    json_array(json_object('kind', 'demonstration', 'text', answer)) as feedback,
    case
        when coalesce(json_array_length(messages), 0) = 0 or answer_place = 0 then 'missing_content'
        else memory.main.time_problem(started_at, $now::timestamptz)
    end as problem
from placed
