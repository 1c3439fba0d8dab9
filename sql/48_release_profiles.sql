-- release_profiles: one row per candidate release, measured in one scan; the gate's promises are about these numbers
-- key: candidate
create table release_profiles (
    day date,
    run_id varchar,
    candidate varchar, -- content hash of the candidate's rows
    dataset varchar,
    row_count bigint,
    train_count bigint,
    heldout_count bigint,
    new_count bigint, -- rows the parent release does not have
    lost_count bigint, -- rows of the parent that are gone without a tombstone
    human_share double, -- written by people / all training rows
    max_depth bigint, -- generations of models between a row and a person
    leaked_count bigint, -- training rows with a near-duplicate among the held-out ones or the audits
    duplicate_share double, -- training rows that repeat another one
    personal_count bigint, -- rows in which an e-mail address, card, phone ... was found
    unchanged_count bigint, -- rows whose correction is the error itself
    untrusted_count bigint, -- rows by a model that has not earned trust
    top_label_share double, -- share of the commonest correction among new rows, where corrections are labels
    label_drift double, -- Jensen-Shannon distance of the new rows' labels from the reference, 0-1
    length_drift double, -- Wasserstein distance of answer lengths from the reference, in its standard deviations
    reference varchar, -- what drift was measured against: a version, or traffic
    measured_at timestamptz
);
