-- mode_members: one row per failing trace, with the mode it belongs to
-- key: trace_id
create table mode_members (
    day date,
    run_id varchar,
    trace_id varchar,
    mode_id varchar,
    similarity double -- cosine to the mode's centroid
);
