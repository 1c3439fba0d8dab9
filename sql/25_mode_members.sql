-- mode_members: one row per failing trace, with the mode it belongs to
-- key: trace_id
create table mode_members (
    day date,
    run_id varchar,
    trace_id varchar,
    mode_id varchar,
    similarity double, -- cosine to the mode's centroid
    note varchar, -- what went wrong, one aspect a line: what it was grouped by
    note_origin varchar -- evidence, a model's name, or unparsed: the model's reply was no note, so it is the evidence
);
