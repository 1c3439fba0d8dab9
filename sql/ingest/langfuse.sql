-- langfuse: observations, traces with what they hold, and scores, as the API and the exports give them
with
records as (
    select
        source_line,
        byte_offset,
        record::json as record
    from log_lines
),

-- an export of the page wraps the trace; the API does not; tables of the blob export have other letters
opened as (
    select
        source_line,
        byte_offset,
        if(json_type(record, '$.trace') = 'OBJECT', record -> '$.trace', record) as record,
        coalesce(
            if(json_type(record, '$.observations') = 'ARRAY', record -> '$.observations', null),
            if(json_type(record, '$.trace.observations') = 'ARRAY', record -> '$.trace.observations', null)
        ) as observations,
        coalesce(
            if(json_type(record, '$.scores') = 'ARRAY', record -> '$.scores', null),
            if(json_type(record, '$.trace.scores') = 'ARRAY', record -> '$.trace.scores', null)
        ) as scores
    from records
),

entities as (
    select
        source_line,
        byte_offset,
        record as entity,
        null::json as trace,
        scores,
        json_array_length(observations) as child_count
    from opened
    union all
    select
        source_line,
        byte_offset,
        unnest(from_json(observations, '["JSON"]')) as entity,
        record as trace,
        null::json as scores,
        null::ubigint as child_count
    from opened
    where observations is not null
),

fields as (
    select
        *,
        entity ->> '$.id' as entity_id,
        coalesce(
            entity ->> '$.traceId',
            entity ->> '$.trace_id',
            trace ->> '$.id',
            if(trace is null, entity ->> '$.id', null)
        ) as langfuse_trace_id,
        coalesce(entity ->> '$.parentObservationId', entity ->> '$.parent_observation_id') as parent_id,
        coalesce(entity ->> '$.startTime', entity ->> '$.start_time') as started,
        coalesce(entity ->> '$.endTime', entity ->> '$.end_time') as ended,
        coalesce(
            entity ->> '$.sessionId', entity ->> '$.session_id', trace ->> '$.sessionId', trace ->> '$.session_id'
        ) as session_id,
        memory.main.unwrapped(entity -> '$.input') as given_input,
        memory.main.unwrapped(entity -> '$.output') as given_output,
        memory.main.unwrapped(coalesce(entity -> '$.usageDetails', entity -> '$.usage_details', entity -> '$.usage'))
            as usage,
        memory.main.unwrapped(entity -> '$.metadata') as metadata,
        case
            when coalesce(entity ->> '$.dataType', entity ->> '$.data_type') is not null then 'score'
            when coalesce(entity ->> '$.expectedOutput', entity ->> '$.datasetId') is not null then 'dataset_item'
            when (entity ->> '$.type') is not null then lower(entity ->> '$.type')
            when started is not null then 'generation'
            else 'trace'
        end as kind
    from entities
),

typed as (
    select
        *,
        memory.main.time_of(coalesce(started, entity ->> '$.timestamp')) as started_at,
        memory.main.time_of(ended) as ended_at,
        -- frameworks list their tools among the messages, as a tool's message that is no text
        if(
            json_type(given_input) = 'ARRAY',
            to_json(list_filter(
                from_json(given_input, '["JSON"]'),
                lambda one: coalesce(json_extract_string(one, '$.content.type'), '') != 'function'
            )),
            if(
                json_type(given_input, '$.messages[0]') = 'VARCHAR',
                to_json(list_transform(
                    from_json(given_input -> '$.messages', '["VARCHAR"]'),
                    lambda text: json_object(
                        'role', coalesce(nullif(regexp_extract(text, '^role=''(\w+)'' content=', 1), ''), 'user'),
                        'content', coalesce(
                            nullif(replace(regexp_extract(
                                text, '(?s)^role=''\w+'' content=[''"](.*?)[''"] name=', 1
                            ), '\n', chr(10)), ''),
                            if(text like 'role=%', '', text)
                        )
                    )
                )),
                given_input
            )
        ) as asked,
        coalesce(
            given_input -> '$.tools',
            given_input -> '$.config.tools[0].function_declarations',
            nullif(to_json(json_extract(given_input, '$[*].content.function')), '[]'),
            if(json_type(given_output, '$.tools') = 'ARRAY', given_output -> '$.tools', null),
            to_json(list_transform(
                from_json(memory.main.unwrapped(metadata -> '$.attributes."ai.prompt.tools"'), '["VARCHAR"]'),
                lambda one: try_cast(one as json)
            ))
        ) as offered
    from fields
),

worded as (
    select
        *,
        memory.main.request_messages(asked) as messages,
        memory.main.answer_messages(given_output) as answers,
        json_type(asked) = 'ARRAY'
        or json_type(asked, '$.messages') = 'ARRAY'
        or json_type(asked, '$.contents') = 'ARRAY'
            as is_structured,
        case
            when kind = 'retriever' then to_json(list_transform(
                from_json(given_output, '[{
                    "id": "VARCHAR", "text": "VARCHAR", "content": "VARCHAR", "pageContent": "VARCHAR",
                    "page_content": "VARCHAR", "score": "DOUBLE"
                }]'),
                lambda one: json_object(
                    'id', one.id,
                    'content', coalesce(one.content, one.text, one.page_content, one.pagecontent),
                    'score', one.score
                )
            ))
        end as retrieved
    from typed
),

-- a generation around another one is the same call told twice: the one with messages counts, else the inner one
nested as (
    select
        outer_call.langfuse_trace_id,
        outer_call.entity_id as outer_id,
        inner_call.entity_id as inner_id,
        coalesce(outer_call.is_structured, false) and not coalesce(inner_call.is_structured, false) as is_outer_better
    from worded as outer_call
    inner join worded as inner_call
        on
            outer_call.entity_id = inner_call.parent_id
            and outer_call.langfuse_trace_id = inner_call.langfuse_trace_id
    where outer_call.kind = 'generation' and inner_call.kind = 'generation'
),

told_twice as (
    select distinct
        langfuse_trace_id,
        if(is_outer_better, inner_id, outer_id) as entity_id
    from nested
),

placed as (
    select
        worded.*,
        told_twice.entity_id is not null as is_told_twice,
        last_value(worded.retrieved ignore nulls) over (
            partition by worded.langfuse_trace_id
            order by worded.started_at
            rows between unbounded preceding and current row
        ) as documents,
        -- a trace that holds no generation is itself the call
        worded.kind = 'trace' and worded.child_count is not null and not coalesce(bool_or(worded.kind = 'generation')
            over (partition by worded.source_line, worded.langfuse_trace_id), false)
        and worded.messages is not null as is_bare_trace
    from worded
    left join told_twice
        on worded.langfuse_trace_id = told_twice.langfuse_trace_id and worded.entity_id = told_twice.entity_id
),

scored as (
    select
        *,
        (kind = 'generation' and not is_told_twice) or is_bare_trace as is_call,
        if(kind = 'score', json_array(entity), scores) as given_scores
    from placed
)

select
    source_line,
    byte_offset,
    if(is_call, md5(concat_ws('|', langfuse_trace_id, entity_id)), null) as trace_id,
    if(is_call, nullif(given_output ->> '$.id', ''), null) as response_id,
    if(is_call, coalesce(session_id, langfuse_trace_id), null) as conversation_id,
    started_at,
    coalesce(
        trace ->> '$.name', entity ->> '$.traceName', entity ->> '$.trace_name', entity ->> '$.projectId',
        entity ->> '$.project_id', 'langfuse'
    ) as app,
    coalesce(entity ->> '$.promptName', entity ->> '$.prompt_name', entity ->> '$.name', 'default') as task,
    coalesce(
        entity ->> '$.model', entity ->> '$.providedModelName', entity ->> '$.provided_model_name',
        given_output ->> '$.model'
    ) as model,
    messages as input,
    if(answers is null, null, coalesce(memory.main.spoken_text(answers), '')) as output,
    null::json as requested_schema,
    coalesce(
        given_output ->> '$.choices[0].finish_reason', lower(given_output ->> '$.finish_reason'),
        metadata ->> '$.attributes."ai.response.finishReason"'
    ) as finish_reason,
    if(
        (entity ->> '$.level') = 'ERROR',
        coalesce(nullif(entity ->> '$.statusMessage', ''), nullif(entity ->> '$.status_message', ''), 'unknown'),
        null
    ) as error,
    null::double as confidence,
    date_diff('microsecond', started_at, ended_at) / 1e3 as latency_ms,
    try_cast(coalesce(usage ->> '$.input', entity ->> '$.inputUsage') as bigint) as input_tokens,
    try_cast(coalesce(usage ->> '$.output', entity ->> '$.outputUsage') as bigint) as output_tokens,
    try_cast(coalesce(entity ->> '$.totalCost', entity ->> '$.total_cost') as double) as cost_usd,
    memory.main.tools_of(offered) as tools,
    memory.main.asked_calls(answers) as tool_calls,
    if(kind = 'generation', documents, null) as documents,
    list_filter(
        [entity_id, nullif(langfuse_trace_id, entity_id)], lambda alias: alias is not null
    ) as aliases,
    coalesce(
        entity ->> '$.userId', entity ->> '$.user_id', trace ->> '$.userId', trace ->> '$.user_id'
    ) as actor,
    to_json(list_transform(
        from_json(given_scores, '["JSON"]'),
        lambda score: json_object(
            'kind', case
                when
                    coalesce(json_extract_string(score, '$.dataType'), json_extract_string(score, '$.data_type'))
                    = 'CORRECTION' then 'demonstration'
                when
                    coalesce(json_extract_string(score, '$.dataType'), json_extract_string(score, '$.data_type'))
                    = 'TEXT' then 'comment'
                when
                    regexp_matches(lower(json_extract_string(score, '$.name')), 'user.?(feedback|rating)|thumb')
                    and try_cast(json_extract_string(score, '$.value') as double) in (-1, 0, 1)
                    then 'thumb'
                when regexp_matches(lower(json_extract_string(score, '$.name')), 'user.?(feedback|rating)')
                    then 'rating'
                else 'evaluation'
            end,
            'name', json_extract_string(score, '$.name'),
            'value', case
                when
                    coalesce(json_extract_string(score, '$.dataType'), json_extract_string(score, '$.data_type'))
                    in ('CORRECTION', 'TEXT') then null
                else coalesce(
                    json_extract_string(score, '$.value'), json_extract_string(score, '$.stringValue'),
                    json_extract_string(score, '$.string_value')
                )
            end,
            'text', case
                when
                    coalesce(json_extract_string(score, '$.dataType'), json_extract_string(score, '$.data_type'))
                    in ('CORRECTION', 'TEXT')
                    then
                        coalesce(
                            nullif(json_extract_string(score, '$.longStringValue'), ''),
                            nullif(json_extract_string(score, '$.long_string_value'), ''),
                            json_extract_string(score, '$.stringValue'),
                            json_extract_string(score, '$.string_value'),
                            json_extract_string(score, '$.value')
                        )
                else nullif(json_extract_string(score, '$.comment'), '')
            end,
            'user', coalesce(
                json_extract_string(score, '$.authorUserId'), json_extract_string(score, '$.author_user_id')
            ),
            'occurred_at', coalesce(
                json_extract_string(score, '$.timestamp'), json_extract_string(score, '$.createdAt'),
                json_extract_string(score, '$.created_at')
            ),
            'target', coalesce(
                json_extract_string(score, '$.observationId'), json_extract_string(score, '$.observation_id'),
                json_extract_string(score, '$.traceId'), json_extract_string(score, '$.trace_id'),
                json_extract_string(score, '$.sessionId'), json_extract_string(score, '$.session_id'),
                langfuse_trace_id
            )
        )
    )) as feedback,
    case
        when kind = 'score' then null
        when kind = 'dataset_item' then 'dataset_item'
        when not is_call then 'not_a_call'
        when messages is null or (answers is null and coalesce(entity ->> '$.level', '') != 'ERROR')
            then 'missing_content'
        else memory.main.time_problem(started_at, $now::timestamptz)
    end as problem
from scored
