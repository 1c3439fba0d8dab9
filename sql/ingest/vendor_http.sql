-- vendor_http: recorded requests to model endpoints of any vendor, and their responses, whole or as streams of events
with
records as (
    select
        source_line,
        byte_offset,
        record::json as record
    from log_lines
),

addressed as (
    select
        source_line,
        byte_offset,
        record,
        coalesce(record ->> '$.uri', record ->> '$.url', '') as uri,
        regexp_extract(uri, '^[a-z]+://([^/:]+)', 1) as host,
        regexp_replace(uri, '[?#].*$', '') as path,
        memory.main.unwrapped(record -> '$.request') as request,
        memory.main.unwrapped(record -> '$.response') as response,
        try_cast(record ->> '$.status' as integer) as status
    from records
),

-- a stream's events, whether they come as `data: {...}` or one a line
streamed as (
    select
        *,
        if(json_type(response) = 'VARCHAR', from_json(
            to_json(list_transform(
                regexp_extract_all(response ->> '$', '(?m)^(?:data: ?)?(\{.*\})\s*$', 1),
                lambda event: try_cast(event as json)
            )),
            '[{
                "id": "VARCHAR", "type": "VARCHAR", "model": "VARCHAR", "created": "DOUBLE", "created_at": "VARCHAR",
                "text": "VARCHAR", "index": "BIGINT", "error": "JSON", "usage": "JSON", "done_reason": "VARCHAR",
                "choices": "JSON", "delta": "JSON", "message": "JSON", "content_block": "JSON", "response": "JSON"
            }]'
        ), null) as events
    from addressed
),

pieces as (
    select
        *,
        -- what ends a stream may hold all of the answer
        list_filter(events, lambda event: coalesce(json_type(event.response), '') = 'OBJECT')[-1].response as whole,
        list_transform(events, lambda event: {
            'text': coalesce(
                if(event.choices is null, null, coalesce(
                    nullif(memory.main.text_of(json_extract(event.choices, '$[0].delta.content')), ''),
                    json_extract_string(event.choices, '$[0].text')
                )),
                json_extract_string(event.delta, '$.text'),
                json_extract_string(event.delta, '$.message.content.text'),
                json_extract_string(event.content_block, '$.text'),
                if(
                    json_type(event.message, '$.content') = 'VARCHAR',
                    json_extract_string(event.message, '$.content'),
                    null
                ),
                if(json_type(event.response) = 'VARCHAR', event.response ->> '$', null),
                event.text
            ),
            'calls': coalesce(
                from_json(coalesce(
                    json_extract(event.choices, '$[0].delta.tool_calls'),
                    json_array(json_extract(event.delta, '$.message.tool_calls'))
                ), '[{"index": "BIGINT", "id": "VARCHAR", "function": {"name": "VARCHAR", "arguments": "VARCHAR"}}]'),
                []
            ),
            'place': event.index,
            'block': event.content_block,
            'json': json_extract_string(event.delta, '$.partial_json'),
            'finish': coalesce(
                json_extract_string(event.choices, '$[0].finish_reason'),
                json_extract_string(event.delta, '$.stop_reason'), json_extract_string(event.delta, '$.finish_reason'),
                event.done_reason
            ),
            'usage': coalesce(
                event.usage, json_extract(event.delta, '$.usage'), json_extract(event.message, '$.usage')
            )
        }) as bits
    from streamed
),

-- parts of tool calls, with the place that says which call each belongs to
fragments as (
    select
        *,
        list_filter(
            list_concat(
                flatten(list_transform(bits, lambda bit: list_transform(bit.calls, lambda one: {
                    'place': coalesce(one.index, bit.place, 0), 'id': one.id, 'name': one.function.name,
                    'arguments': one.function.arguments
                }))),
                list_transform(bits, lambda bit: {
                    'place': bit.place,
                    'id': if(json_extract_string(bit.block, '$.type') = 'tool_use', bit.block ->> '$.id', null),
                    'name': if(json_extract_string(bit.block, '$.type') = 'tool_use', bit.block ->> '$.name', null),
                    'arguments': bit.json
                })
            ),
            lambda one: coalesce(one.id, one.name, one.arguments) is not null
        ) as call_parts
    from pieces
),

whole_answers as (
    select
        *,
        case
            when events is null then response
            when whole is not null then whole
            when len(events) = 0 then null
            else json_object(
                'id', coalesce(
                    list_filter(events, lambda event: event.id is not null)[1].id,
                    list_filter(events, lambda event: json_extract_string(event.message, '$.id') is not null)[1].message
                    ->> '$.id'
                ),
                'model', coalesce(
                    list_filter(events, lambda event: event.model is not null)[1].model,
                    list_filter(events, lambda event: json_extract_string(event.message, '$.model') is not null)[
                        1
                    ].message
                    ->> '$.model'
                ),
                'created', list_filter(events, lambda event: event.created is not null)[1].created,
                'created_at', list_filter(events, lambda event: event.created_at is not null)[1].created_at,
                'error', list_filter(events, lambda event: event.error is not null)[1].error,
                'finish_reason', list_filter(bits, lambda bit: bit.finish is not null)[-1].finish,
                'usage', list_filter(bits, lambda bit: bit.usage is not null)[-1].usage,
                'message', json_object(
                    'role', 'assistant',
                    'content', array_to_string(list_transform(bits, lambda bit: bit.text), ''),
                    'tool_calls', list_transform(
                        list_sort(list_distinct(list_transform(
                            list_filter(call_parts, lambda one: one.name is not null), lambda one: one.place
                        ))),
                        lambda place: json_object(
                            'id', list_filter(call_parts, lambda one: one.place = place and one.id is not null)[1].id,
                            'name', list_filter(
                                call_parts, lambda one: one.place = place and one.name is not null
                            )[1].name,
                            'arguments', array_to_string(list_transform(
                                list_filter(call_parts, lambda one: one.place = place), lambda one: one.arguments
                            ), '')
                        )
                    )
                )
            )
        end as answer
    from fragments
),

told as (
    select
        *,
        nullif(coalesce(
            answer ->> '$.id', answer ->> '$.response_id', answer ->> '$.responseId',
            record ->> '$.response_headers."x-amzn-requestid"'
        ), '') as response_id,
        memory.main.request_messages(request) as messages,
        memory.main.answer_messages(answer) as answers,
        coalesce(
            memory.main.time_of(coalesce(answer ->> '$.created', answer ->> '$.created_at', answer ->> '$.createTime')),
            try_strptime(record ->> '$.response_headers.date', '%a, %d %b %Y %H:%M:%S GMT')::timestamptz,
            memory.main.time_of(record ->> '$.timestamp'),
            $undated_at::timestamptz
        ) as started_at,
        coalesce(answer -> '$.usage', answer -> '$.usageMetadata', answer -> '$.meta') as usage,
        coalesce(status >= 400, false)
        or coalesce(json_type(answer, '$.error'), 'NULL') not in ('NULL', 'BOOLEAN') as is_error,
        coalesce(json_extract(answer, '$._binary_bytes') is not null, false) as is_binary
    from whole_answers
)

select
    source_line,
    byte_offset,
    md5(coalesce(response_id, record::varchar)) as trace_id,
    response_id,
    coalesce(
        answer ->> '$.conversation.id', request ->> '$.conversation_id', response_id, md5(record::varchar)
    ) as conversation_id,
    started_at,
    coalesce(record ->> '$.repo', record ->> '$.app', 'vendor_http') as app,
    coalesce(record ->> '$.task', nullif(host, ''), 'default') as task,
    coalesce(
        answer ->> '$.model', answer ->> '$.modelVersion', request ->> '$.model',
        nullif(regexp_extract(path, '/(?:models?|deployments)/([^/:]+)', 1), '')
    ) as model,
    messages as input,
    if(is_error or is_binary, null, if(answers is null, null, coalesce(
        memory.main.spoken_text(answers), ''
    ))) as output,
    coalesce(
        request -> '$.response_format.json_schema.schema', request -> '$.text.format.schema',
        request -> '$.generationConfig.responseJsonSchema', request -> '$.generationConfig.responseSchema',
        request -> '$.output_config.format.schema', request -> '$.output_format.schema',
        if(json_type(request, '$.format') = 'OBJECT', request -> '$.format', null)
    ) as requested_schema,
    coalesce(
        answer ->> '$.choices[0].finish_reason', answer ->> '$.stop_reason', answer ->> '$.stopReason',
        answer ->> '$.candidates[0].finishReason', answer ->> '$.finish_reason', answer ->> '$.done_reason',
        answer ->> '$.incomplete_details.reason', answer ->> '$.status'
    ) as finish_reason,
    if(is_error, coalesce(
        answer ->> '$.error.type', answer ->> '$.error.code', answer ->> '$.error.message', answer ->> '$.message',
        'http_' || status
    ), null) as error,
    null::double as confidence,
    try_cast(record ->> '$.response_headers."openai-processing-ms"' as double) as latency_ms,
    try_cast(coalesce(
        usage ->> '$.prompt_tokens', usage ->> '$.input_tokens', usage ->> '$.inputTokens',
        usage ->> '$.promptTokenCount', usage ->> '$.billed_units.input_tokens', answer ->> '$.prompt_eval_count'
    ) as bigint) as input_tokens,
    try_cast(coalesce(
        usage ->> '$.completion_tokens', usage ->> '$.output_tokens', usage ->> '$.outputTokens',
        usage ->> '$.candidatesTokenCount', usage ->> '$.billed_units.output_tokens', answer ->> '$.eval_count'
    ) as bigint) as output_tokens,
    null::double as cost_usd,
    memory.main.tools_of(coalesce(
        request -> '$.tools[0].functionDeclarations', request -> '$.tools[0].function_declarations',
        request -> '$.toolConfig.tools', request -> '$.tools'
    )) as tools,
    memory.main.asked_calls(answers) as tool_calls,
    if(json_type(request, '$.documents') = 'ARRAY', to_json(list_transform(
        from_json(request -> '$.documents', '["JSON"]'),
        lambda one: json_object(
            'id', json_extract_string(one, '$.id'),
            'content', coalesce(
                json_extract_string(one, '$.data.text'), json_extract_string(one, '$.text'),
                json_extract_string(one, '$.snippet'), one ->> '$'
            ),
            'score', null
        )
    )), null) as documents,
    list_filter([response_id, record ->> '$.response_headers."x-request-id"'], lambda alias: alias is not null)
        as aliases,
    coalesce(request ->> '$.user', request ->> '$.metadata.user_id') as actor,
    null::json as feedback,
    case
        when
            not regexp_matches(
                path, '(/completions|/complete|/messages|/responses|/chat|/generate|/converse|/converse-stream|'
                || '/invoke|/invoke-with-response-stream|[gG]enerateContent|/predict)$'
            )
            or regexp_matches(path, '/threads/')
            then 'not_a_call'
        when messages is null then 'missing_content'
        when not is_error and (is_binary or coalesce(answer, answers) is null) then 'missing_content'
        else memory.main.time_problem(started_at, $now::timestamptz)
    end as problem
from told
