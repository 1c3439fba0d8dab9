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
    actor_hash varchar,
    source_file varchar,
    source_line bigint
);
