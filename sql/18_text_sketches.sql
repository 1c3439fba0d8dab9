-- text_sketches: one row per distinct failing query and way to compare it, for later days to find its near twins by
-- key: day, fingerprint, kind
create table text_sketches (
    day date, -- when the text was first seen
    run_id varchar,
    fingerprint bigint, -- of the normalised text: equal texts are found by it
    kind varchar, -- words or characters: what its shingles are made of
    trace_id varchar, -- a trace that asked this, where the text itself can be read
    group_id varchar, -- of the group of near-identical queries it is in, on every day
    first_seen date, -- when the group was
    band_keys blob, -- 32 bits per band, little-endian; texts that share one are candidates
    marks blob -- one byte of each MinHash value: rules most candidates out
);
