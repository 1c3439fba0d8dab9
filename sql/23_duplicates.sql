-- duplicates: one row per failing trace, with the group of near-identical queries it is in
-- key: trace_id
create table duplicates (
    day date,
    run_id varchar,
    trace_id varchar,
    group_id varchar, -- smallest trace_id of the group
    is_representative boolean,
    group_size bigint
);
