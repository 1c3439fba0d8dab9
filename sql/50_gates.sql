-- gates: one row per expectation checked on a candidate release
-- key: gate_id
create table gates (
    day date,
    run_id varchar,
    gate_id varchar,
    dataset varchar,
    candidate varchar, -- content hash of the candidate release
    suite varchar,
    expectation varchar,
    subject varchar, -- column or measure it is about
    severity varchar, -- critical refuses, warning reports
    is_success boolean,
    observed varchar,
    bound varchar,
    rows_query varchar, -- the rows that broke it
    checked_at timestamptz
);
