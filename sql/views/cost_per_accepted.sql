-- cost_per_accepted: what a usable correction costs, by the day it was answered, its route, who made it and its mode
with
mode_names as (
    select
        mode_id,
        arg_min(name, day) as mode_name
    from failure_modes
    group by mode_id
),

-- the route is that of the example: models also answer what is routed to people, to be measured by them
asked as (
    select
        answers.day,
        routes.route,
        answers.author_kind,
        answers.corrector,
        hard_examples.mode_id,
        mode_names.mode_name,
        count(*) as answer_count,
        count(corrections.correction_id) as accepted_count,
        sum(coalesce(answers.cost_usd, 0)) as cost_usd
    from answers
    left join corrections on answers.answer_id = corrections.answer_id
    left join hard_examples on answers.example_id = hard_examples.example_id
    left join routes on answers.example_id = routes.example_id
    left join mode_names on hard_examples.mode_id = mode_names.mode_id
    group by all
),

priced as (
    select
        *,
        cost_usd / nullif(accepted_count, 0) as cost_per_accepted_usd
    from asked
)

select * from priced
