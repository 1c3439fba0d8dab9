-- failure_modes: one row per named kind of mistake and day it was seen
-- key: day, mode_id
create table failure_modes (
    day date,
    run_id varchar,
    mode_id varchar, -- stable across days
    name varchar,
    description varchar,
    first_seen date,
    status varchar, -- open, corrected, released, closed, regressed
    size bigint, -- failures of the day in it
    total_size bigint, -- failures since first seen
    trend double, -- size against the mean of earlier days; 1 = as usual
    centroid float[] -- in the fixed space of flywheel.mine.embed
);
