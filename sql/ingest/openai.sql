-- openai: chat completion request/response records, one a line; feedback inside the record where there is any
with
records as (
    select
        source_line,
        byte_offset,
        record,
        -- all that is read of a record, in one pass; what has another type than here is null
        from_json(record, '{
            "timestamp": "VARCHAR", "workload_id": "VARCHAR", "client_id": "VARCHAR", "request_id": "VARCHAR",
            "conversation_id": "VARCHAR", "user": "VARCHAR", "latency_ms": "VARCHAR", "cost_usd": "VARCHAR",
            "request": {
                "model": "VARCHAR", "user": "VARCHAR",
                "messages": [{
                    "role": "VARCHAR", "content": "JSON", "name": "VARCHAR", "tool_calls": "JSON",
                    "tool_call_id": "VARCHAR"
                }],
                "tools": [{"function": {"name": "VARCHAR", "description": "VARCHAR", "parameters": "JSON"}}],
                "response_format": {"json_schema": {"schema": "JSON"}}
            },
            "response": {
                "id": "VARCHAR", "model": "VARCHAR", "created": "VARCHAR",
                "choices": [{
                    "message": {
                        "content": "JSON",
                        "tool_calls": [{"id": "VARCHAR", "function": {"name": "VARCHAR", "arguments": "VARCHAR"}}]
                    },
                    "finish_reason": "VARCHAR",
                    "logprobs": {"content": [{"logprob": "DOUBLE"}]}
                }],
                "usage": {"prompt_tokens": "VARCHAR", "completion_tokens": "VARCHAR"},
                "error": {"type": "VARCHAR"}
            },
            "error": "JSON",
            "feedback": "JSON"
        }') as told
    from log_lines
),

calls as (
    select
        source_line,
        byte_offset,
        record,
        told,
        told.response.choices[1] as choice,
        -- a value that is no object comes out of from_json as one without anything: only then its type is looked up
        told.response is not null
        and (told.response.choices is not null or json_type(record, '$.response') = 'OBJECT') as has_response,
        len(list_filter(
            told.request.messages,
            lambda message: message.role is null and message.content is null and message.tool_calls is null
        )) > 0 as has_odd_message,
        nullif(told.response.id, '') as response_id,
        coalesce(try_cast(told.timestamp as double), try_cast(told.response.created as double)) as epoch,
        coalesce(
            try_cast(told.timestamp as timestamptz),
            -- seconds reach 1e11 in the year 5138: what is more counts milliseconds, what is more yet is no time
            to_timestamp(case when abs(epoch) <= 1e11 then epoch when abs(epoch) <= 1e14 then epoch / 1000 end)
        ) as started_at,
        list_sum(
            list_transform(told.response.choices[1].logprobs.content, lambda token: token.logprob)
        ) as log_probability,
        try_cast(told.response.usage.prompt_tokens as double) as input_tokens,
        try_cast(told.response.usage.completion_tokens as double) as output_tokens,
        try_cast(told.latency_ms as double) as latency_ms,
        try_cast(told.cost_usd as double) as cost_usd
    from records
)

select
    source_line,
    byte_offset,
    -- some servers draw ids from a thousand numbers: the same call has the same last words and answer as well
    md5(if(
        response_id is null,
        coalesce(told.request_id, record::varchar),
        concat_ws(chr(31), response_id, told.request.messages[-1].content, choice.message.content)
    )) as trace_id,
    response_id,
    coalesce(told.conversation_id, response_id, told.request_id, md5(record::varchar)) as conversation_id,
    started_at,
    coalesce(told.client_id, 'unknown') as app,
    coalesce(told.workload_id, 'default') as task,
    coalesce(told.response.model, told.request.model) as model,
    -- a content is always a text: its parts are joined by line ends, what is no text is named by its type
    ('[' || array_to_string(list_transform(told.request.messages, lambda message: concat(
        '{"role":', coalesce(to_json(message.role), 'null'),
        ',"content":', case
            when starts_with(message.content, '"') then message.content::varchar
            when coalesce(message.content, 'null') = 'null' then '""'
            when starts_with(message.content, '[')
                then to_json(array_to_string(list_transform(
                    from_json(message.content, '["JSON"]'),
                    lambda part: coalesce(part ->> '$.text', part ->> '$.type', part ->> '$')
                ), chr(10)))::varchar
            else to_json(message.content::varchar)::varchar
        end,
        ',"name":' || to_json(message.name),
        ',"tool_call_id":' || to_json(message.tool_call_id),
        ',"tool_calls":' || nullif(message.tool_calls, 'null'),
        '}'
    )), ',') || ']')::json as input,
    if(
        starts_with(choice.message.content, '['),
        array_to_string(
            list_transform(from_json(choice.message.content, '[{"text": "VARCHAR"}]'), lambda part: part.text), chr(10)
        ),
        choice.message.content ->> '$'
    ) as output,
    told.request.response_format.json_schema.schema as requested_schema,
    choice.finish_reason,
    coalesce(
        told.error ->> '$.type',
        told.response.error.type,
        told.error ->> '$.message',
        if(json_type(told.error) = 'VARCHAR', nullif(told.error ->> '$', ''), null),
        if(has_response, null, 'unknown')
    ) as error,
    -- a positive log-probability, an infinite latency, a negative price: not measured
    if(log_probability <= 0, exp(log_probability), null) as confidence,
    if(isfinite(latency_ms) and latency_ms >= 0, latency_ms, null) as latency_ms,
    -- a cast would make 2 of 1.5
    if(input_tokens = floor(input_tokens), try_cast(input_tokens as bigint), null) as input_tokens,
    if(output_tokens = floor(output_tokens), try_cast(output_tokens as bigint), null) as output_tokens,
    if(isfinite(cost_usd) and cost_usd >= 0, cost_usd, null) as cost_usd,
    to_json(list_transform(told.request.tools, lambda tool: tool.function)) as tools,
    to_json(list_transform(choice.message.tool_calls, lambda call: struct_pack(
        id := call.id,
        name := call.function.name,
        arguments := if(
            json_valid(call.function.arguments), call.function.arguments::json, to_json(call.function.arguments)
        ),
        result := null,
        error := null
    ))) as tool_calls,
    null::json as documents,
    list_filter([response_id, told.request_id], lambda alias: alias is not null) as aliases,
    coalesce(told.user, told.request.user) as actor,
    told.feedback,
    case
        when told.request.messages is null then 'missing_content'
        when has_odd_message then 'missing_content'
        when started_at is null then 'missing_timestamp'
        when started_at > $now::timestamptz + interval 1 day then 'clock_in_the_future'
        -- a clock that was never set starts in 1970
        when started_at < timestamptz '2000-01-01 00:00:00+00' then 'clock_in_the_past'
        when not has_response and coalesce(told.error ->> '$', 'false') = 'false' then 'missing_content'
    end as problem
from calls
