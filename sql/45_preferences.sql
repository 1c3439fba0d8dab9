-- preferences: one row per chosen and rejected answer to the same input
-- key: preference_id
create table preferences (
    day date,
    run_id varchar,
    preference_id varchar,
    correction_id varchar,
    input json,
    chosen varchar,
    rejected varchar,
    soft_label double, -- probability that chosen is the better one
    source varchar, -- human, rlaif or constitution
    judges varchar[]
);

with
pairs as (
    select
        day,
        md5(correction_id || 'preference') as preference_id,
        correction_id,
        input,
        chosen,
        rejected,
        coalesce(agreement, 1) as soft_label,
        case when author_kind = 'human' then 'human' else 'rlaif' end as source,
        [author_id] as judges
    from corrections
    where rejected is not null and rejected != ''
)

select * from pairs;
