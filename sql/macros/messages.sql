-- messages: what formats share; each vendor's way to write messages, parts and tool calls becomes one

-- a JSON text that holds JSON again, an object, a list or a text in quotes, becomes that
create or replace macro memory.main.unwrapped(given) as (
    if(
        json_type(given) = 'VARCHAR' and ltrim(given ->> '$')[1] in ('{', '[', '"'),
        coalesce(try_cast(given ->> '$' as json), given),
        if(json_type(given) = 'NULL', null, given)
    )
);

-- JSON as text: a JSON text without its quotes, anything else as JSON
create or replace macro memory.main.spoken(given) as (if(json_type(given) = 'NULL', null, given::json ->> '$'));

create or replace macro memory.main.parts_of(content) as (
    from_json(content, '[{
        "type": "VARCHAR", "text": "VARCHAR", "value": "JSON", "content": "JSON", "refusal": "VARCHAR",
        "id": "VARCHAR", "call_id": "VARCHAR", "tool_use_id": "VARCHAR", "toolCallId": "VARCHAR",
        "name": "VARCHAR", "toolName": "VARCHAR", "input": "JSON", "arguments": "JSON", "args": "JSON",
        "result": "JSON", "output": "JSON", "thought": "BOOLEAN",
        "functionCall": "JSON", "function_call": "JSON", "functionResponse": "JSON", "function_response": "JSON",
        "toolUse": "JSON", "toolResult": "JSON"
    }]')
);

create or replace macro memory.main.is_call(part) as (
    coalesce(part.type in ('tool_use', 'tool_call', 'tool-call', 'function_call', 'server_tool_use'), false)
    or coalesce(part.functioncall, part.function_call, part.tooluse) is not null
    or (part.type is null and part.toolname is not null)
);

create or replace macro memory.main.is_result(part) as (
    coalesce(part.type in ('tool_result', 'tool-result', 'function_call_output'), false)
    or coalesce(part.functionresponse, part.function_response, part.toolresult) is not null
);

-- text within a tool's result, one level further down; staged, for what a macro is given is written out at each use
create or replace macro memory.main.result_text(given) as (
    list_transform([given], lambda told: case json_type(told)
        when 'ARRAY'
            then
                nullif(array_to_string(list_transform(
                    from_json(told, '[{"text": "VARCHAR", "json": "VARCHAR"}]'),
                    lambda one: coalesce(one.text, one.json)
                ), chr(10)), '')
        when 'OBJECT' then coalesce(told ->> '$.text', told ->> '$.value', told::varchar)
        when 'NULL' then null
        else told ->> '$'
    end)[1]
);

-- thoughts and calls are no text; a picture is named, so that nobody takes its message for empty
create or replace macro memory.main.part_text(part) as (
    case
        when part is null then null
        when
            part.type in ('thinking', 'redacted_thinking', 'reasoning', 'thought', 'compaction')
            or coalesce(part.thought, false)
            or memory.main.is_call(part)
            then null
        when part.text is not null then part.text
        when memory.main.spoken(part.value) is not null then memory.main.spoken(part.value)
        when part.type = 'text' and part.arguments is not null then part.arguments::varchar
        else coalesce(
            memory.main.result_text(coalesce(
                part.content, part.result, part.output, json_extract(part.functionresponse, '$.response'),
                json_extract(part.function_response, '$.response'), json_extract(part.toolresult, '$.content')
            )),
            part.refusal,
            if(memory.main.is_result(part), '', '[' || coalesce(part.type, 'media') || ']')
        )
    end
);

create or replace macro memory.main.text_in(parts) as (
    coalesce(array_to_string(list_transform(parts, lambda part: memory.main.part_text(part)), chr(10)), '')
);

-- the text of a message's content: a text, a list of parts or of texts, one part, or nothing
create or replace macro memory.main.text_of(content) as (
    list_transform([content], lambda told: case json_type(told)
        when 'ARRAY'
            then
                if(
                    json_type(told, '$[0]') = 'VARCHAR',
                    array_to_string(from_json(told, '["VARCHAR"]'), chr(10)),
                    memory.main.text_in(memory.main.parts_of(told))
                )
        -- an object that is no known part is its own text
        when 'OBJECT'
            then
                coalesce(
                    nullif(memory.main.text_in(memory.main.parts_of(json_array(told))), '[media]'), told::varchar
                )
        when 'NULL' then ''
        else coalesce(told ->> '$', '')
    end)[1]
);

create or replace macro memory.main.call_json(call_id, call_name, given) as (
    json_object('id', call_id, 'name', call_name, 'arguments', memory.main.unwrapped(given))
);

-- tool calls in OpenAI's list beside the content, or in LangChain's
create or replace macro memory.main.listed_calls(given) as (
    list_transform(
        from_json(given, '[{
            "id": "VARCHAR", "name": "VARCHAR", "arguments": "JSON", "args": "JSON", "function": "JSON"
        }]'),
        lambda one: memory.main.call_json(
            one.id,
            coalesce(
                json_extract_string(one.function, '$.name'),
                if(json_type(one.function) = 'VARCHAR', one.function ->> '$', null),
                one.name
            ),
            coalesce(json_extract(one.function, '$.arguments'), one.arguments, one.args)
        )
    )
);

-- tool calls among the parts of a content
create or replace macro memory.main.part_calls(parts) as (
    list_transform(
        list_filter(parts, lambda part: memory.main.is_call(part)),
        lambda part: memory.main.call_json(
            coalesce(
                part.call_id, part.toolcallid, part.id, part.tooluse ->> '$.toolUseId', part.functioncall ->> '$.id',
                part.function_call ->> '$.id'
            ),
            coalesce(
                part.name, part.toolname, part.functioncall ->> '$.name', part.function_call ->> '$.name',
                part.tooluse ->> '$.name'
            ),
            coalesce(
                part.input,
                part.arguments,
                part.args,
                json_extract(part.functioncall, '$.args'),
                json_extract(part.function_call, '$.args'),
                json_extract(part.tooluse, '$.input')
            )
        )
    )
);

create or replace macro memory.main.messages_in(given) as (
    from_json(given, '[{
        "role": "VARCHAR", "type": "VARCHAR", "content": "JSON", "parts": "JSON", "text": "VARCHAR", "message": "JSON",
        "tool_calls": "JSON", "function_call": "JSON", "name": "VARCHAR", "refusal": "VARCHAR", "id": "VARCHAR", "tool_call_id": "VARCHAR",
        "call_id": "VARCHAR", "arguments": "JSON", "output": "JSON", "additional_kwargs": {"tool_calls": "JSON"}
    }]')
);

create or replace macro memory.main.role_named(given) as (
    case lower(given)
        when 'human' then 'user'
        when 'ai' then 'assistant'
        when 'model' then 'assistant'
        when 'bot' then 'assistant'
        when 'chatbot' then 'assistant'
        when 'function' then 'tool'
        when 'function_call' then 'assistant'
        when 'function_call_output' then 'tool'
        when 'message' then null
        when 'constructor' then null
        else lower(given)
    end
);

-- one message, its content and the parts of it, in our words: the content is always a text
create or replace macro memory.main.message_of(one, content, parts) as (
    json_merge_patch(
        json_object(
            'role', case
                when memory.main.is_result(parts[1]) then 'tool'
                else coalesce(memory.main.role_named(one.role), memory.main.role_named(one.type), 'user')
            end,
            'content', case
                when one.type = 'function_call' then ''
                when len(parts) > 0 and parts[1] is not null then memory.main.text_in(parts)
                when coalesce(json_type(content), 'NULL') = 'NULL' then coalesce(one.refusal, '')
                else memory.main.text_of(content)
            end
        ),
        json_object(
            'tool_calls', nullif(
                list_concat(
                    if(
                        one.type = 'function_call',
                        [memory.main.call_json(coalesce(one.call_id, one.id), one.name, one.arguments)],
                        []::json[]
                    ),
                    coalesce(
                        nullif(memory.main.listed_calls(one.tool_calls), []),
                        memory.main.listed_calls(one.additional_kwargs.tool_calls),
                        []::json[]
                    ),
                    coalesce(memory.main.part_calls(parts), []::json[]),
                    if(
                        one.function_call is null,
                        []::json[],
                        memory.main.listed_calls(json_array(one.function_call))
                    )
                ),
                []
            ),
            'tool_call_id', coalesce(
                one.tool_call_id,
                if(one.type = 'function_call_output', one.call_id, null),
                if(one.role = 'tool', one.id, null),
                if(
                    memory.main.is_result(parts[1]),
                    coalesce(
                        parts[1].tool_use_id, parts[1].toolcallid, parts[1].id,
                        json_extract_string(parts[1].toolresult, '$.toolUseId')
                    ),
                    null
                )
            ),
            'name', if(one.type = 'function_call', null, nullif(one.name, ''))
        )
    )
);

-- messages with what they hold beside them
create or replace macro memory.main.staged_messages(given) as (
    list_transform(
        list_transform(
            list_filter(memory.main.messages_in(given), lambda one: one is not null),
            lambda one: {
                'one': one,
                'content': coalesce(one.content, one.parts, one.output, one.message, to_json(one.text))
            }
        ),
        lambda held: {
            'one': held.one,
            'content': held.content,
            'parts': if(json_type(held.content) = 'ARRAY', memory.main.parts_of(held.content), null)
        }
    )
);

-- a conversation written down as text, `user: ...` and `assistant: ...` on lines, else one message of the user
create or replace macro memory.main.dialogue_of(text) as (
    if(
        regexp_matches(text, '^(system|developer|user|human): '),
        to_json(list_transform(
            list_filter(
                string_split(
                    regexp_replace(
                        text, '(^|\n)(system|developer|user|human|assistant|ai|tool): ', chr(30) || '\2' || chr(31), 'g'
                    ),
                    chr(30)
                ),
                lambda turn: turn != ''
            ),
            lambda turn: json_object(
                'role', memory.main.role_named(split_part(turn, chr(31), 1)),
                'content', if(split_part(turn, chr(31), 2) = 'None', '', split_part(turn, chr(31), 2))
            )
        )),
        json_array(json_object('role', 'user', 'content', text))
    )
);

-- a list of messages, or a text from the user, as [{role, content, ...}]
create or replace macro memory.main.messages_of(given) as (
    list_transform([given], lambda told: case coalesce(json_type(told), 'NULL')
        when 'ARRAY'
            then
                if(
                    json_type(told, '$[0]') = 'VARCHAR',
                    to_json(list_transform(
                        from_json(told, '["VARCHAR"]'), lambda text: json_object('role', 'user', 'content', text)
                    )),
                    to_json(list_transform(
                        memory.main.staged_messages(told),
                        lambda held: memory.main.message_of(held.one, held.content, held.parts)
                    ))
                )
        when 'NULL' then null
        when 'VARCHAR' then memory.main.dialogue_of(told ->> '$')
        else json_array(json_object('role', 'user', 'content', memory.main.text_of(told)))
    end)[1]
);

-- one more message, what the system was told, before the others
create or replace macro memory.main.with_system(told, messages) as (
    list_transform(
        [{ 'told': told, 'messages': messages }],
        lambda held: if(
            coalesce(json_type(held.told), 'NULL') = 'NULL',
            held.messages,
            to_json(list_concat(
                [json_object('role', 'system', 'content', memory.main.text_of(held.told))],
                from_json(held.messages, '["JSON"]')
            ))
        )
    )[1]
);

-- the messages of a request in any vendor's shape
create or replace macro memory.main.request_messages(given) as (
    list_transform([given], lambda asked: memory.main.with_system(
        if(json_type(asked) = 'OBJECT', coalesce(
            json_extract(asked, '$.system'), json_extract(asked, '$.system_instruction.parts'),
            json_extract(asked, '$.systemInstruction.parts'), json_extract(asked, '$.system_instruction'),
            json_extract(asked, '$.config.system_instruction'), json_extract(asked, '$.instructions'),
            json_extract(asked, '$.preamble')
        ), null),
        memory.main.messages_of(if(json_type(asked) = 'OBJECT', coalesce(
            json_extract(asked, '$.messages'), json_extract(asked, '$.contents'), json_extract(asked, '$.input'),
            if(
                json_extract(asked, '$.chat_history') is null,
                null,
                to_json(list_append(
                    from_json(json_extract(asked, '$.chat_history'), '["JSON"]'),
                    json_object('role', 'user', 'message', json_extract(asked, '$.message'))
                ))
            ),
            json_extract(asked, '$.prompt'), json_extract(asked, '$.message'), json_extract(asked, '$.inputs'),
            json_extract(asked, '$.inputText'), json_extract(asked, '$.args'), json_extract(asked, '$.question'),
            json_extract(asked, '$.query')
        ), asked))
    ))[1]
);

-- the messages a model answered with, in any vendor's shape
create or replace macro memory.main.answer_messages(given) as (
    list_transform([given], lambda told: memory.main.messages_of(case coalesce(json_type(told), 'NULL')
        when 'OBJECT'
            then
                coalesce(
                    if(
                        json_extract(told, '$.choices[0]') is null,
                        null,
                        json_array(coalesce(
                            json_extract(told, '$.choices[0].message'),
                            json_object('role', 'assistant', 'text', json_extract_string(told, '$.choices[0].text'))
                        ))
                    ),
                    if(json_type(told, '$.output') = 'ARRAY', json_extract(told, '$.output'), null),
                    json_array(coalesce(
                        json_extract(told, '$.candidates[0].content'),
                        json_extract(told, '$.output.message'),
                        if(json_type(told, '$.message') = 'OBJECT', json_extract(told, '$.message'), null),
                        if(json_type(told, '$.content') = 'OBJECT', json_extract(told, '$.content'), null),
                        if(
                            coalesce(
                                json_extract(told, '$.content'), json_extract(told, '$.tool_calls'),
                                json_extract(told, '$.additional_kwargs')
                            ) is null,
                            json_object('role', 'assistant', 'text', coalesce(
                                json_extract_string(told, '$.text'), json_extract_string(told, '$.response'),
                                json_extract_string(told, '$.completion'),
                                json_extract_string(told, '$.generated_text'),
                                json_extract_string(told, '$.results[0].outputText'),
                                json_extract_string(told, '$.results[0].generated_text'),
                                json_extract_string(told, '$.generations[0].text'),
                                json_extract_string(told, '$.generation'),
                                json_extract_string(told, '$.outputs[0].text'),
                                json_extract_string(told, '$.output'), told::varchar
                            )),
                            told
                        )
                    ))
                )
        when 'ARRAY'
            then
                case
                    when json_extract(told, '$[0].generated_text') is not null
                        then
                            json_array(json_object(
                                'role', 'assistant', 'text', json_extract_string(told, '$[0].generated_text')
                            ))
                    -- parts without anybody who said them are the assistant's
                    when coalesce(json_extract(told, '$[0].role'), json_extract(told, '$[0].call_id')) is null
                        then json_array(json_object('role', 'assistant', 'content', told))
                    else told
                end
        when 'NULL' then null
        else json_array(json_object('role', 'assistant', 'content', told ->> '$'))
    end))[1]
);

-- what was said, and which tools were asked for, in messages that are in our words
create or replace macro memory.main.spoken_text(messages) as (
    array_to_string(
        list_transform(from_json(messages, '[{"content": "VARCHAR"}]'), lambda one: nullif(one.content, '')), chr(10)
    )
);

create or replace macro memory.main.asked_calls(messages) as (
    nullif(to_json(coalesce(flatten(
        list_transform(from_json(messages, '[{"tool_calls": ["JSON"]}]'), lambda one: coalesce(one.tool_calls, []))
    ), [])), '[]')
);

-- tools offered, in any vendor's shape, as [{name, description, parameters}]
create or replace macro memory.main.tools_of(given) as (
    if(
        json_type(given) = 'ARRAY' and json_array_length(given) > 0,
        to_json(list_transform(
            from_json(given, '[{
                "name": "VARCHAR", "description": "VARCHAR", "parameters": "JSON", "input_schema": "JSON",
                "inputSchema": "JSON", "type": "VARCHAR",
                "function": {"name": "VARCHAR", "description": "VARCHAR", "parameters": "JSON"},
                "toolSpec": {"name": "VARCHAR", "description": "VARCHAR", "inputSchema": {"json": "JSON"}}
            }]'),
            lambda tool: json_object(
                'name', coalesce(tool.function.name, tool.toolspec.name, tool.name, tool.type),
                'description', coalesce(tool.function.description, tool.toolspec.description, tool.description),
                'parameters', memory.main.unwrapped(coalesce(
                    tool.function.parameters, tool.toolspec.inputschema.json, tool.parameters, tool.input_schema,
                    tool.inputschema
                ))
            )
        )),
        null
    )
);

-- seconds, milliseconds or a written time; what has no zone is in UTC
create or replace macro memory.main.time_of(given) as (
    coalesce(
        try_cast(given as timestamptz),
        to_timestamp(case
            when abs(try_cast(given as double)) <= 1e11 then try_cast(given as double)
            when abs(try_cast(given as double)) <= 1e14 then try_cast(given as double) / 1e3
            when abs(try_cast(given as double)) <= 1e17 then try_cast(given as double) / 1e6
        end)
    )
);

-- why a time cannot be one of a call, else nothing
create or replace macro memory.main.time_problem(started_at, moment) as (
    case
        when started_at is null then 'missing_timestamp'
        when started_at > moment::timestamptz + interval 1 day then 'clock_in_the_future'
        -- a clock that was never set starts in 1970
        when started_at < timestamptz '2000-01-01 00:00:00+00' then 'clock_in_the_past'
    end
);

create or replace macro memory.main.turns_of(messages) as (
    from_json(messages, '[{
        "role": "VARCHAR", "content": "VARCHAR", "tool_calls": ["JSON"], "tool_call_id": "VARCHAR"
    }]')
);

-- where in a run, messages in our words, the assistant speaks for the last time, 0 where it never does
create or replace macro memory.main.last_answer_place(messages) as (
    list_transform(
        [list_transform(
            memory.main.turns_of(messages), lambda turn: turn.role = 'assistant' and turn.content != ''
        )],
        lambda answered: coalesce(len(answered) + 1 - nullif(list_position(list_reverse(answered), true), 0), 0)
    )[1]
);

create or replace macro memory.main.messages_before(messages, place) as (
    to_json(if(place = 0, from_json(messages, '["JSON"]'), from_json(messages, '["JSON"]')[1:place - 1]))
);

-- all tool calls of a run with what came back, matched by their ids
create or replace macro memory.main.calls_with_results(messages) as (
    list_transform(
        [{
            'calls': flatten(list_transform(
                memory.main.turns_of(messages), lambda turn: coalesce(turn.tool_calls, [])
            )),
            'results': list_filter(memory.main.turns_of(messages), lambda turn: turn.role = 'tool')
        }],
        lambda run: nullif(to_json(coalesce(list_transform(
            run.calls,
            lambda one: list_transform(
                [list_filter(
                    run.results, lambda turn: turn.tool_call_id = json_extract_string(one, '$.id')
                )[1].content],
                lambda result: json_object(
                    'id', json_extract_string(one, '$.id'),
                    'name', json_extract_string(one, '$.name'),
                    'arguments', json_extract(one, '$.arguments'),
                    'result', result,
                    'error', if(
                        regexp_matches(result, '(?i)^\s*(error|exception|traceback)\b'), left(result, 200), null
                    )
                )
            )[1]
        ), [])), '[]')
    )[1]
);

-- what a mapping asks for: nothing, a constant that begins with =, or what is at a JSON path
create or replace macro memory.main.mapped(record, place) as (
    case
        when coalesce(place, '') = '' then null
        when place[1] = '=' then to_json(place[2:])
        else json_extract(record, place)
    end
);
