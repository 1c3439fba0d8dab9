-- raw_traces: one row per production call as its log told it
-- key: day, trace_id
create table raw_traces (
    day date,
    run_id varchar,
    trace_id varchar, -- hash of the response id, or of the content where there is none
    response_id varchar,
    conversation_id varchar,
    started_at timestamptz,
    app varchar,
    task varchar, -- the workload: what this call is for
    model varchar,
    input json, -- [{role, content}], redacted
    output varchar,
    requested_schema json, -- the JSON schema the caller asked the answer to follow
    finish_reason varchar,
    error varchar, -- type of the error, null when the call succeeded
    confidence double, -- probability the model gave its own answer, 0-1, where the log has log-probabilities
    latency_ms double,
    input_tokens bigint,
    output_tokens bigint,
    cost_usd double,
    tools json, -- [{name, description, parameters}] the model could call, null where the log does not say
    tool_calls json, -- [{id, name, arguments, result, error}] the model asked for in this call or run
    documents json, -- [{id, content, score}] the retrieved context
    aliases varchar[], -- other ids feedback may name this call by: span, request, run, observation
    actor_hash varchar,
    source_file varchar,
    source_line bigint
);
