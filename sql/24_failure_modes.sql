-- failure_modes: one row per named kind of mistake and day it was seen, or was closed or merged
-- key: day, mode_id
create table failure_modes (
    day date,
    run_id varchar,
    mode_id varchar, -- stable across days
    name varchar,
    description varchar,
    first_seen date,
    status varchar, -- open, corrected, released, closed, regressed
    size bigint, -- failures of the day in it; 0 on the day it was closed or merged
    total_size bigint, -- failures since first seen
    trend double, -- size against the mean of earlier days; 1 = as usual
    centroid float[], -- mean of its notes so far, in the space of space_id
    space_id varchar, -- where the centroid has a meaning: note_spaces, 'hashed', or an embedding model
    last_seen date,
    prevalence double, -- expected share of the day's traces that fail this way
    prevalence_low double, -- 95 % interval
    prevalence_high double,
    severity double, -- 0-1: how bad the failures are, from their signals
    fixability double, -- 0-1: how much of it a correction can mend
    worth double, -- prevalence x severity x fixability
    worth_low double, -- its lower 95 % confidence bound: what modes are ranked by
    rank bigint, -- 1 = most worth working on; null without failures that day
    signals varchar[], -- that fired, commonest first
    examples varchar[], -- trace ids, the nearest to the centroid, of different near-duplicate groups first
    merged_into varchar, -- mode that has its failures from this day on
    split_from varchar -- mode that had its failures before
);
