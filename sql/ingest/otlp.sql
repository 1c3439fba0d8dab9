-- otlp: spans and log records of OpenTelemetry, gen_ai or OpenInference names, as OTLP JSON or one exported span a line
-- the fields of structs bear OTLP's own names
-- noqa: disable=RF01,CP02
with recursive
texts as (
    select
        source_line,
        byte_offset,
        json(record)::varchar as record,
        json_exists(record::json, '$.resourceSpans') or json_exists(record::json, '$.resourceLogs') as is_request
    from log_lines
),

-- OTLP wraps each value in its type, {"stringValue": "x"}, and each object in a list of {"key", "value"}. They are
-- unwrapped from within: a value without brackets becomes plain, its brackets control characters, which no JSON text
-- holds as they are. A brace and a quote after it are never inside a text, so nothing in a text is touched.
nested as (
    select
        source_line,
        byte_offset,
        0 as depth,
        regexp_replace(
            regexp_replace(
                regexp_replace(
                    regexp_replace(record, '\{"(?:int|double)Value":"(-?[0-9]+)"\}', '\1', 'g'),
                    '\{"[a-z]+Value":("(?:[^"\\]|\\.)*"|[-+.0-9A-Za-z]+)\}', '\1', 'g'
                ),
                '"value":\{\}', '"value":null', 'g'
            ),
            '\{"key":("(?:[^"\\]|\\.)*")\}', '{"key":\1,"value":null}', 'g'
        ) as record
    from texts
    where is_request
    union all
    select
        source_line,
        byte_offset,
        depth + 1 as depth,
        regexp_replace(
            regexp_replace(
                regexp_replace(
                    record,
                    '\{"key":("(?:[^"\\]|\\.)*"),"value":((?:[^\[\]{}"]|"(?:[^"\\]|\\.)*")*)\}',
                    '\1:\2',
                    'g'
                ),
                '\{"kvlistValue":\{(?:"values":\[((?:[^\[\]{}"]|"(?:[^"\\]|\\.)*")*)\])?\}\}',
                chr(1) || '\1' || chr(2),
                'g'
            ),
            '\{"arrayValue":\{(?:"values":\[((?:[^\[\]{}"]|"(?:[^"\\]|\\.)*")*)\])?\}\}',
            chr(3) || '\1' || chr(4),
            'g'
        ) as record
    from nested
    -- tool arguments and schemas are nested; deeper than this is no message
    where depth < 24 and regexp_matches(record, '\{"(?:key|kvlistValue|arrayValue)":')
),

requests as (
    select
        source_line,
        byte_offset,
        translate(
            regexp_replace(
                record,
                '"attributes":\[((?:[^\[\]{}"]|"(?:[^"\\]|\\.)*")*)\]',
                '"attributes":' || chr(1) || '\1' || chr(2),
                'g'
            ),
            chr(1) || chr(2) || chr(3) || chr(4),
            '{}[]'
        ) as record
    from nested
    where not regexp_matches(record, '\{"(?:key|kvlistValue|arrayValue)":')
),

unpacked as materialized (
    select
        source_line,
        byte_offset,
        from_json(
            record,
            '{
                "resourceSpans": [{"resource": {"attributes": "JSON"}, "scopeSpans": [{"spans": ["JSON"]}]}],
                "resourceLogs": [{"resource": {"attributes": "JSON"}, "scopeLogs": [{"logRecords": ["JSON"]}]}]
            }'
        ) as request
    from requests
    where json_valid(record)
),

resource_spans as (
    select
        source_line,
        byte_offset,
        unnest(request.resourceSpans) as part
    from unpacked
),

scope_spans as (
    select
        source_line,
        byte_offset,
        part.resource.attributes as resource,
        unnest(part.scopeSpans) as scope
    from resource_spans
),

request_spans as (
    select
        source_line,
        byte_offset,
        resource,
        unnest(scope.spans) as text
    from scope_spans
),

typed_spans as (
    select
        source_line,
        byte_offset,
        resource,
        from_json(
            text,
            '{
                "traceId": "VARCHAR", "spanId": "VARCHAR", "parentSpanId": "VARCHAR", "name": "VARCHAR",
                "startTimeUnixNano": "BIGINT", "endTimeUnixNano": "BIGINT", "attributes": "JSON",
                "events": [{"name": "VARCHAR", "attributes": "JSON"}],
                "links": [{"traceId": "VARCHAR", "spanId": "VARCHAR"}],
                "status": {"code": "VARCHAR", "message": "VARCHAR"}
            }'
        ) as span
    from request_spans
),

resource_logs as (
    select
        source_line,
        byte_offset,
        unnest(request.resourceLogs) as part
    from unpacked
),

scope_logs as (
    select
        source_line,
        byte_offset,
        part.resource.attributes as resource,
        unnest(part.scopeLogs) as scope
    from resource_logs
),

request_logs as (
    select
        source_line,
        byte_offset,
        resource,
        unnest(scope.logRecords) as text
    from scope_logs
),

typed_logs as (
    select
        source_line,
        byte_offset,
        resource,
        from_json(
            text,
            '{
                "traceId": "VARCHAR", "spanId": "VARCHAR", "eventName": "VARCHAR", "timeUnixNano": "BIGINT",
                "observedTimeUnixNano": "BIGINT", "attributes": "JSON", "body": "JSON"
            }'
        ) as log
    from request_logs
),

logs as materialized (
    select
        source_line,
        byte_offset,
        resource,
        row_number() over () as log_number,
        nullif(lower(log.traceId), '') as otel_trace,
        nullif(lower(log.spanId), '') as span_id,
        coalesce(nullif(log.eventName, ''), log.attributes ->> '$."event.name"') as event,
        coalesce(nullif(log.timeUnixNano, 0), log.observedTimeUnixNano) as unix_nano,
        log.attributes,
        log.body
    from typed_logs
),

-- a span as the SDK prints it, or as Phoenix exports it: names in columns, flattened or nested
plain as (
    select
        source_line,
        byte_offset,
        record,
        coalesce(try(map_entries(from_json(record, '"MAP(VARCHAR,JSON)"'))), []) as fields,
        coalesce(
            record ->> '$.context.trace_id', record ->> '$."context.trace_id"', record ->> '$.trace_id'
        ) as otel_trace,
        coalesce(
            record ->> '$.context.span_id', record ->> '$."context.span_id"', record ->> '$.span_id'
        ) as span_id,
        upper(coalesce(
            record ->> '$.status.status_code', record ->> '$."status.status_code"', record ->> '$.status_code'
        )) as status,
        coalesce(record ->> '$.start_time', record ->> '$."start_time"') as start_text,
        record ->> '$.end_time' as end_text
    from texts
    where not is_request
),

plain_names as (
    select
        * exclude (fields),
        list_concat(
            list_transform(
                list_filter(fields, lambda field: starts_with(field.key, 'attributes.')),
                lambda field: struct_pack(key := field.key[12:], value := field.value)
            ),
            coalesce(
                try(map_entries(from_json(record ->> '$.attributes', '"MAP(VARCHAR,JSON)"'))), []
            )
        ) as names_1
    from plain
),

plain_names_2 as (
    select
        *,
        flatten(list_transform(
            list_filter(names_1, lambda name: json_type(name.value) = 'OBJECT'),
            lambda name: list_transform(
                map_entries(from_json(name.value, '"MAP(VARCHAR,JSON)"')),
                lambda child: struct_pack(key := name.key || '.' || child.key, value := child.value)
            )
        )) as names_2
    from plain_names
),

plain_names_3 as (
    select
        *,
        flatten(list_transform(
            list_filter(names_2, lambda name: json_type(name.value) = 'OBJECT'),
            lambda name: list_transform(
                map_entries(from_json(name.value, '"MAP(VARCHAR,JSON)"')),
                lambda child: struct_pack(key := name.key || '.' || child.key, value := child.value)
            )
        )) as names_3
    from plain_names_2
),

plain_spans as (
    select
        source_line,
        byte_offset,
        coalesce(record -> '$.resource.attributes', '{}'::json) as resource,
        replace(lower(otel_trace), '0x', '') as otel_trace,
        replace(lower(span_id), '0x', '') as span_id,
        replace(lower(coalesce(record ->> '$.parent_id', record ->> '$.parent_span_id')), '0x', '') as parent_id,
        coalesce(
            try_cast(start_text as timestamptz),
            -- seconds, milliseconds, microseconds or nanoseconds: as large as today's are in each
            make_timestamptz(case
                when try_cast(start_text as double) < 1e11 then (start_text::double * 1e6)::bigint
                when try_cast(start_text as double) < 1e14 then (start_text::double * 1e3)::bigint
                when try_cast(start_text as double) < 1e17 then start_text::double::bigint
                when try_cast(start_text as double) < 9e18 then (start_text::double / 1e3)::bigint
            end)
        ) as started_at,
        date_diff(
            'microsecond', try_cast(start_text as timestamptz), try_cast(end_text as timestamptz)
        ) / 1000 as latency_ms,
        status in ('ERROR', '2') or ends_with(status, 'CODE_ERROR') as is_error,
        '{' || array_to_string(list_transform(
            list_concat(
                names_1, names_2, names_3,
                [struct_pack(
                    key := 'openinference.span.kind',
                    value := coalesce(record -> '$.span_kind', 'null'::json)
                )]
            ),
            lambda name: to_json(name.key) || ':' || name.value
        ), ',') || '}' as attributes,
        try(from_json(record ->> '$.events', '[{"name": "VARCHAR", "attributes": "JSON"}]')) as events,
        list_transform(
            try(from_json(
                record ->> '$.links', '[{"context": {"trace_id": "VARCHAR", "span_id": "VARCHAR"}}]'
            )),
            lambda link: struct_pack(
                traceId := replace(lower(link.context.trace_id), '0x', ''),
                spanId := replace(lower(link.context.span_id), '0x', '')
            )
        ) as links
    from plain_names_3
    where span_id is not null
),

carried as (
    select
        otel_trace,
        span_id,
        first(attributes) as attributes
    from logs
    where event = 'gen_ai.client.inference.operation.details' and span_id is not null
    group by otel_trace, span_id
),

otlp_spans as (
    select
        source_line,
        byte_offset,
        resource,
        nullif(lower(span.traceId), '') as otel_trace,
        nullif(lower(span.spanId), '') as span_id,
        nullif(lower(span.parentSpanId), '') as parent_id,
        make_timestamptz(nullif(span.startTimeUnixNano, 0) // 1000) as started_at,
        (span.endTimeUnixNano - span.startTimeUnixNano) / 1e6 as latency_ms,
        coalesce(span.status.code in ('2', 'STATUS_CODE_ERROR'), false) as is_error,
        span.attributes::varchar as attributes,
        span.events,
        span.links
    from typed_spans
),

-- messages may come as log records of a span that is in another request: they are a call of their own
log_spans as (
    select
        min(source_line) as source_line,
        min(byte_offset) as byte_offset,
        first(resource) as resource,
        first(otel_trace) as otel_trace,
        first(span_id) as span_id,
        null::varchar as parent_id,
        make_timestamptz(nullif(min(unix_nano), 0) // 1000) as started_at,
        null::double as latency_ms,
        false as is_error,
        coalesce(
            first(attributes) filter (where event = 'gen_ai.client.inference.operation.details'),
            json_object('gen_ai.operation.name', 'chat')
        )::varchar as attributes,
        null as events,
        null as links
    from logs
    where
        regexp_matches(
            event, '^gen_ai\.((system|user|assistant|tool)\.message|choice|client\.inference\.operation\.details)$'
        )
        and not exists (
            select 1 from otlp_spans
            where otlp_spans.otel_trace = logs.otel_trace and otlp_spans.span_id = logs.span_id
        )
    group by coalesce(otel_trace || span_id, log_number::varchar)
),

all_spans as (
    select * from otlp_spans
    union all by name
    select * from log_spans
    union all by name
    select * from plain_spans
),

spans as materialized (
    select
        all_spans.* exclude (attributes),
        row_number() over () as place,
        if(
            carried.span_id is null,
            all_spans.attributes,
            json_merge_patch(carried.attributes, all_spans.attributes)::varchar
        ) as attributes
    from all_spans
    left join carried on all_spans.otel_trace = carried.otel_trace and all_spans.span_id = carried.span_id
),

named as materialized (
    select
        *,
        from_json(resource, '{"service.name": "VARCHAR", "openinference.project.name": "VARCHAR"}') as emitter,
        from_json(attributes, '{
            "gen_ai.operation.name": "VARCHAR", "gen_ai.system": "VARCHAR", "gen_ai.provider.name": "VARCHAR",
            "gen_ai.request.model": "VARCHAR", "gen_ai.response.model": "VARCHAR", "gen_ai.response.id": "VARCHAR",
            "gen_ai.response.finish_reasons": "VARCHAR", "gen_ai.conversation.id": "VARCHAR",
            "gen_ai.usage.input_tokens": "DOUBLE", "gen_ai.usage.output_tokens": "DOUBLE",
            "gen_ai.usage.prompt_tokens": "DOUBLE", "gen_ai.usage.completion_tokens": "DOUBLE",
            "gen_ai.usage.cost": "DOUBLE", "gen_ai.input.messages": "VARCHAR", "gen_ai.output.messages": "VARCHAR",
            "gen_ai.system_instructions": "VARCHAR", "gen_ai.prompt": "VARCHAR", "gen_ai.completion": "VARCHAR",
            "gen_ai.tool.definitions": "VARCHAR", "gen_ai.tool.call.id": "VARCHAR",
            "gen_ai.tool.call.result": "VARCHAR", "gen_ai.retrieval.documents": "VARCHAR",
            "gen_ai.agent.name": "VARCHAR", "gen_ai.workflow.name": "VARCHAR", "gen_ai.prompt.name": "VARCHAR",
            "gen_ai.user": "VARCHAR", "gen_ai.request.structured_output_schema": "JSON",
            "llm.request.structured_output_schema": "JSON", "error.type": "VARCHAR",
            "exception.type": "VARCHAR", "user.id": "VARCHAR", "enduser.id": "VARCHAR", "llm.user": "VARCHAR",
            "session.id": "VARCHAR", "agent.name": "VARCHAR", "traceloop.workflow.name": "VARCHAR",
            "traceloop.association.properties.session_id": "VARCHAR",
            "traceloop.association.properties.user_id": "VARCHAR", "llm.request.type": "VARCHAR",
            "openinference.span.kind": "VARCHAR", "llm.model_name": "VARCHAR", "llm.finish_reason": "VARCHAR",
            "llm.token_count.prompt": "DOUBLE", "llm.token_count.completion": "DOUBLE", "llm.cost.total": "DOUBLE",
            "llm.input_messages": "VARCHAR", "llm.output_messages": "VARCHAR", "llm.tools": "VARCHAR",
            "llm.invocation_parameters": "VARCHAR", "retrieval.documents": "VARCHAR", "tool.id": "VARCHAR",
            "tool_call.id": "VARCHAR", "input.value": "VARCHAR", "output.value": "VARCHAR",
            "annotations": "VARCHAR", "evaluations": "VARCHAR"
        }') as a
    from spans
),

calls as materialized (
    select
        place,
        source_line,
        byte_offset,
        otel_trace,
        span_id,
        parent_id,
        started_at,
        latency_ms,
        is_error,
        attributes,
        emitter,
        events,
        a,
        coalesce(a."gen_ai.response.id", try(a."output.value" ->> '$.id')) as response_id,
        coalesce(
            a."gen_ai.conversation.id", a."session.id", a."traceloop.association.properties.session_id", otel_trace
        ) as conversation_id,
        coalesce(
            a."gen_ai.response.model",
            a."gen_ai.request.model",
            a."llm.model_name",
            try(a."llm.invocation_parameters" ->> '$.model')
        ) as model,
        case
            when a."openinference.span.kind" is not null then upper(a."openinference.span.kind") = 'LLM'
            when a."gen_ai.operation.name" is not null
                then a."gen_ai.operation.name" in ('chat', 'generate_content', 'text_completion')
            when a."llm.request.type" is not null then a."llm.request.type" in ('chat', 'completion')
            else coalesce(a."gen_ai.request.model", a."gen_ai.response.model") is not null
        end as is_call
    from named
),

-- what was said, as JSON messages of whatever shape; a lower source is the better one
attribute_lists as (
    select
        place,
        list_concat(
            if(
                a."gen_ai.system_instructions" is null,
                [],
                [json_object(
                    'role', 'system', 'parts',
                    coalesce(
                        try(from_json(a."gen_ai.system_instructions", '["JSON"]')),
                        [json_object('type', 'text', 'content', a."gen_ai.system_instructions")]
                    )
                )]
            ),
            coalesce(
                try(from_json(a."gen_ai.input.messages", '["JSON"]')),
                try(from_json(a."llm.input_messages", '["JSON"]')),
                try(from_json(a."gen_ai.prompt", '["JSON"]')),
                [json_object('role', 'user', 'content', a."gen_ai.prompt")]
            )
        ) as asked,
        coalesce(
            try(from_json(a."gen_ai.output.messages", '["JSON"]')),
            try(from_json(a."llm.output_messages", '["JSON"]')),
            try(from_json(a."gen_ai.completion", '["JSON"]')),
            [json_object('role', 'assistant', 'content', a."gen_ai.completion")]
        ) as answered,
        if(
            a."input.value" = '__REDACTED__',
            null,
            coalesce(
                try(from_json(a."input.value" -> '$.messages', '["JSON"]')),
                [json_object('role', 'user', 'content', a."input.value")]
            )
        ) as asked_value,
        if(
            a."output.value" = '__REDACTED__',
            null,
            coalesce(
                try(from_json(a."output.value" -> '$.choices[*].message', '["JSON"]')),
                [json_object('role', 'assistant', 'content', a."output.value")]
            )
        ) as answered_value
    from calls
    where is_call
),

event_texts as (
    select
        place,
        unnest(events) as event,
        generate_subscripts(events, 1) as seq
    from calls
    where is_call
),

span_events as (
    select
        place,
        seq,
        event.name as event,
        case
            when event.name in ('gen_ai.content.prompt', 'gen_ai.content.completion')
                then json_object(
                    'content',
                    coalesce(
                        event.attributes ->> '$."gen_ai.prompt"', event.attributes ->> '$."gen_ai.completion"'
                    )
                )
            when try(json_type(event.attributes ->> '$."gen_ai.event.content"')) = 'OBJECT'
                then (event.attributes ->> '$."gen_ai.event.content"')::json
            else event.attributes
        end as body
    from event_texts
    union all
    select
        calls.place,
        logs.log_number as seq,
        logs.event,
        logs.body
    from logs
    inner join calls on logs.otel_trace = calls.otel_trace and logs.span_id = calls.span_id
),

json_messages as (
    select
        place,
        'input' as side,
        1 as source,
        generate_subscripts(asked, 1) as seq,
        unnest(asked) as message,
        null as spoken_by
    from attribute_lists
    union all
    select
        place,
        'output' as side,
        1 as source,
        generate_subscripts(answered, 1) as seq,
        unnest(answered) as message,
        'assistant' as spoken_by
    from attribute_lists
    union all
    select
        place,
        if(event in ('gen_ai.choice', 'gen_ai.content.completion'), 'output', 'input') as side,
        3 as source,
        seq,
        -- a choice may hold its message, or be it
        if(
            json_type(body -> '$.message') = 'OBJECT',
            json_merge_patch(body -> '$.message', json_object('finish_reason', body -> '$.finish_reason')),
            body
        ) as message,
        case event
            when 'gen_ai.choice' then 'assistant'
            when 'gen_ai.content.prompt' then 'user'
            when 'gen_ai.content.completion' then 'assistant'
            else regexp_extract(event, 'gen_ai\.(.*)\.message', 1)
        end as spoken_by
    from span_events
    where
        event in ('gen_ai.choice', 'gen_ai.content.prompt', 'gen_ai.content.completion')
        or event similar to 'gen_ai\.(system|user|assistant|tool)\.message'
    union all
    select
        place,
        'input' as side,
        4 as source,
        generate_subscripts(asked_value, 1) as seq,
        unnest(asked_value) as message,
        null as spoken_by
    from attribute_lists
    union all
    select
        place,
        'output' as side,
        4 as source,
        generate_subscripts(answered_value, 1) as seq,
        unnest(answered_value) as message,
        'assistant' as spoken_by
    from attribute_lists
),

-- Phoenix writes {"message.role": ...} or {"message": {"role": ...}}
bare_messages as (
    select
        * exclude (message),
        regexp_replace(
            if(json_type(message -> '$.message') = 'OBJECT', message -> '$.message', message)::varchar,
            '"(?:message_content|message|tool_call)\.(?:function\.)?([a-z_]+)":',
            '"\1":',
            'g'
        ) as message
    from json_messages
),

typed_messages as (
    select
        * exclude (message),
        from_json(
            message,
            '{
                "role": "VARCHAR", "content": "JSON", "contents": "JSON", "tool_call_id": "VARCHAR",
                "id": "VARCHAR", "name": "VARCHAR", "finish_reason": "VARCHAR",
                "parts": [{
                    "type": "VARCHAR", "content": "VARCHAR", "text": "VARCHAR", "id": "VARCHAR", "name": "VARCHAR",
                    "arguments": "VARCHAR", "result": "VARCHAR", "response": "VARCHAR"
                }],
                "tool_calls": [{
                    "id": "VARCHAR", "name": "VARCHAR", "arguments": "VARCHAR",
                    "function": {"name": "VARCHAR", "arguments": "VARCHAR"},
                    "tool_call": {"id": "VARCHAR", "function": {"name": "VARCHAR", "arguments": "VARCHAR"}}
                }]
            }'
        ) as message
    from bare_messages
),

read_messages as (
    select
        place,
        side,
        source,
        seq,
        coalesce(message.role, spoken_by, 'user') as role,
        message.name,
        message.finish_reason,
        coalesce(message.tool_call_id, if(spoken_by = 'tool', message.id, null)) as tool_call_id,
        list_filter(
            message.parts, lambda part: part.type in ('tool_call_response', 'server_tool_call_response')
        ) as responses,
        list_concat(
            list_transform(
                list_filter(message.parts, lambda part: part.type in ('tool_call', 'server_tool_call')),
                lambda part: struct_pack(id := part.id, name := part.name, arguments := part.arguments)
            ),
            list_transform(message.tool_calls, lambda call: struct_pack(
                id := coalesce(call.id, call.tool_call.id),
                name := coalesce(call.name, call.function.name, call.tool_call.function.name),
                arguments := coalesce(
                    call.arguments, call.function.arguments, call.tool_call.function.arguments
                )
            ))
        ) as tool_calls,
        nullif(
            case
                when message.parts is not null
                    then array_to_string(list_transform(
                        list_filter(message.parts, lambda part: not coalesce(part.type in (
                            'tool_call', 'tool_call_response', 'server_tool_call', 'server_tool_call_response',
                            'reasoning', 'thinking'
                        ), false)),
                        lambda part: if(
                            coalesce(part.type, 'text') = 'text',
                            coalesce(part.content, part.text),
                            '[' || part.type || ']'
                        )
                    ), chr(10))
                when json_type(coalesce(message.contents, message.content)) = 'ARRAY'
                    then array_to_string(list_transform(
                        from_json(
                            coalesce(message.contents, message.content),
                            '[{"type": "VARCHAR", "text": "VARCHAR", "message_content": {"text": "VARCHAR"}}]'
                        ),
                        lambda part: coalesce(part.text, part.message_content.text, '[' || part.type || ']')
                    ), chr(10))
                else message.content ->> '$'
            end,
            '__REDACTED__'
        ) as content
    from typed_messages
),

tool_answers as (
    select
        place,
        side,
        source,
        seq,
        unnest(responses) as response
    from read_messages
),

spoken as (
    select
        place,
        side,
        source,
        seq,
        role,
        content,
        tool_calls,
        tool_call_id,
        name,
        finish_reason
    from read_messages
    -- several tools may answer in one message; what was said beside them is a message of its own
    where responses is null or responses = [] or content != '' or tool_calls != []
    union all
    select
        place,
        side,
        source,
        seq,
        'tool' as role,
        coalesce(response.response, response.result, response.content) as content,
        [] as tool_calls,
        response.id as tool_call_id,
        response.name,
        null as finish_reason
    from tool_answers
),

-- gen_ai.prompt.0.content, llm.output_messages.0.message.tool_calls.0.tool_call.function.name
entries as (
    select
        place,
        unnest(try(map_entries(from_json(attributes, '"MAP(VARCHAR,VARCHAR)"')))) as entry
    from calls
    where
        regexp_matches(attributes, '"(?:gen_ai\.(?:prompt|completion)|llm\.(?:input|output)_messages)\.[0-9]')
        or regexp_matches(attributes, '"(?:llm\.tools|llm\.request\.functions|retrieval\.documents)\.[0-9]')
        or regexp_matches(attributes, '"(?:annotations|evaluations)\.[0-9]')
),

indexed as materialized (
    select
        place,
        regexp_extract(entry.key, '^([a-z_.]+?)\.([0-9]+)\.(?:message\.|tool\.)?(.+)$', 1) as list_name,
        regexp_extract(entry.key, '^([a-z_.]+?)\.([0-9]+)\.(?:message\.|tool\.)?(.+)$', 2)::bigint as seq,
        regexp_extract(entry.key, '^([a-z_.]+?)\.([0-9]+)\.(?:message\.|tool\.)?(.+)$', 3) as field,
        entry.value
    from entries
    where regexp_matches(entry.key, '^[a-z_.]+?\.[0-9]{1,9}\..')
),

indexed_tool_calls as (
    select
        place,
        list_name,
        seq,
        regexp_extract(field, '^tool_calls\.([0-9]{1,9})\.', 1)::bigint as call_seq,
        struct_pack(
            id := max(value) filter (where ends_with(field, '.id')),
            name := max(value) filter (where ends_with(field, '.name')),
            arguments := max(value) filter (where ends_with(field, '.arguments'))
        ) as tool_call
    from indexed
    where regexp_matches(field, '^tool_calls\.[0-9]{1,9}\.')
    group by all
),

indexed_calls as (
    select
        place,
        list_name,
        seq,
        list(tool_call order by call_seq) as tool_calls
    from indexed_tool_calls
    group by all
),

indexed_messages as (
    select
        place,
        list_name,
        seq,
        max(value) filter (where field = 'role') as role,
        nullif(coalesce(
            max(value) filter (where field = 'content'),
            string_agg(value, chr(10) order by field)
            filter (where regexp_matches(field, '^contents\.[0-9]+\..*text$'))
        ), '__REDACTED__') as content,
        max(value) filter (where field = 'tool_call_id') as tool_call_id,
        max(value) filter (where field = 'name') as name,
        max(value) filter (where field = 'finish_reason') as finish_reason
    from indexed
    where list_name in ('gen_ai.prompt', 'gen_ai.completion', 'llm.input_messages', 'llm.output_messages')
    group by all
),

said as (
    select
        indexed_messages.place,
        if(indexed_messages.list_name in ('gen_ai.prompt', 'llm.input_messages'), 'input', 'output') as side,
        2 as source,
        indexed_messages.seq,
        coalesce(indexed_messages.role, 'assistant') as role,
        indexed_messages.content,
        indexed_calls.tool_calls,
        indexed_messages.tool_call_id,
        indexed_messages.name,
        indexed_messages.finish_reason
    from indexed_messages
    left join indexed_calls
        on
            indexed_messages.place = indexed_calls.place
            and indexed_messages.list_name = indexed_calls.list_name
            and indexed_messages.seq = indexed_calls.seq
    union all by name
    select * from spoken
),

sides as (
    select
        place,
        side,
        source,
        list(json_merge_patch(
            json_object('role', role, 'content', coalesce(content, '')),
            to_json(struct_pack(
                tool_calls := if(tool_calls = [], null, tool_calls), tool_call_id := tool_call_id, name := name
            ))
        ) order by seq) as messages,
        first(content order by seq) as content,
        first(if(tool_calls = [], null, tool_calls) order by seq) as tool_calls,
        first(finish_reason order by seq) as finish_reason,
        bool_or(coalesce(content, '') != '' or coalesce(tool_calls, []) != []) as has_content
    from said
    group by all
),

heard as (
    select
        place,
        arg_min(messages, source) filter (where side = 'input' and has_content) as input,
        arg_min(struct_pack(content := content, tool_calls := tool_calls, finish_reason := finish_reason), source)
        filter (where side = 'output' and has_content) as output
    from sides
    group by place
),

-- what the model could call
tool_texts as (
    select
        place,
        1 as source,
        0 as seq,
        unnest(coalesce(
            try(from_json(a."gen_ai.tool.definitions", '["JSON"]')),
            try(from_json(a."llm.tools", '["JSON"]')),
            try(from_json(a."llm.invocation_parameters" -> '$.tools', '["JSON"]'))
        )) as tool
    from calls
    where is_call
    union all
    select
        place,
        2 as source,
        seq,
        coalesce(
            try_cast(max(value) filter (where field = 'json_schema') as json),
            json_object(
                'name', max(value) filter (where field = 'name'),
                'description', max(value) filter (where field = 'description'),
                'parameters', try_cast(max(value) filter (where field = 'parameters') as json)
            )
        ) as tool
    from indexed
    where list_name in ('llm.tools', 'llm.request.functions')
    group by all
),

-- Phoenix puts the schema, as text, into {"tool": {"json_schema": ...}} or {"tool.json_schema": ...}
tool_schemas as (
    select
        place,
        source,
        seq,
        coalesce(
            try_cast(coalesce(tool ->> '$.tool.json_schema', tool ->> '$."tool.json_schema"') as json), tool
        ) as tool
    from tool_texts
),

tools_of as (
    select
        place,
        source,
        to_json(list(struct_pack(
            name := coalesce(tool ->> '$.function.name', tool ->> '$.name'),
            description := coalesce(tool ->> '$.function.description', tool ->> '$.description'),
            parameters := coalesce(
                tool -> '$.function.parameters', tool -> '$.parameters', tool -> '$.input_schema'
            )
        ) order by seq)) as tools
    from tool_schemas
    group by all
),

offered as (
    select
        place,
        arg_min(tools, source) as tools
    from tools_of
    group by place
),

-- what became of a tool call: the span of its execution
executions as (
    select
        otel_trace,
        coalesce(a."gen_ai.tool.call.id", a."tool_call.id", a."tool.id") as tool_call_id,
        first(coalesce(a."gen_ai.tool.call.result", a."output.value")) as result,
        first(coalesce(
            a."error.type", a."exception.type", events[1].attributes ->> '$."exception.type"',
            if(is_error, 'error', null)
        )) as error
    from calls
    where a."gen_ai.operation.name" = 'execute_tool' or upper(a."openinference.span.kind") = 'TOOL'
    group by all
),

asked_tools as (
    select
        calls.place,
        calls.otel_trace,
        unnest(heard.output.tool_calls) as tool_call,
        generate_subscripts(heard.output.tool_calls, 1) as seq
    from calls
    inner join heard on calls.place = heard.place
    where is_call
),

used as (
    select
        asked_tools.place,
        to_json(list(struct_pack(
            id := tool_call.id,
            name := tool_call.name,
            arguments := tool_call.arguments,
            result := executions.result,
            error := executions.error
        ) order by seq)) as tool_calls
    from asked_tools
    left join executions
        on asked_tools.otel_trace = executions.otel_trace and asked_tools.tool_call.id = executions.tool_call_id
    group by asked_tools.place
),

-- what was retrieved for a call: by itself, its child, its sibling or its parent's sibling
found_documents as (
    select
        place,
        seq,
        max(value) filter (where field = 'document.id') as id,
        max(value) filter (where field = 'document.content') as content,
        try_cast(max(value) filter (where field = 'document.score') as double) as score
    from indexed
    where list_name = 'retrieval.documents'
    group by all
),

document_texts as (
    select
        place,
        unnest(try(from_json(
            regexp_replace(
                coalesce(a."gen_ai.retrieval.documents", a."retrieval.documents"),
                '"document\.([a-z_]+)":', '"\1":', 'g'
            ),
            '[{
                "id": "VARCHAR", "content": "VARCHAR", "text": "VARCHAR", "score": "DOUBLE",
                "document": {"id": "VARCHAR", "content": "VARCHAR", "score": "DOUBLE"}
            }]'
        ))) as document
    from calls
),

retrieved as (
    select
        place,
        id,
        content,
        score
    from found_documents
    union all
    select
        place,
        coalesce(document.id, document.document.id) as id,
        coalesce(document.content, document.text, document.document.content) as content,
        coalesce(document.score, document.document.score) as score
    from document_texts
),

retrievals as (
    select
        calls.place,
        calls.otel_trace,
        calls.span_id,
        calls.parent_id,
        calls.started_at,
        list(struct_pack(
            id := retrieved.id, content := retrieved.content, score := retrieved.score
        )) as documents
    from calls
    inner join retrieved on calls.place = retrieved.place
    group by all
),

families as (
    select
        calls.place,
        calls.otel_trace,
        calls.started_at,
        unnest([calls.span_id, calls.parent_id, parents.parent_id]) as relative_id
    from calls
    left join calls as parents on calls.otel_trace = parents.otel_trace and calls.parent_id = parents.span_id
    where calls.is_call
),

given as (
    select
        families.place,
        to_json(flatten(list(retrievals.documents order by retrievals.started_at))) as documents
    from families
    inner join retrievals
        on
            families.otel_trace = retrievals.otel_trace
            and (families.relative_id = retrievals.parent_id or families.place = retrievals.place)
            and (families.started_at >= retrievals.started_at or families.relative_id = retrievals.span_id)
    group by families.place
),

-- evaluations: events of the evaluated span, log records that name it or its response, annotations of OpenInference
happened as (
    select
        place,
        unnest(events) as event
    from calls
),

scores as (
    select
        calls.source_line,
        calls.byte_offset,
        case when calls.is_call then calls.otel_trace || ':' || calls.span_id else calls.conversation_id end as target,
        event.attributes as said,
        epoch_us(calls.started_at) as at_us
    from happened
    inner join calls on happened.place = calls.place
    where event.name = 'gen_ai.evaluation.result'
    union all
    select
        source_line,
        byte_offset,
        coalesce(attributes ->> '$."gen_ai.response.id"', otel_trace || ':' || span_id) as target,
        attributes as said,
        unix_nano // 1000 as at_us
    from logs
    where event = 'gen_ai.evaluation.result'
),

annotation_texts as (
    select
        place,
        '' as scope,
        unnest(coalesce(
            try(from_json(regexp_replace(a.annotations, '"annotation\.([a-z_]+)":', '"\1":', 'g'), '["JSON"]')),
            try(from_json(regexp_replace(a.evaluations, '"evaluation\.([a-z_]+)":', '"\1":', 'g'), '["JSON"]'))
        )) as said
    from calls
    union all
    select
        place,
        regexp_extract(list_name, '^(trace|session)\.') as scope,
        json_group_object(regexp_replace(field, '^(annotation|evaluation)\.', ''), value) as said
    from indexed
    where regexp_matches(list_name, '^(trace\.|session\.)?(annotations|evaluations)$')
    group by place, list_name, seq
),

annotations as (
    select
        calls.source_line,
        calls.byte_offset,
        calls.started_at,
        case
            when scope = 'trace.' then calls.otel_trace
            when scope = 'session.' then coalesce(calls.a."session.id", calls.otel_trace)
            when len(spans.links) = 1 then lower(spans.links[1].traceId) || ':' || lower(spans.links[1].spanId)
            when calls.is_call then calls.otel_trace || ':' || calls.span_id
            else calls.conversation_id
        end as target,
        coalesce(said -> '$.annotation', said -> '$.evaluation', said) as said
    from annotation_texts
    inner join calls on annotation_texts.place = calls.place
    inner join spans on annotation_texts.place = spans.place
),

opinions as (
    select
        source_line,
        byte_offset,
        target,
        'evaluation' as kind,
        said ->> '$."gen_ai.evaluation.name"' as name,
        try_cast(said ->> '$."gen_ai.evaluation.score.value"' as double) as score,
        said ->> '$."gen_ai.evaluation.score.label"' as label,
        said ->> '$."gen_ai.evaluation.explanation"' as explanation,
        null as author,
        make_timestamptz(at_us) as occurred_at
    from scores
    union all
    select
        source_line,
        byte_offset,
        target,
        case
            when coalesce(said ->> '$.annotator_kind', '') != 'HUMAN' then 'evaluation'
            when said ->> '$.score' is not null then 'rating'
            else 'comment'
        end as kind,
        said ->> '$.name' as name,
        try_cast(said ->> '$.score' as double) as score,
        said ->> '$.label' as label,
        said ->> '$.explanation' as explanation,
        said ->> '$.identifier' as author,
        started_at as occurred_at
    from annotations
),

feedback_rows as (
    select
        source_line,
        byte_offset,
        occurred_at,
        json_array(json_object(
            'kind', kind,
            'name', name,
            -- another scale than 0 to 1 is no share of anything: it stays readable in the text
            'value', case
                when score between 0 and 1 then score
                when score is null and lower(label) in ('pass', 'passed') then 1.0
                when score is null and lower(label) in ('fail', 'failed') then 0.0
            end,
            'text', nullif(concat_ws(
                ': ', label, if(score between 0 and 1, null, 'score ' || score), explanation
            ), ''),
            'user', author,
            'occurred_at', strftime(occurred_at at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ'),
            'target', target
        )) as feedback
    from opinions
),

call_rows as (
    select
        calls.source_line,
        calls.byte_offset,
        md5(coalesce(response_id, otel_trace || ':' || span_id, attributes)) as trace_id,
        response_id,
        coalesce(conversation_id, response_id, span_id, md5(attributes)) as conversation_id,
        started_at,
        coalesce(emitter."service.name", emitter."openinference.project.name", 'unknown') as app,
        coalesce(
            a."gen_ai.agent.name", a."agent.name", a."gen_ai.workflow.name", a."traceloop.workflow.name",
            a."gen_ai.prompt.name", 'default'
        ) as task,
        coalesce(model, 'unknown') as model,
        to_json(heard.input) as input,
        nullif(heard.output.content, '') as output,
        coalesce(
            a."gen_ai.request.structured_output_schema",
            a."llm.request.structured_output_schema",
            try(a."llm.invocation_parameters" -> '$.response_format.json_schema.schema')
        ) as requested_schema,
        regexp_replace(coalesce(
            try(a."gen_ai.response.finish_reasons" ->> '$[0]'),
            a."llm.finish_reason",
            heard.output.finish_reason
        ), '^tool_call$', 'tool_calls') as finish_reason,
        coalesce(
            a."error.type",
            a."exception.type",
            list_filter(events, lambda event: event.name = 'exception')[1].attributes ->> '$."exception.type"',
            if(is_error, 'error', null)
        ) as error,
        null::double as confidence,
        if(latency_ms >= 0, latency_ms, null) as latency_ms,
        try_cast(coalesce(
            a."gen_ai.usage.input_tokens", a."gen_ai.usage.prompt_tokens", a."llm.token_count.prompt"
        ) as bigint) as input_tokens,
        try_cast(coalesce(
            a."gen_ai.usage.output_tokens", a."gen_ai.usage.completion_tokens", a."llm.token_count.completion"
        ) as bigint) as output_tokens,
        coalesce(a."gen_ai.usage.cost", a."llm.cost.total") as price,
        if(isfinite(price) and price >= 0, price, null) as cost_usd,
        offered.tools,
        used.tool_calls,
        given.documents,
        list_filter(
            [otel_trace || ':' || span_id, span_id, response_id], lambda alias: alias is not null
        ) as aliases,
        coalesce(
            a."user.id", a."enduser.id", a."gen_ai.user", a."llm.user", a."traceloop.association.properties.user_id"
        ) as actor,
        null::json as feedback,
        case
            when heard.input is null then 'missing_content'
            when heard.output is null and error is null then 'missing_content'
            when started_at is null then 'missing_timestamp'
            when started_at > $now::timestamptz + interval 1 day then 'clock_in_the_future'
            when started_at < timestamptz '2000-01-01 00:00:00+00' then 'clock_in_the_past'
        end as problem
    from calls
    left join heard on calls.place = heard.place
    left join offered on calls.place = offered.place
    left join used on calls.place = used.place
    left join given on calls.place = given.place
    where is_call
),

-- other spans and log records give context; a line without any is none of this format
other_rows as (
    select
        source_line,
        byte_offset,
        'not_a_call' as problem
    from calls
    where not is_call
    union all
    select
        source_line,
        byte_offset,
        'not_a_call' as problem
    from logs
    where event is distinct from 'gen_ai.evaluation.result'
    union all
    select
        texts.source_line,
        texts.byte_offset,
        case
            when unpacked.source_line is null then 'not_a_span'
            when unpacked.request.resourceSpans is null and unpacked.request.resourceLogs is null then 'not_a_span'
            else 'not_a_call'
        end as problem
    from texts
    left join unpacked on texts.source_line = unpacked.source_line
    where
        texts.source_line not in (select source_line from spans)
        and texts.source_line not in (select source_line from logs)
),

result as (
    select * exclude (price) from call_rows
    union all by name
    select
        source_line,
        byte_offset,
        occurred_at as started_at,
        feedback
    from feedback_rows
    union all by name
    select * from other_rows
)

select * from result
