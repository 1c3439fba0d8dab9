-- openai: chat completion request/response records, one a line; feedback inside the record where there is any
with
records as (
    select
        source_line,
        byte_offset,
        record::json as record
    from log_lines
),

calls as (
    select
        source_line,
        byte_offset,
        record,
        record -> '$.response.choices[0]' as choice,
        nullif(record ->> '$.response.id', '') as response_id,
        coalesce(json_type(record -> '$.response'), 'NULL') = 'OBJECT' as has_response,
        coalesce(
            try_cast(record ->> '$.timestamp' as double), try_cast(record ->> '$.response.created' as double)
        ) as epoch,
        coalesce(
            try_cast(record ->> '$.timestamp' as timestamptz),
            -- seconds reach 1e11 in the year 5138: what is more counts milliseconds, what is more yet is no time
            to_timestamp(case when abs(epoch) <= 1e11 then epoch when abs(epoch) <= 1e14 then epoch / 1000 end)
        ) as started_at,
        list_sum(
            from_json(json_extract(record, '$.response.choices[0].logprobs.content[*].logprob')::json, '["DOUBLE"]')
        ) as log_probability,
        try_cast(record ->> '$.latency_ms' as double) as latency_ms,
        try_cast(record ->> '$.cost_usd' as double) as cost_usd
    from records
)

select
    source_line,
    byte_offset,
    md5(coalesce(response_id, record ->> '$.request_id', record::varchar)) as trace_id,
    response_id,
    coalesce(
        record ->> '$.conversation_id', response_id, record ->> '$.request_id', md5(record::varchar)
    ) as conversation_id,
    started_at,
    coalesce(record ->> '$.client_id', 'unknown') as app,
    coalesce(record ->> '$.workload_id', 'default') as task,
    coalesce(record ->> '$.response.model', record ->> '$.request.model') as model,
    record -> '$.request.messages' as input,
    choice ->> '$.message.content' as output,
    record -> '$.request.response_format.json_schema.schema' as requested_schema,
    choice ->> '$.finish_reason' as finish_reason,
    coalesce(
        record ->> '$.error.type',
        record ->> '$.response.error.type',
        record ->> '$.error.message',
        if(json_type(record -> '$.error') = 'VARCHAR', nullif(record ->> '$.error', ''), null),
        if(has_response, null, 'unknown')
    ) as error,
    -- a positive log-probability, an infinite latency, a negative price: not measured
    if(log_probability <= 0, exp(log_probability), null) as confidence,
    if(isfinite(latency_ms) and latency_ms >= 0, latency_ms, null) as latency_ms,
    try_cast(record ->> '$.response.usage.prompt_tokens' as bigint) as input_tokens,
    try_cast(record ->> '$.response.usage.completion_tokens' as bigint) as output_tokens,
    if(isfinite(cost_usd) and cost_usd >= 0, cost_usd, null) as cost_usd,
    record -> '$.request.tools' as tools,
    choice -> '$.message.tool_calls' as tool_calls,
    null::json as documents,
    list_filter(
        [response_id, record ->> '$.request_id'], lambda alias: alias is not null
    ) as aliases,
    coalesce(record ->> '$.user', record ->> '$.request.user') as actor,
    record -> '$.feedback' as feedback,
    case
        when coalesce(json_type(record -> '$.request.messages'), 'NULL') != 'ARRAY' then 'missing_content'
        when list_distinct(json_type(record, '$.request.messages[*]')) not in ([], ['OBJECT']) then 'missing_content'
        when started_at is null then 'missing_timestamp'
        when started_at > $now::timestamptz + interval 1 day then 'clock_in_the_future'
        -- a clock that was never set starts in 1970
        when started_at < timestamptz '2000-01-01 00:00:00+00' then 'clock_in_the_past'
        when not has_response and coalesce(record ->> '$.error', 'false') = 'false' then 'missing_content'
    end as problem
from calls
