-- duplicates: one row per failing trace, with the group of near-identical queries it is in
-- key: trace_id
create table duplicates (
    day date,
    run_id varchar,
    trace_id varchar,
    group_id varchar, -- the same on every day; smallest trace_id of the day the group was first seen
    is_representative boolean, -- the best of the group's members that day
    group_size bigint, -- members that day
    first_seen date -- the day the group was first seen
);
