-- note_spaces: one row per term of a space that failure notes are put into, written when the space is fitted
-- key: day, space_id, term
create table note_spaces (
    day date, -- it was fitted on
    run_id varchar,
    space_id varchar,
    note_count bigint, -- it was fitted on
    term varchar,
    rarity double, -- inverse document frequency
    place float[] -- what the term adds to a note's vector
);
