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
        record ->> '$.response.id' as response_id,
        coalesce(
            try_cast(record ->> '$.timestamp' as timestamptz),
            to_timestamp(try_cast(record ->> '$.timestamp' as double)),
            to_timestamp(try_cast(record ->> '$.response.created' as double))
        ) as started_at
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
        record ->> '$.error.type', record ->> '$.response.error.type', record ->> '$.error.message'
    ) as error,
    exp(
        list_sum(from_json(json_extract(choice, '$.logprobs.content[*].logprob')::json, '["DOUBLE"]'))
    ) as confidence,
    try_cast(record ->> '$.latency_ms' as double) as latency_ms,
    try_cast(record ->> '$.response.usage.prompt_tokens' as bigint) as input_tokens,
    try_cast(record ->> '$.response.usage.completion_tokens' as bigint) as output_tokens,
    try_cast(record ->> '$.cost_usd' as double) as cost_usd,
    coalesce(record ->> '$.user', record ->> '$.request.user') as actor,
    record -> '$.feedback' as feedback,
    case
        when coalesce(json_type(record -> '$.request.messages'), 'NULL') != 'ARRAY' then 'missing_content'
        when started_at is null then 'missing_timestamp'
        when started_at > $now::timestamptz + interval 1 day then 'clock_in_the_future'
        when
            coalesce(json_type(record -> '$.response'), 'NULL') = 'NULL'
            and coalesce(json_type(record -> '$.error'), 'NULL') = 'NULL'
            then 'missing_content'
    end as problem
from calls
