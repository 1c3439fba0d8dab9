-- expert_agreement: how often a person gave the answer that another person, or anybody else, gave to the same examples
with
refused as (
    select refused_id as answer_id from quarantine
    where table_name = 'answers' and refused_id is not null
),

-- the first word of each person counts, as in judgements
said as (
    select
        corrector as person,
        example_id,
        lower(trim(output)) as answer
    from answers
    where
        author_kind = 'human' and example_id is not null and coalesce(trim(output), '') != ''
        and answer_id not in (select refused.answer_id from refused)
    qualify row_number() over (partition by corrector, example_id order by answered_at, answer_id) = 1
),

-- each pair is there twice, so that a person's rows are all about that person
pairs as (
    select
        one.person,
        other.person as other_person,
        count(*) as example_count,
        count(*) filter (where one.answer = other.answer) as same_count
    from said as one
    inner join said as other on one.example_id = other.example_id and one.person != other.person
    group by all
),

rated as (
    select
        *,
        same_count / example_count as agreement,
        (sum(example_count) over (partition by person))::bigint as others_count,
        (sum(same_count) over (partition by person))::bigint as others_same_count,
        (sum(same_count) over (partition by person)) / (sum(example_count) over (partition by person))
            as others_agreement
    from pairs
)

select * from rated
