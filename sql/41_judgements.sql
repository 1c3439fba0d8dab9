-- judgements: one row per model answer compared with a person's answer to the same example
-- key: judge, example_id, subject
create table judgements (
    day date,
    run_id varchar,
    judge varchar, -- the person whose answer is the measure
    subject varchar, -- the corrector that is measured
    family varchar,
    example_id varchar,
    verdict varchar, -- agree, disagree or unparsed
    explanation varchar
);

with
refused as (
    select refused_id as answer_id from known_quarantine
    where table_name = 'answers' and refused_id is not null
),

replies as (
    select
        known_answers.*,
        lower(trim(output)) as said
    from known_answers
    where example_id is not null and answer_id not in (select refused.answer_id from refused)
),

compared as (
    select
        $day::date as day,
        people.corrector as judge,
        models.corrector as subject,
        models.family,
        people.example_id,
        case
            when coalesce(models.said, '') = '' then 'unparsed'
            when models.said = people.said then 'agree'
            else 'disagree'
        end as verdict,
        case when models.said = people.said then 'same answer' else 'different answers' end as explanation
    from replies as people
    inner join replies as models on people.example_id = models.example_id
    where
        people.author_kind = 'human'
        and coalesce(people.said, '') != ''
        and models.author_kind = 'ai'
        and coalesce(models.confidence, 1) >= $min_confidence
        and greatest(people.day, models.day) = $day::date
    -- one comparison per person, model and example: the first word of each counts
    qualify row_number() over (
        partition by people.corrector, models.corrector, people.example_id
        order by people.answered_at, people.answer_id, models.answered_at, models.answer_id
    ) = 1
),

fresh as (
    select compared.* from compared
    anti join past_judgements
        on
            compared.judge = past_judgements.judge
            and compared.subject = past_judgements.subject
            and compared.example_id = past_judgements.example_id
)

select * from fresh;
